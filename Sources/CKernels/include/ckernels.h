// The numeric loops of the CPU backend.
//
// Every `ck_` function below exists once per instruction set (see `instruction_sets.h`); the first parameter chooses.
// Element types are DType.code: 0 f64, 1 f32, 2 f16, 3 bf16, 4 e4m3fn, 5 e5m2, 6 i64, 7 i32, 8 i16, 9 i8, 10 u8,
// 11 bool. Sizes and strides count elements. Results are float32 (1) or bfloat16 (3). Nothing here checks bounds:
// the Swift callers do.
#pragma once
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

// --- Instruction sets -----------------------------------------------------------------------------------------------

enum { ck_baseline = 0, ck_avx2 = 1, ck_avx512 = 2, ck_avx512_bf16 = 3 };
/// The best set this processor and operating system support.
int32_t ck_detected_instruction_set(void);

// --- Conversions ----------------------------------------------------------------------------------------------------

/// n neighbouring elements of any type as float32, first rounded to the type `held` (nearest even, fp8 saturating);
/// `held` = -1: not rounded.
void ck_to_float(int32_t set, const void *in, int32_t type, int32_t held, float *out, size_t n);
/// The same as bfloat16 (nearest even after the rounding to `held`).
void ck_to_bfloat16(int32_t set, const void *in, int32_t type, int32_t held, uint16_t *out, size_t n);
/// n elements `stride` apart as float32.
void ck_gather_to_float(int32_t set, const void *in, int32_t type, ptrdiff_t stride, float *out, size_t n);

// --- Rows -----------------------------------------------------------------------------------------------------------

/// Rows of a tensor whose leading axes are folded into two: row r starts at
/// (r / inner) · outer_stride + (r % inner) · inner_stride.
typedef struct {
  const void *_Nullable data;
  int32_t type;
  size_t inner;
  ptrdiff_t outer_stride, inner_stride;
} ck_rows;

/// Where contiguous rows of float32 or bfloat16 are written.
typedef struct {
  void *_Nullable data;
  int32_t type;
} ck_output;

/// rows begin..<end of x (any type) as contiguous rows of the output type.
void ck_copy_rows(int32_t set, const ck_rows *x, size_t width, const ck_output *out, size_t begin, size_t end);

typedef struct {
  ck_rows x;
  size_t width;
  const float *_Nullable weight;
  const float *_Nullable bias;
  /// Per batch item, batch_rows rows share one; 0 strides repeat the same vector. float32, rows of `width`.
  const float *_Nullable scale;
  const float *_Nullable shift;
  size_t batch_rows;
  float epsilon;
  /// 1: root mean square only, 0: mean and variance.
  int32_t root_mean_square;
  ck_output out;
} ck_norm;
/// Layer norm or RMS norm of rows begin..<end, then weight and bias, then x · (1 + scale) + shift.
void ck_norm_rows(int32_t set, const ck_norm *job, size_t begin, size_t end);

typedef struct {
  ck_rows x;
  size_t heads, width;  // width of one head
  const float *_Nullable norm;
  float epsilon;
  /// float32 [tokens, width/2], null: no rotation. Row t of the result uses row t of the tables.
  const float *_Nullable cosine;
  const float *_Nullable sine;
  int32_t halves;
  /// Token of the result at which this part starts, and the tokens of this part and of the result.
  size_t first_token, part_tokens, result_tokens;
  ck_output out;
} ck_heads;
/// Rows begin..<end (batch · part_tokens of them) of one part: RMS norm and rotation per head.
void ck_join_heads(int32_t set, const ck_heads *job, size_t begin, size_t end);

// --- Element by element ---------------------------------------------------------------------------------------------

enum { ck_identity = 0, ck_silu = 1, ck_gelu_tanh = 2, ck_gelu = 3, ck_quick_gelu = 4, ck_relu = 5, ck_leaky_relu = 6 };
/// The activation of n elements, float32 or bfloat16 in and out. In place is allowed for equal types.
void ck_activate(int32_t set, int32_t activation, const void *in, int32_t type, void *out, int32_t out_type, size_t n);
/// activation(gate) · up.
void ck_gated(
    int32_t set, int32_t activation, const void *gate, int32_t gate_type, const void *up, int32_t up_type, void *out,
    int32_t out_type, size_t n);

enum { ck_add = 0, ck_multiply = 1 };
/// out[i] = a[i] ∘ b[i · b_stride], b_stride 0 or 1, float32 result.
void ck_binary(
    int32_t set, int32_t operation, const void *a, int32_t a_type, const void *b, int32_t b_type, int32_t b_stride,
    float *out, size_t n);

// --- Linear layers --------------------------------------------------------------------------------------------------

