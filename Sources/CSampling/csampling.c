// The float32 Box–Muller transform with the polynomial logarithm and sine of Julien Pommier's sse_mathfun (after
// Cephes), in its form with fused multiply-adds: spec families-unet-sampling.md §16. Every operation is one IEEE
// operation, so vector width and processor do not change a bit; without FMA instructions libm's fmaf does the work.
#include "csampling.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#pragma clang fp contract(off)

#define CLONES __attribute__((target_clones("avx512f", "arch=haswell", "default")))

typedef float v8f __attribute__((ext_vector_type(8)));
typedef int32_t v8i __attribute__((ext_vector_type(8)));
// By pointer instead of by value: the calling convention of wide vectors depends on the instruction set.
#define INLINE static inline __attribute__((always_inline))

INLINE void multiply_add(v8f *restrict out, const v8f *a, const v8f *b, const v8f *c) {
  *out = __builtin_elementwise_fma(*a, *b, *c);
}

// ln x for x in (0, 1], no subnormals.
INLINE void logarithm(v8f *value) {
  static const float p[9] = {7.0376836292e-2f, -1.1514610310e-1f, 1.1676998740e-1f, -1.2420140846e-1f, 1.4249322787e-1f,
                             -1.6668057665e-1f, 2.0000714765e-1f, -2.4999993993e-1f, 3.3333331174e-1f};
  const v8i bits = (v8i)*value;  // a cast between vectors keeps the bits
  const v8f one = 1.0f;
  v8f e = __builtin_convertvector((bits >> 23) - 126, v8f);
  v8f m = (v8f)((bits & 0x007fffff) | 0x3f000000);
  const v8i small = m < 0.707106781186547524f;
  e -= (v8f)(small & (v8i)one);
  m = (m - 1.0f) + (v8f)(small & (v8i)m);
  const v8f z = m * m;
  v8f y = p[0];
  for (int i = 1; i < 9; i++) {
    const v8f c = p[i];
    multiply_add(&y, &y, &m, &c);
  }
  y = y * m;
  const v8f low = e * -2.12194440e-4f, half = -0.5f, high = 0.693359375f;
  multiply_add(&y, &y, &z, &low);
  multiply_add(&y, &z, &half, &y);
  const v8f sum = m + y;
  multiply_add(value, &e, &high, &sum);
}

// sin and cos of an angle in [0, 8192].
INLINE void sine_cosine(const v8f *angle, v8f *sine, v8f *cosine) {
  static const float c[3] = {2.443315711809948e-5f, -1.388731625493765e-3f, 4.166664568298827e-2f};
  static const float s[3] = {-1.9515295891e-4f, 8.3321608736e-3f, -1.6666654611e-1f};
  static const float quarter[3] = {-0.78515625f, -2.4187564849853515625e-4f, -3.77489497744594108e-8f};
  const v8i octant = (__builtin_convertvector(*angle * 1.27323954473516f, v8i) + 1) & ~1;
  const v8f turns = __builtin_convertvector(octant, v8f);
  v8f x = *angle;
  for (int i = 0; i < 3; i++) {
    const v8f q = quarter[i];
    multiply_add(&x, &turns, &q, &x);
  }
  const v8f z = x * x;
  v8f pc = c[0], ps = s[0];
  for (int i = 1; i < 3; i++) {
    const v8f ci = c[i], si = s[i];
    multiply_add(&pc, &pc, &z, &ci);
    multiply_add(&ps, &ps, &z, &si);
  }
  pc = pc * z;
  const v8f half = z * -0.5f;
  multiply_add(&pc, &pc, &z, &half);
  pc = pc + 1.0f;
  ps = ps * z;
  multiply_add(&ps, &ps, &x, &x);
  const v8i exchanged = (octant & 2) != 0;
  const v8i c_bits = (v8i)pc, s_bits = (v8i)ps;
  const v8i sign = (int32_t)0x80000000;
  *sine = (v8f)(((exchanged & c_bits) | (~exchanged & s_bits)) ^ (((octant & 4) != 0) & sign));
  *cosine = (v8f)(((exchanged & s_bits) | (~exchanged & c_bits)) ^ ((((octant - 2) & 4) == 0) & sign));
}

CLONES void cs_normal_from_uniform(float *data, size_t blocks) {
  for (size_t block = 0; block < blocks; block++) {
    float *at = data + block * 16;
    v8f a, b, sine, cosine;
    __builtin_memcpy(&a, at, sizeof a);
    __builtin_memcpy(&b, at + 8, sizeof b);
    a = 1.0f - a;
    logarithm(&a);
    const v8f radius = __builtin_elementwise_sqrt(a * -2.0f);
    b = b * 6.2831855f;
    sine_cosine(&b, &sine, &cosine);
    cosine = cosine * radius;
    sine = sine * radius;
    __builtin_memcpy(at, &cosine, sizeof cosine);
    __builtin_memcpy(at + 8, &sine, sizeof sine);
  }
}

double cs_round_six_decimals(double x) {
  char text[400];  // the largest double has 309 digits before the point
  snprintf(text, sizeof text, "%.6f", x);
  return strtod(text, NULL);
}
