// Scalar building blocks. They are branch-free, so that the loops around them vectorise.

#ifndef CK_VALUES_SHARED
#define CK_VALUES_SHARED
/// Elements of a block kept on the stack between the steps of a row operation.
enum { ck_block = 1024 };

enum { t_f64, t_f32, t_f16, t_bf16, t_e4m3, t_e5m2, t_i64, t_i32, t_i16, t_i8, t_u8, t_bool };

static inline size_t ck_size_of(int32_t type) {
  static const uint8_t sizes[12] = {8, 4, 2, 2, 1, 1, 8, 4, 2, 1, 1, 1};
  return type >= 0 && type < 12 ? sizes[type] : 0;
}
static inline size_t ck_min(size_t a, size_t b) { return a < b ? a : b; }

static inline const char *ck_row(const ck_rows *rows, size_t row) {
  const ptrdiff_t at = (ptrdiff_t)(row / rows->inner) * rows->outer_stride +
                       (ptrdiff_t)(row % rows->inner) * rows->inner_stride;
  return (const char *)rows->data + at * (ptrdiff_t)ck_size_of(rows->type);
}
#endif

CK_INLINE float CK(as_float)(uint32_t bits) {
  float f;
  memcpy(&f, &bits, 4);
  return f;
}
CK_INLINE uint32_t CK(as_bits)(float f) {
  uint32_t b;
  memcpy(&b, &f, 4);
  return b;
}

CK_INLINE uint16_t CK(bf16_bits)(float f) {
  const uint32_t b = CK(as_bits)(f);
  const uint32_t rounded = (b + 0x7fffu + ((b >> 16) & 1)) >> 16;
  const uint32_t quiet = (b >> 16) | 0x40u;
  return (uint16_t)((b & 0x7fffffffu) > 0x7f800000u ? quiet : rounded);
}
CK_INLINE float CK(bf16_value)(uint16_t bits) { return CK(as_float)((uint32_t)bits << 16); }

CK_INLINE float CK(half_value)(uint16_t h) {
#if defined(CK_HAS_F16C)
  _Float16 value;
  memcpy(&value, &h, 2);
  return (float)value;
#else
  // Multiplying by 2^112 moves the exponent and normalises subnormals; infinities and NaN need the exponent set.
  const uint32_t sign = (uint32_t)(h & 0x8000u) << 16;
  const float scaled = CK(as_float)((uint32_t)(h & 0x7fffu) << 13) * 0x1p112f;
  const uint32_t special = (h & 0x7c00u) == 0x7c00u ? 0x7f800000u : 0;
  return CK(as_float)(sign | CK(as_bits)(scaled) | special);
#endif
}

// The bits of a small format are moved into a float's place and the exponent is shifted to the other bias. Subnormals
// are read as 1.m instead of 0.m times the smallest normal, and the 1 is taken off again: no multiplication that has
// a subnormal operand, which some processors do in microcode.

// e4m3fn has no infinities; 0x7f and 0xff are NaN.
CK_INLINE float CK(e4m3_value)(uint8_t v) {
  const uint32_t sign = (uint32_t)(v & 0x80u) << 24, magnitude = v & 0x7fu;
  const uint32_t subnormal = magnitude < 8;
  const float one = CK(as_float)((magnitude << 20) + ((120u + subnormal) << 23));
  const float value = one - (subnormal ? 0x1p-6f : 0.0f);
  const uint32_t nan = magnitude == 0x7fu ? 0x7fc00000u : 0;
  return CK(as_float)(CK(as_bits)(value) | sign | nan);
}
CK_INLINE float CK(e5m2_value)(uint8_t v) {
  const uint32_t sign = (uint32_t)(v & 0x80u) << 24, magnitude = v & 0x7fu;
  const uint32_t subnormal = magnitude < 4;
  const float one = CK(as_float)((magnitude << 21) + ((112u + subnormal) << 23));
  const float value = one - (subnormal ? 0x1p-14f : 0.0f);
  const uint32_t special = magnitude >= 0x7cu ? 0x7f800000u : 0;
  return CK(as_float)(CK(as_bits)(value) | sign | special);
}