typedef struct {
  /// Sums, row m at m · ld; changed in place when `out` is the same memory.
  float *sums;
  size_t ld;
  size_t rows, columns;
  float factor;
  const float *_Nullable bias;
  int32_t activation;
  /// The first row of this block within the whole result, for residual and gate.
  size_t first_row, first_column;
  ck_rows residual;
  const float *_Nullable gate;
  size_t gate_stride, batch_rows;
  /// The whole result: rows of out_ld elements.
  ck_output out;
  size_t out_ld;
} ck_epilogue;
/// out = residual + gate · activation(factor · sums + bias) for one block of a linear layer's result.
void ck_finish_block(int32_t set, const ck_epilogue *job);

typedef struct {
  const float *x;  // [rows, inputs], contiguous
  size_t rows, inputs, x_ld;
  const void *weight;
  int32_t type, held;
  size_t weight_ld;
  float *y;  // [rows, …], y_ld apart
  size_t y_ld;
  int32_t accumulate;
  float factor;
} ck_stream;
/// y[m, n] (+)= factor · Σ x[m, k] w[n, k] for the weight rows begin..<end, for few rows of x: reads each weight once.
void ck_stream_product(int32_t set, const ck_stream *job, size_t begin, size_t end);

enum { ck_largest_block_count = 8 };
typedef struct {
  /// x, its columns spread over `blocks` tensors of these widths, which sum to `inputs`.
  ck_rows x[ck_largest_block_count];
  size_t widths[ck_largest_block_count];
  size_t blocks, rows, inputs;
  const void *_Nullable weight;
  int32_t type, held;
  /// Rows of the weight, and elements between them.
  size_t outputs, weight_ld;
} ck_product;
/// Outputs and rows that one tile computes: tasks should be multiples. And the outputs of the largest task.
size_t ck_product_columns(int32_t set, const ck_product *job);
size_t ck_product_task_columns(int32_t set, const ck_product *job);
size_t ck_product_rows(int32_t set, const ck_product *job);
/// Bytes of all packed rows, and of scratch for one call of ck_product_run.
size_t ck_product_packed_bytes(int32_t set, const ck_product *job);
size_t ck_product_scratch_bytes(int32_t set, const ck_product *job);
/// Packs rows group · ck_product_rows… of x.
void ck_product_pack(int32_t set, const ck_product *job, size_t group, void *packed);
/// y[m, n] (+)= Σ x[row + m, k] w[column + n, k]; `row` is a multiple of ck_product_rows, columns at most
/// ck_product_task_columns.
void ck_product_run(
    int32_t set, const ck_product *job, const void *packed, size_t column, size_t columns, size_t row, size_t rows,
    float *y, size_t y_ld, int32_t accumulate, void *scratch);

// --- Attention ------------------------------------------------------------------------------------------------------

typedef struct {
  ck_rows q, k, v;  // inner = tokens of the batch item
  size_t batch, heads, width, queries, keys;
  float scale;
  /// 0 none, 1 causal, 2 additive
  int32_t mask;
  const float *_Nullable additive;
  ptrdiff_t additive_batch, additive_head, additive_query;  // strides; keys are neighbours
  ck_output out;
  /// 1: operands of the products are rounded to bfloat16 (only with ck_avx512_bf16).
  int32_t use_bfloat16;
} ck_attention;
/// Bytes of packed keys and values of one head.
size_t ck_attention_panel_bytes(int32_t set, const ck_attention *job);
/// Key blocks of one head: the units of ck_attention_pack.
size_t ck_attention_key_blocks(int32_t set, const ck_attention *job);
/// Query blocks of one head: the units of ck_attention_run.
size_t ck_attention_query_blocks(int32_t set, const ck_attention *job);
/// Bytes of scratch for one call of ck_attention_run.
size_t ck_attention_scratch_bytes(int32_t set, const ck_attention *job);
/// Packs key block `block` of head `head` (of batch · heads) into that head's panels, 64-byte aligned.
void ck_attention_pack(int32_t set, const ck_attention *job, size_t head, size_t block, void *panels);
/// The outputs of query block `block` of one head.
void ck_attention_run(
    int32_t set, const ck_attention *job, size_t head, size_t block, const void *panels, void *scratch);

// --- Pictures -------------------------------------------------------------------------------------------------------

/// Statistics of a run of pixels per channel: count pixels, then mean and summed squared deviation.
/// x float32 [pixels, channels]; mean and deviation are double [channels] and are overwritten.
void ck_channel_moments(
    int32_t set, const float *x, size_t pixels, size_t channels, double *mean, double *deviation, float *scratch);
/// out = activation(x · factor + offset), factor and offset per channel.
void ck_scale_channels(
    int32_t set, const float *x, size_t pixels, size_t channels, const float *factor, const float *offset,
    int32_t activation, float *out);
/// out = max(x, 0) + slope · min(x, 0), a slope per channel.
void ck_parametric_relu(
    int32_t set, const float *x, size_t pixels, size_t channels, const float *slopes, float *out);

#pragma clang assume_nonnull end

#include "ckernels_libraries.h"
