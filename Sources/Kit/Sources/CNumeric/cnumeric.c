// Conversions between number formats. Half floats go through F16C where the processor has it (chosen at load time).
#include "cnumeric.h"

#include <math.h>
#include <string.h>

#define CLONES __attribute__((target_clones("avx512f", "arch=haswell", "default")))

static inline float as_float(uint32_t bits) {
  float f;
  memcpy(&f, &bits, 4);
  return f;
}
static inline uint32_t as_bits(float f) {
  uint32_t b;
  memcpy(&b, &f, 4);
  return b;
}

// Bit manipulation instead of the _Float16 type: the latter is a library call per element without F16C, and the
// loop below vectorises everywhere.
static inline float half_to_float(uint16_t h) {
  const uint32_t sign = (uint32_t)(h & 0x8000u) << 16;
  const uint32_t rest = (uint32_t)(h & 0x7fffu) << 13;
  // Multiply by 2^112 to move the exponent; subnormals come out right, infinities and NaN need the exponent set.
  const float scaled = as_float(rest) * 0x1p112f;
  const uint32_t bits = as_bits(scaled);
  const uint32_t special = (h & 0x7c00u) == 0x7c00u ? 0x7f800000u : 0;
  return as_float(sign | bits | special);
}

static inline uint16_t float_to_half(float f) {
  const uint32_t x = as_bits(f);
  const uint32_t sign = (x >> 16) & 0x8000u;
  const uint32_t a = x & 0x7fffffffu;
  if (a > 0x7f800000u) return (uint16_t)(sign | 0x7e00u);
  if (a >= 0x477ff000u) return (uint16_t)(sign | 0x7c00u);  // 65520 and above round to infinity
  if (a < 0x38800000u) {                                     // subnormal: add 0.5 so that the unit is 2^-24
    const float r = as_float(a) + 0.5f;
    return (uint16_t)(sign | (as_bits(r) - 0x3f000000u));
  }
  const uint32_t odd = (a >> 13) & 1;
  return (uint16_t)(sign | ((a - 0x38000000u + 0xfffu + odd) >> 13));
}

float cn_half_value(uint16_t bits) { return half_to_float(bits); }
uint16_t cn_half_bits(float value) { return float_to_half(value); }

CLONES void cn_f16_to_f32(const uint16_t *restrict in, float *restrict out, size_t n) {
  for (size_t i = 0; i < n; i++) out[i] = half_to_float(in[i]);
}
CLONES void cn_bf16_to_f32(const uint16_t *restrict in, float *restrict out, size_t n) {
  for (size_t i = 0; i < n; i++) out[i] = as_float((uint32_t)in[i] << 16);
}
CLONES void cn_f32_to_f16(const float *restrict in, uint16_t *restrict out, size_t n) {
  for (size_t i = 0; i < n; i++) out[i] = float_to_half(in[i]);
}
CLONES void cn_f32_to_bf16(const float *restrict in, uint16_t *restrict out, size_t n) {
  for (size_t i = 0; i < n; i++) {
    const uint32_t b = as_bits(in[i]);
    const uint32_t rounded = (b + 0x7fffu + ((b >> 16) & 1)) >> 16;
    const uint32_t quiet = (b >> 16) | 0x40u;
    out[i] = (uint16_t)((b & 0x7fffffffu) > 0x7f800000u ? quiet : rounded);
  }
}

// e4m3fn: no infinities, 0x7f and 0xff are NaN. Branch-free so that it vectorises: shift the seven bits into a
// float's place and multiply by 2^120, which normalises subnormals too.
static inline float e4m3_value(uint8_t v) {
  const uint32_t sign = (uint32_t)(v & 0x80u) << 24;
  const float scaled = as_float((uint32_t)(v & 0x7fu) << 20) * 0x1p120f;
  const uint32_t nan = (v & 0x7fu) == 0x7fu ? 0x7fc00000u : 0;
  return as_float(as_bits(scaled) | sign | nan);
}
static inline float e5m2_value(uint8_t v) { return half_to_float((uint16_t)((uint16_t)v << 8)); }

