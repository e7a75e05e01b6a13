#pragma once
#include <stddef.h>
#include <stdint.h>

/* Element types, as DType.code: 0 f64, 1 f32, 2 f16, 3 bf16, 4 e4m3fn, 5 e5m2, 6 i64, 7 i32, 8 i16, 9 i8, 10 u8, 11 bool */

/* Converts n neighbouring elements; float results round to nearest even, e4m3fn saturates, integers truncate and clamp. */
void cn_convert(const void *in, int32_t from, void *out, int32_t to, size_t n);

void cn_f16_to_f32(const uint16_t *in, float *out, size_t n);
void cn_bf16_to_f32(const uint16_t *in, float *out, size_t n);
void cn_f32_to_f16(const float *in, uint16_t *out, size_t n);
void cn_f32_to_bf16(const float *in, uint16_t *out, size_t n);
void cn_e4m3_to_f32(const uint8_t *in, float *out, size_t n);
void cn_e5m2_to_f32(const uint8_t *in, float *out, size_t n);
/* Exact: every fp8 value is a bf16 value. */
void cn_e4m3_to_bf16(const uint8_t *in, uint16_t *out, size_t n);
void cn_e5m2_to_bf16(const uint8_t *in, uint16_t *out, size_t n);
void cn_f32_to_e4m3(const float *in, uint8_t *out, size_t n);
void cn_f32_to_e5m2(const float *in, uint8_t *out, size_t n);

float cn_half_value(uint16_t bits);
uint16_t cn_half_bits(float value);

/* Stochastic rounding to fp8 in float16 arithmetic, every step rounded (families-sd3-aura.md section 15).
   uniform: one number in [0, 1) per element that is a float16 value. mantissa_bits 3: e4m3fn, 2: e5m2. */
void cn_round_fp8_stochastic(const float *in, const float *uniform, uint8_t *out, size_t n, int mantissa_bits);