// f rounded to a format with `mantissa` stored bits, smallest normal number `least`, subnormals in units of the last
// place of `anchor`, and largest finite number `most`; beyond it: `beyond`.
CK_INLINE float CK(round_value)(float f, int mantissa, float least, float anchor, float most, float beyond) {
  const uint32_t bits = CK(as_bits)(f);
  const uint32_t sign = bits & 0x80000000u;
  const uint32_t magnitude = bits & 0x7fffffffu;
  const float a = CK(as_float)(magnitude);
  const int shift = 23 - mantissa;
  const uint32_t odd = (magnitude >> shift) & 1;
  const float normal = CK(as_float)((magnitude + ((1u << (shift - 1)) - 1) + odd) & ~((1u << shift) - 1));
  const float subnormal = (a + anchor) - anchor;
  float r = a < least ? subnormal : normal;
  r = r > most ? beyond : r;
  const float rounded = CK(as_float)(CK(as_bits)(r) | sign);
  return magnitude > 0x7f800000u ? f : rounded;
}
CK_INLINE float CK(round_f16)(float f) {
  return CK(round_value)(f, 10, 0x1p-14f, 0.5f, 65504.0f, INFINITY);
}
CK_INLINE float CK(round_e4m3)(float f) {
  return CK(round_value)(f, 3, 0x1p-6f, 0x1p14f, 448.0f, 448.0f);
}
CK_INLINE float CK(round_e5m2)(float f) {
  return CK(round_value)(f, 2, 0x1p-14f, 0x1p7f, 57344.0f, 57344.0f);
}
CK_INLINE float CK(round_bf16)(float f) { return CK(bf16_value)(CK(bf16_bits)(f)); }

// e^x, error below 2 units in the last place; results are kept between 2^-126 and 2^128.
// e^x = 2^n e^r with |r| <= ln2 / 2; the polynomial is a minimax fit of degree 6 (error 2e-9).
CK_INLINE float CK(exp_value)(float x) {
  x = x < -87.3f ? -87.3f : x;
  x = x > 88.72f ? 88.72f : x;
  const float shifted = x * 0x1.715476p+0f + 12582912.0f;  // rounds to an integer in the low bits
  const float n = shifted - 12582912.0f;
  float r = x - n * 0x1.62e4p-1f;
  r = r - n * 0x1.7f7d1cp-20f;
  float p = 0x1.6ab28cp-10f;
  p = p * r + 0x1.1273ecp-7f;
  p = p * r + 0x1.5558bcp-5f;
  p = p * r + 0x1.5553fep-3f;
  p = p * r + 0x1.fffffap-2f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  return CK(as_float)(CK(as_bits)(p) + (CK(as_bits)(shifted) << 23));
}

CK_INLINE float CK(silu_value)(float x) { return x / (1.0f + CK(exp_value)(-x)); }
CK_INLINE float CK(quick_gelu_value)(float x) { return x / (1.0f + CK(exp_value)(-1.702f * x)); }
// ½(1 + tanh u) = 1 / (1 + e^(-2u)): no cancellation for negative u.
CK_INLINE float CK(gelu_tanh_value)(float x) {
  const float u = x * (0x1.988454p+0f + 0x1.2444fcp-4f * x * x);  // 2 √(2/π) (x + 0.044715 x³)
  return x / (1.0f + CK(exp_value)(-u));
}
// ½x erfc(-x/√2). erfc(t) near zero from the odd series of erf (degree 13, error 2e-9); elsewhere e^(-t²) erfcx(t),
// erfcx as a polynomial of degree 7 in 1/(t + 2.5) (relative error 3e-8 for 0.95 <= t <= 12).
CK_INLINE float CK(gelu_value)(float x) {
  const float t = (x < 0 ? -x : x) * 0x1.6a09e6p-1f;
  const float s = t * t;
  float e = 0x1.4ae4c6p-14f;
  e = e * s - 0x1.a485e8p-11f;
  e = e * s + 0x1.5419f4p-8f;
  e = e * s - 0x1.b7fbb4p-6f;
  e = e * s + 0x1.ce2d20p-4f;
  e = e * s - 0x1.81273ep-2f;
  e = e * s + 0x1.20dd74p+0f;
  const float near = 1.0f - e * t;
  const float u = 1.0f / (t + 2.5f);
  float q = -0x1.21e428p+6f;
  q = q * u + 0x1.ea9758p+5f;
  q = q * u - 0x1.17cf84p-3f;
  q = q * u + 0x1.12a0aap+3f;
  q = q * u + 0x1.883b40p+1f;
  q = q * u + 0x1.6bb3fcp+0f;
  q = q * u + 0x1.20b3e6p-1f;
  q = q * u + 0x1.108e60p-18f;
  const float far = q * CK(exp_value)(-s);
  const float tail = 0.5f * x * (t < 0.96f ? near : far);  // ½x erfc(t)
  return x < 0 ? tail : x - tail;
}