CLONES void cn_e4m3_to_f32(const uint8_t *restrict in, float *restrict out, size_t n) {
  for (size_t i = 0; i < n; i++) out[i] = e4m3_value(in[i]);
}
CLONES void cn_e5m2_to_f32(const uint8_t *restrict in, float *restrict out, size_t n) {
  for (size_t i = 0; i < n; i++) out[i] = e5m2_value(in[i]);
}
CLONES void cn_e4m3_to_bf16(const uint8_t *restrict in, uint16_t *restrict out, size_t n) {
  for (size_t i = 0; i < n; i++) out[i] = (uint16_t)(as_bits(e4m3_value(in[i])) >> 16);
}
CLONES void cn_e5m2_to_bf16(const uint8_t *restrict in, uint16_t *restrict out, size_t n) {
  for (size_t i = 0; i < n; i++) out[i] = (uint16_t)(as_bits(e5m2_value(in[i])) >> 16);
}

// Nearest even. What does not fit becomes the largest number in e4m3fn, which has no infinity, and infinity in e5m2.
static inline uint8_t float_to_fp8(float f, int mantissa, int bias, uint8_t top, uint8_t overflow, uint8_t nan) {
  const uint32_t x = as_bits(f);
  const uint8_t sign = (uint8_t)((x >> 24) & 0x80u);
  const uint32_t a = x & 0x7fffffffu;
  if (a > 0x7f800000u) return (uint8_t)(sign | nan);
  const int e = (int)(a >> 23) - 127;
  const int lowest = 1 - bias;
  const float magnitude = as_float(a);
  if (e < lowest) {  // subnormal: whole multiples of 2^(lowest - mantissa)
    const float units = rintf(ldexpf(magnitude, mantissa - lowest));
    return (uint8_t)(sign | (uint8_t)units);
  }
  const int shift = 23 - mantissa;
  const uint32_t odd = (a >> shift) & 1;
  const uint32_t rounded = (a + ((1u << (shift - 1)) - 1) + odd) >> shift;
  const uint32_t code = rounded - ((uint32_t)(127 - bias) << mantissa);
  return (uint8_t)(sign | (code > top ? overflow : (uint8_t)code));
}
void cn_f32_to_e4m3(const float *in, uint8_t *out, size_t n) {
  for (size_t i = 0; i < n; i++) out[i] = float_to_fp8(in[i], 3, 7, 0x7e, 0x7e, 0x7f);
}
void cn_f32_to_e5m2(const float *in, uint8_t *out, size_t n) {
  for (size_t i = 0; i < n; i++) out[i] = float_to_fp8(in[i], 2, 15, 0x7b, 0x7c, 0x7e);
}

static double clamp_integer(double v, double lo, double hi) {
  if (!(v == v)) return 0;
  v = trunc(v);
  return v < lo ? lo : v > hi ? hi : v;
}

static void widen(const void *in, int32_t from, double *out, size_t n) {
  float f[256];
  switch (from) {
    case 0: memcpy(out, in, n * 8); return;
    case 1: memcpy(f, in, n * 4); break;
    case 2: cn_f16_to_f32(in, f, n); break;
    case 3: cn_bf16_to_f32(in, f, n); break;
    case 4: cn_e4m3_to_f32(in, f, n); break;
    case 5: cn_e5m2_to_f32(in, f, n); break;
    case 6: for (size_t i = 0; i < n; i++) { int64_t v; memcpy(&v, (const char *)in + i * 8, 8); out[i] = (double)v; } return;
    case 7: for (size_t i = 0; i < n; i++) { int32_t v; memcpy(&v, (const char *)in + i * 4, 4); out[i] = v; } return;
    case 8: for (size_t i = 0; i < n; i++) { int16_t v; memcpy(&v, (const char *)in + i * 2, 2); out[i] = v; } return;
    case 9: for (size_t i = 0; i < n; i++) out[i] = ((const int8_t *)in)[i]; return;
    case 10: for (size_t i = 0; i < n; i++) out[i] = ((const uint8_t *)in)[i]; return;
    default: for (size_t i = 0; i < n; i++) out[i] = ((const uint8_t *)in)[i] != 0; return;
  }
  for (size_t i = 0; i < n; i++) out[i] = f[i];
}

