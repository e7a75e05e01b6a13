// Chooses the instruction set of every kernel.
#include "include/ckernels.h"

int32_t ck_detected_instruction_set(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const int wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                   __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  const int fused = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                    __builtin_cpu_supports("f16c") && __builtin_cpu_supports("bmi") &&
                    __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("lzcnt") &&
                    __builtin_cpu_supports("popcnt");
  if (wide && fused) return __builtin_cpu_supports("avx512bf16") ? ck_avx512_bf16 : ck_avx512;
  if (fused) return ck_avx2;
#endif
  return ck_baseline;
}

#if defined(__x86_64__)
#define DISPATCH(result, name, parameters, arguments) \
  result name##_baseline parameters;                  \
  result name##_avx2 parameters;                      \
  result name##_avx512 parameters;                    \
  result name parameters {                            \
    switch (set) {                                    \
      case ck_baseline: return name##_baseline arguments; \
      case ck_avx2: return name##_avx2 arguments;     \
      default: return name##_avx512 arguments;        \
    }                                                 \
  }
#define DISPATCH_BF16(result, name, parameters, arguments)                            \
  result name##_baseline parameters;                                                  \
  result name##_avx2 parameters;                                                      \
  result name##_avx512 parameters;                                                    \
  result name##_avx512_bf16 parameters;                                               \
  result name parameters {                                                            \
    if (set == ck_avx512_bf16 && job->use_bfloat16) return name##_avx512_bf16 arguments; \
    switch (set) {                                                                    \
      case ck_baseline: return name##_baseline arguments;                             \
      case ck_avx2: return name##_avx2 arguments;                                     \
      default: return name##_avx512 arguments;                                        \
    }                                                                                 \
  }
#else
#define DISPATCH(result, name, parameters, arguments) \
  result name##_baseline parameters;                  \
  result name parameters { return name##_baseline arguments; }
#define DISPATCH_BF16 DISPATCH
#endif

#pragma clang assume_nonnull begin

DISPATCH(
    void, ck_to_float,
    (int32_t set, const void *in, int32_t type, int32_t held, float *out, size_t n),
    (set, in, type, held, out, n))
DISPATCH(
    void, ck_to_bfloat16,
    (int32_t set, const void *in, int32_t type, int32_t held, uint16_t *out, size_t n),
    (set, in, type, held, out, n))
DISPATCH(
    void, ck_gather_to_float,
    (int32_t set, const void *in, int32_t type, ptrdiff_t stride, float *out, size_t n),
    (set, in, type, stride, out, n))
DISPATCH(
    void, ck_copy_rows,
    (int32_t set, const ck_rows *x, size_t width, const ck_output *out, size_t begin, size_t end),
    (set, x, width, out, begin, end))
DISPATCH(
    void, ck_norm_rows, (int32_t set, const ck_norm *job, size_t begin, size_t end), (set, job, begin, end))
DISPATCH(
    void, ck_join_heads, (int32_t set, const ck_heads *job, size_t begin, size_t end), (set, job, begin, end))
DISPATCH(
    void, ck_activate,
    (int32_t set, int32_t activation, const void *in, int32_t type, void *out, int32_t out_type, size_t n),
    (set, activation, in, type, out, out_type, n))
DISPATCH(
    void, ck_gated,
    (int32_t set, int32_t activation, const void *gate, int32_t gate_type, const void *up, int32_t up_type, void *out,
     int32_t out_type, size_t n),
    (set, activation, gate, gate_type, up, up_type, out, out_type, n))
DISPATCH(
    void, ck_binary,
    (int32_t set, int32_t operation, const void *a, int32_t a_type, const void *b, int32_t b_type, int32_t b_stride,
     float *out, size_t n),
    (set, operation, a, a_type, b, b_type, b_stride, out, n))
DISPATCH(void, ck_finish_block, (int32_t set, const ck_epilogue *job), (set, job))
DISPATCH(
    void, ck_stream_product, (int32_t set, const ck_stream *job, size_t begin, size_t end), (set, job, begin, end))
DISPATCH(
    void, ck_channel_moments,
    (int32_t set, const float *x, size_t pixels, size_t channels, double *mean, double *deviation, float *scratch),
    (set, x, pixels, channels, mean, deviation, scratch))
DISPATCH(
    void, ck_scale_channels,
    (int32_t set, const float *x, size_t pixels, size_t channels, const float *factor, const float *offset,
     int32_t activation, float *out),
    (set, x, pixels, channels, factor, offset, activation, out))
DISPATCH(
    void, ck_parametric_relu,
    (int32_t set, const float *x, size_t pixels, size_t channels, const float *slopes, float *out),
    (set, x, pixels, channels, slopes, out))

DISPATCH(size_t, ck_product_columns, (int32_t set, const ck_product *job), (set, job))
DISPATCH(size_t, ck_product_task_columns, (int32_t set, const ck_product *job), (set, job))
DISPATCH(size_t, ck_product_rows, (int32_t set, const ck_product *job), (set, job))
DISPATCH(size_t, ck_product_packed_bytes, (int32_t set, const ck_product *job), (set, job))
DISPATCH(size_t, ck_product_scratch_bytes, (int32_t set, const ck_product *job), (set, job))
DISPATCH(
    void, ck_product_pack, (int32_t set, const ck_product *job, size_t group, void *packed),
    (set, job, group, packed))
DISPATCH(
    void, ck_product_run,
    (int32_t set, const ck_product *job, const void *packed, size_t column, size_t columns, size_t row, size_t rows,
     float *y, size_t y_ld, int32_t accumulate, void *scratch),
    (set, job, packed, column, columns, row, rows, y, y_ld, accumulate, scratch))

DISPATCH_BF16(size_t, ck_attention_panel_bytes, (int32_t set, const ck_attention *job), (set, job))
DISPATCH_BF16(size_t, ck_attention_key_blocks, (int32_t set, const ck_attention *job), (set, job))
DISPATCH_BF16(size_t, ck_attention_query_blocks, (int32_t set, const ck_attention *job), (set, job))
DISPATCH_BF16(size_t, ck_attention_scratch_bytes, (int32_t set, const ck_attention *job), (set, job))
DISPATCH_BF16(
    void, ck_attention_pack,
    (int32_t set, const ck_attention *job, size_t head, size_t block, void *panels),
    (set, job, head, block, panels))
DISPATCH_BF16(
    void, ck_attention_run,
    (int32_t set, const ck_attention *job, size_t head, size_t block, const void *panels, void *scratch),
    (set, job, head, block, panels, scratch))

#pragma clang assume_nonnull end
