// One small interface to OpenBLAS and oneDNN (C API 2 and 3), so that the rest of the program sees neither.
#pragma once
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

/// Makes the libraries single-threaded when called from this thread. Cheap after the first call on a thread.
void ck_enter_worker(void);

/// c[m, n] = alpha · a[m, k] b[n, k]ᵀ + beta · c, row-major float32, single-threaded (OpenBLAS).
void ck_sgemm_openblas(
    size_t m, size_t n, size_t k, float alpha, const float *a, size_t lda, const float *b, size_t ldb, float beta,
    float *c, size_t ldc);
/// The same through oneDNN. Returns 0 or a dnnl_status_t.
int32_t ck_sgemm_dnnl(
    size_t m, size_t n, size_t k, float alpha, const float *a, size_t lda, const float *b, size_t ldb, float beta,
    float *c, size_t ldc);

/// A compiled oneDNN operation. Immutable after creation: any number of threads may run it at once, each with its own
/// scratch memory.
typedef struct ck_primitive ck_primitive;
void ck_primitive_destroy(ck_primitive *primitive);
size_t ck_primitive_scratch_bytes(const ck_primitive *primitive);
/// Name of the implementation oneDNN chose ("brg:avx512_core_bf16").
const char *ck_primitive_implementation(const ck_primitive *primitive);
/// What a non-zero status of the functions below means.
const char *ck_status_name(int32_t status);

/// y[m, n] (+)= x[m, k] w[n, k]ᵀ: bfloat16 operands, float32 sums.
int32_t ck_matmul_create(
    int64_t m, int64_t n, int64_t k, int64_t x_ld, int64_t w_ld, int64_t y_ld, int32_t accumulate,
    ck_primitive *_Nullable *_Nonnull out);
int32_t ck_matmul_run(const ck_primitive *primitive, const void *x, const void *w, float *y, void *_Nullable scratch);

typedef struct {
  int64_t height, width, inputs;           // of the source, channels last, float32 or bfloat16
  int64_t out_height, out_width, outputs;  // of the result, float32
  int64_t kernel_height, kernel_width, stride;
  int64_t top, left, bottom, right;  // zero padding
  int32_t has_bias;
  int32_t bfloat16;  // type of source and packed kernel: 0 float32
} ck_convolution_shape;
int32_t ck_convolution_create(const ck_convolution_shape *shape, ck_primitive *_Nullable *_Nonnull out);
/// Bytes of the kernel in the layout this primitive wants.
size_t ck_convolution_kernel_bytes(const ck_primitive *primitive);
/// Whether two convolutions want their kernels in the same layout.
int32_t ck_convolution_same_kernel(const ck_primitive *a, const ck_primitive *b);
/// From float32 [out, in, kh, kw] to the primitive's layout.
int32_t ck_convolution_pack_kernel(const ck_primitive *primitive, const float *kernel, void *packed);
int32_t ck_convolution_run(
    const ck_primitive *primitive, const void *x, const void *kernel, const float *_Nullable bias, float *y,
    void *_Nullable scratch);

#pragma clang assume_nonnull end