static void narrow(const double *in, void *out, int32_t to, size_t n) {
  float f[256];
  if (to >= 1 && to <= 5)
    for (size_t i = 0; i < n; i++) f[i] = (float)in[i];
  switch (to) {
    case 0: memcpy(out, in, n * 8); return;
    case 1: memcpy(out, f, n * 4); return;
    case 2: cn_f32_to_f16(f, out, n); return;
    case 3: cn_f32_to_bf16(f, out, n); return;
    case 4: cn_f32_to_e4m3(f, out, n); return;
    case 5: cn_f32_to_e5m2(f, out, n); return;
    case 6:
      for (size_t i = 0; i < n; i++) {
        // 2^63 itself does not fit: the largest double below it is the limit.
        int64_t v = (int64_t)clamp_integer(in[i], -0x1p63, 0x1.fffffffffffffp62);
        memcpy((char *)out + i * 8, &v, 8);
      }
      return;
    case 7: for (size_t i = 0; i < n; i++) { int32_t v = (int32_t)clamp_integer(in[i], -2147483648.0, 2147483647.0); memcpy((char *)out + i * 4, &v, 4); } return;
    case 8: for (size_t i = 0; i < n; i++) { int16_t v = (int16_t)clamp_integer(in[i], -32768, 32767); memcpy((char *)out + i * 2, &v, 2); } return;
    case 9: for (size_t i = 0; i < n; i++) ((int8_t *)out)[i] = (int8_t)clamp_integer(in[i], -128, 127); return;
    case 10: for (size_t i = 0; i < n; i++) ((uint8_t *)out)[i] = (uint8_t)clamp_integer(in[i], 0, 255); return;
    default: for (size_t i = 0; i < n; i++) ((uint8_t *)out)[i] = in[i] != 0; return;
  }
}

static size_t size_of(int32_t type) {
  static const uint8_t sizes[12] = {8, 4, 2, 2, 1, 1, 8, 4, 2, 1, 1, 1};
  return type >= 0 && type < 12 ? sizes[type] : 0;
}

void cn_convert(const void *in, int32_t from, void *out, int32_t to, size_t n) {
  if (from == to) { memcpy(out, in, n * size_of(from)); return; }
  if (to == 1) {
    switch (from) {
      case 2: cn_f16_to_f32(in, out, n); return;
      case 3: cn_bf16_to_f32(in, out, n); return;
      case 4: cn_e4m3_to_f32(in, out, n); return;
      case 5: cn_e5m2_to_f32(in, out, n); return;
      default: break;
    }
  }
  if (from == 1) {
    switch (to) {
      case 2: cn_f32_to_f16(in, out, n); return;
      case 3: cn_f32_to_bf16(in, out, n); return;
      case 4: cn_f32_to_e4m3(in, out, n); return;
      case 5: cn_f32_to_e5m2(in, out, n); return;
      default: break;
    }
  }
  if (to == 3 && from == 4) { cn_e4m3_to_bf16(in, out, n); return; }
  if (to == 3 && from == 5) { cn_e5m2_to_bf16(in, out, n); return; }
  double block[256];
  const size_t a = size_of(from), b = size_of(to);
  for (size_t i = 0; i < n; i += 256) {
    const size_t m = n - i < 256 ? n - i : 256;
    widen((const char *)in + i * a, from, block, m);
    narrow(block, (char *)out + i * b, to, m);
  }
}

static inline float half(float x) { return half_to_float(float_to_half(x)); }

void cn_round_fp8_stochastic(const float *in, const float *uniform, uint8_t *out, size_t n, int mantissa_bits) {
  const int e4m3 = mantissa_bits == 3;
  const int bias = e4m3 ? 7 : 15, top = e4m3 ? 15 : 31;
  const float limit = e4m3 ? 448.0f : 57344.0f, steps = e4m3 ? 8.0f : 4.0f;
  for (size_t i = 0; i < n; i++) {
    const float x = half(in[i]), a = fabsf(x);
    float exponent = floorf(half(log2f(a))) + (float)bias;
    exponent = !(exponent > 0) ? 0 : exponent > (float)top ? (float)top : exponent;
    const int e = (int)exponent;
    float mantissa;
    if (e != 0) {
      mantissa = half(half(half(a / half(ldexpf(1, e - bias))) - 1.0f) * steps);
    } else {
      mantissa = half(a / half(ldexpf(1, 1 - bias - mantissa_bits)));
    }
    mantissa = half(floorf(half(mantissa + uniform[i])) / steps);
    float value = e != 0 ? half(half(ldexpf(1, e - bias)) * half(1.0f + mantissa)) : half(ldexpf(1, 1 - bias) * mantissa);
    value = value > limit ? limit : value;
    value = copysignf(value, x);
    if (e4m3) cn_f32_to_e4m3(&value, out + i, 1); else cn_f32_to_e5m2(&value, out + i, 1);
  }
}
