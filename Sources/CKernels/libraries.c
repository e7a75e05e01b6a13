// OpenBLAS and oneDNN behind ckernels_libraries.h. oneDNN's C API changed between versions 2 and 3: memory
// descriptors became opaque and operation descriptors were merged into the creation of primitive descriptors.
// The handful of functions at the top hide the difference.
#define _GNU_SOURCE  // RTLD_DEFAULT
#include "include/ckernels_libraries.h"

#include <cblas.h>
#include <dlfcn.h>
#include <oneapi/dnnl/dnnl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

// --- Threads --------------------------------------------------------------------------------------------------------

// Not in every cblas.h.
void openblas_set_num_threads(int threads);

static void (*set_openmp_threads)(int);
static pthread_once_t libraries_once = PTHREAD_ONCE_INIT;

static void prepare_libraries(void) {
  openblas_set_num_threads(1);
  // oneDNN is usually built with GNU OpenMP, whose thread count belongs to the calling thread. Looked up, not linked:
  // other builds bring another runtime.
  *(void **)&set_openmp_threads = dlsym(RTLD_DEFAULT, "omp_set_num_threads");
}

void ck_enter_worker(void) {
  static __thread int entered = 0;
  if (entered) return;
  entered = 1;
  pthread_once(&libraries_once, prepare_libraries);
  if (set_openmp_threads) set_openmp_threads(1);
}

// --- float32 products -----------------------------------------------------------------------------------------------

void ck_sgemm_openblas(
    size_t m, size_t n, size_t k, float alpha, const float *a, size_t lda, const float *b, size_t ldb, float beta,
    float *c, size_t ldc) {
  cblas_sgemm(
      CblasRowMajor, CblasNoTrans, CblasTrans, (blasint)m, (blasint)n, (blasint)k, alpha, a, (blasint)lda, b,
      (blasint)ldb, beta, c, (blasint)ldc);
}

int32_t ck_sgemm_dnnl(
    size_t m, size_t n, size_t k, float alpha, const float *a, size_t lda, const float *b, size_t ldb, float beta,
    float *c, size_t ldc) {
  return (int32_t)dnnl_sgemm(
      'N', 'T', (dnnl_dim_t)m, (dnnl_dim_t)n, (dnnl_dim_t)k, alpha, a, (dnnl_dim_t)lda, b, (dnnl_dim_t)ldb, beta, c,
      (dnnl_dim_t)ldc);
}

// --- The two versions of the C API ----------------------------------------------------------------------------------

#if DNNL_VERSION_MAJOR >= 3
typedef const_dnnl_memory_desc_t layout_ref;
typedef dnnl_memory_desc_t layout;
#define REF(md) (md)

static dnnl_status_t make_layout(
    layout *out, int ndims, const dnnl_dims_t dims, dnnl_data_type_t type, const dnnl_dims_t strides) {
  if (strides) return dnnl_memory_desc_create_with_strides(out, ndims, dims, type, strides);
  return dnnl_memory_desc_create_with_tag(out, ndims, dims, type, dnnl_format_tag_any);
}
static void drop_layout(layout *md) {
  if (*md) dnnl_memory_desc_destroy(*md);
}
static dnnl_status_t append_sum(dnnl_post_ops_t operations) {
  return dnnl_post_ops_append_sum(operations, 1.0f, 0, dnnl_data_type_undef);
}
static dnnl_status_t describe_matmul(
    dnnl_primitive_desc_t *out, dnnl_engine_t engine, layout *x, layout *w, layout *y, dnnl_primitive_attr_t attr) {
  return dnnl_matmul_primitive_desc_create(out, engine, *x, *w, NULL, *y, attr);
}
static dnnl_status_t describe_convolution(
    dnnl_primitive_desc_t *out, dnnl_engine_t engine, layout *x, layout *w, layout *bias, layout *y,
    const dnnl_dims_t strides, const dnnl_dims_t before, const dnnl_dims_t after, dnnl_primitive_attr_t attr) {
  const dnnl_dims_t dilation = {0, 0};
  return dnnl_convolution_forward_primitive_desc_create(
      out, engine, dnnl_forward_inference, dnnl_convolution_direct, *x, *w, bias ? *bias : NULL, *y, strides, dilation,
      before, after, attr);
}
#else
typedef const dnnl_memory_desc_t *layout_ref;
typedef dnnl_memory_desc_t layout;
#define REF(md) (&(md))

static dnnl_status_t make_layout(
    layout *out, int ndims, const dnnl_dims_t dims, dnnl_data_type_t type, const dnnl_dims_t strides) {
  if (strides) return dnnl_memory_desc_init_by_strides(out, ndims, dims, type, strides);
  return dnnl_memory_desc_init_by_tag(out, ndims, dims, type, dnnl_format_tag_any);
}
static void drop_layout(layout *md) { (void)md; }
static dnnl_status_t append_sum(dnnl_post_ops_t operations) { return dnnl_post_ops_append_sum(operations, 1.0f); }
static dnnl_status_t describe_matmul(
    dnnl_primitive_desc_t *out, dnnl_engine_t engine, layout *x, layout *w, layout *y, dnnl_primitive_attr_t attr) {
  dnnl_matmul_desc_t operation;
  const dnnl_status_t status = dnnl_matmul_desc_init(&operation, x, w, NULL, y);
  if (status != dnnl_success) return status;
  return dnnl_primitive_desc_create(out, &operation, attr, engine, NULL);
}
static dnnl_status_t describe_convolution(
    dnnl_primitive_desc_t *out, dnnl_engine_t engine, layout *x, layout *w, layout *bias, layout *y,
    const dnnl_dims_t strides, const dnnl_dims_t before, const dnnl_dims_t after, dnnl_primitive_attr_t attr) {
  dnnl_convolution_desc_t operation;
  const dnnl_status_t status = dnnl_convolution_forward_desc_init(
      &operation, dnnl_forward_inference, dnnl_convolution_direct, x, w, bias, y, strides, before, after);
  if (status != dnnl_success) return status;
  return dnnl_primitive_desc_create(out, &operation, attr, engine, NULL);
}
#endif

// --- Primitives -----------------------------------------------------------------------------------------------------

struct ck_primitive {
  dnnl_primitive_t primitive;
  // Layouts of the operands belong to the primitive descriptor, which lives as long as the primitive.
  dnnl_primitive_desc_t description;
  layout_ref x, w, y, bias, scratch;
  int64_t kernel_dims[4];
};

static dnnl_engine_t engine;
static dnnl_status_t engine_status;
static pthread_once_t engine_once = PTHREAD_ONCE_INIT;
static void make_engine(void) { engine_status = dnnl_engine_create(&engine, dnnl_cpu, 0); }

static dnnl_status_t ready(void) {
  ck_enter_worker();
  pthread_once(&engine_once, make_engine);
  return engine_status;
}

const char *ck_status_name(int32_t status) {
  switch ((dnnl_status_t)status) {
    case dnnl_success: return "success";
    case dnnl_out_of_memory: return "out of memory";
    case dnnl_invalid_arguments: return "invalid arguments";
    case dnnl_unimplemented: return "unimplemented";
    case dnnl_runtime_error: return "runtime error";
    default: return "unknown error";
  }
}

void ck_primitive_destroy(ck_primitive *primitive) {
  if (!primitive) return;
  if (primitive->primitive) dnnl_primitive_destroy(primitive->primitive);
  if (primitive->description) dnnl_primitive_desc_destroy(primitive->description);
  free(primitive);
}

size_t ck_primitive_scratch_bytes(const ck_primitive *primitive) {
  return primitive->scratch ? dnnl_memory_desc_get_size(primitive->scratch) : 0;
}

const char *ck_primitive_implementation(const ck_primitive *primitive) {
  const char *name = NULL;
  dnnl_primitive_desc_query(primitive->description, dnnl_query_impl_info_str, 0, (void *)&name);
  return name ? name : "unknown";
}

// Scratch memory is ours, so that one primitive can run on several threads.
static dnnl_status_t make_attributes(dnnl_primitive_attr_t *out, int accumulate) {
  dnnl_status_t status = dnnl_primitive_attr_create(out);
  if (status == dnnl_success) status = dnnl_primitive_attr_set_scratchpad_mode(*out, dnnl_scratchpad_mode_user);
  if (status != dnnl_success || !accumulate) return status;
  dnnl_post_ops_t operations = NULL;
  status = dnnl_post_ops_create(&operations);
  if (status == dnnl_success) status = append_sum(operations);
  if (status == dnnl_success) status = dnnl_primitive_attr_set_post_ops(*out, operations);
  if (operations) dnnl_post_ops_destroy(operations);
  return status;
}

static int32_t finish(ck_primitive *made, dnnl_status_t status, ck_primitive **out) {
  if (status == dnnl_success) status = dnnl_primitive_create(&made->primitive, made->description);
  if (status != dnnl_success) {
    ck_primitive_destroy(made);
    return (int32_t)status;
  }
  made->x = dnnl_primitive_desc_query_md(made->description, dnnl_query_src_md, 0);
  made->w = dnnl_primitive_desc_query_md(made->description, dnnl_query_weights_md, 0);
  made->bias = dnnl_primitive_desc_query_md(made->description, dnnl_query_weights_md, 1);
  made->y = dnnl_primitive_desc_query_md(made->description, dnnl_query_dst_md, 0);
  made->scratch = dnnl_primitive_desc_query_md(made->description, dnnl_query_scratchpad_md, 0);
  *out = made;
  return 0;
}

typedef struct {
  int argument;
  layout_ref layout;
  const void *data;
} operand;

static int32_t execute(dnnl_primitive_t primitive, const operand *operands, int count) {
  dnnl_exec_arg_t arguments[6];
  dnnl_stream_t stream = NULL;
  int made = 0;
  dnnl_status_t status = dnnl_stream_create(&stream, engine, dnnl_stream_default_flags);
  while (status == dnnl_success && made < count) {
    arguments[made].arg = operands[made].argument;
    status = dnnl_memory_create(&arguments[made].memory, operands[made].layout, engine, (void *)operands[made].data);
    if (status == dnnl_success) made++;
  }
  if (status == dnnl_success) status = dnnl_primitive_execute(primitive, stream, made, arguments);
  if (status == dnnl_success) status = dnnl_stream_wait(stream);
  for (int i = 0; i < made; i++) dnnl_memory_destroy(arguments[i].memory);
  if (stream) dnnl_stream_destroy(stream);
  return (int32_t)status;
}

int32_t ck_matmul_create(
    int64_t m, int64_t n, int64_t k, int64_t x_ld, int64_t w_ld, int64_t y_ld, int32_t accumulate,
    ck_primitive **out) {
  dnnl_status_t status = ready();
  if (status != dnnl_success) return (int32_t)status;
  ck_primitive *made = calloc(1, sizeof *made);
  if (!made) return (int32_t)dnnl_out_of_memory;
  const dnnl_dims_t x_dims = {m, k}, w_dims = {k, n}, y_dims = {m, n};
  const dnnl_dims_t x_strides = {x_ld, 1}, w_strides = {1, w_ld}, y_strides = {y_ld, 1};
  layout x, w, y;
  memset(&x, 0, sizeof x);
  memset(&w, 0, sizeof w);
  memset(&y, 0, sizeof y);
  dnnl_primitive_attr_t attributes = NULL;
  status = make_attributes(&attributes, accumulate);
  if (status == dnnl_success) status = make_layout(&x, 2, x_dims, dnnl_bf16, x_strides);
  if (status == dnnl_success) status = make_layout(&w, 2, w_dims, dnnl_bf16, w_strides);
  if (status == dnnl_success) status = make_layout(&y, 2, y_dims, dnnl_f32, y_strides);
  if (status == dnnl_success) status = describe_matmul(&made->description, engine, &x, &w, &y, attributes);
  drop_layout(&x);
  drop_layout(&w);
  drop_layout(&y);
  if (attributes) dnnl_primitive_attr_destroy(attributes);
  return finish(made, status, out);
}

int32_t ck_matmul_run(const ck_primitive *primitive, const void *x, const void *w, float *y, void *scratch) {
  const operand operands[] = {
      {DNNL_ARG_SRC, primitive->x, x},
      {DNNL_ARG_WEIGHTS, primitive->w, w},
      {DNNL_ARG_DST, primitive->y, y},
      {DNNL_ARG_SCRATCHPAD, primitive->scratch, scratch}};
  return execute(primitive->primitive, operands, ck_primitive_scratch_bytes(primitive) ? 4 : 3);
}

int32_t ck_convolution_create(const ck_convolution_shape *shape, ck_primitive **out) {
  dnnl_status_t status = ready();
  if (status != dnnl_success) return (int32_t)status;
  ck_primitive *made = calloc(1, sizeof *made);
  if (!made) return (int32_t)dnnl_out_of_memory;
  const ck_convolution_shape s = *shape;
  const dnnl_dims_t x_dims = {1, s.inputs, s.height, s.width}, y_dims = {1, s.outputs, s.out_height, s.out_width};
  const dnnl_dims_t w_dims = {s.outputs, s.inputs, s.kernel_height, s.kernel_width}, bias_dims = {s.outputs};
  const dnnl_dims_t x_strides = {s.height * s.width * s.inputs, 1, s.width * s.inputs, s.inputs};
  const dnnl_dims_t y_strides = {s.out_height * s.out_width * s.outputs, 1, s.out_width * s.outputs, s.outputs};
  const dnnl_dims_t bias_strides = {1};
  const dnnl_dims_t strides = {s.stride, s.stride}, before = {s.top, s.left}, after = {s.bottom, s.right};
  layout x, w, y, bias;
  memset(&x, 0, sizeof x);
  memset(&w, 0, sizeof w);
  memset(&y, 0, sizeof y);
  memset(&bias, 0, sizeof bias);
  memcpy(made->kernel_dims, w_dims, sizeof made->kernel_dims);
  dnnl_primitive_attr_t attributes = NULL;
  status = make_attributes(&attributes, 0);
  const dnnl_data_type_t type = s.bfloat16 ? dnnl_bf16 : dnnl_f32;
  if (status == dnnl_success) status = make_layout(&x, 4, x_dims, type, x_strides);
  if (status == dnnl_success) status = make_layout(&w, 4, w_dims, type, NULL);
  if (status == dnnl_success) status = make_layout(&y, 4, y_dims, dnnl_f32, y_strides);
  if (status == dnnl_success) status = make_layout(&bias, 1, bias_dims, dnnl_f32, bias_strides);
  if (status == dnnl_success) {
    status = describe_convolution(
        &made->description, engine, &x, &w, s.has_bias ? &bias : NULL, &y, strides, before, after, attributes);
  }
  drop_layout(&x);
  drop_layout(&w);
  drop_layout(&y);
  drop_layout(&bias);
  if (attributes) dnnl_primitive_attr_destroy(attributes);
  return finish(made, status, out);
}

size_t ck_convolution_kernel_bytes(const ck_primitive *primitive) { return dnnl_memory_desc_get_size(primitive->w); }

int32_t ck_convolution_same_kernel(const ck_primitive *a, const ck_primitive *b) {
  return dnnl_memory_desc_equal(a->w, b->w);
}

int32_t ck_convolution_pack_kernel(const ck_primitive *primitive, const float *kernel, void *packed) {
  const int64_t *d = primitive->kernel_dims;
  const dnnl_dims_t dims = {d[0], d[1], d[2], d[3]}, strides = {d[1] * d[2] * d[3], d[2] * d[3], d[3], 1};
  layout plain;
  memset(&plain, 0, sizeof plain);
  dnnl_primitive_desc_t description = NULL;
  dnnl_primitive_t reorder = NULL;
  dnnl_primitive_attr_t attributes = NULL;
  dnnl_status_t status = dnnl_primitive_attr_create(&attributes);
  if (status == dnnl_success) status = make_layout(&plain, 4, dims, dnnl_f32, strides);
  if (status == dnnl_success) {
    status = dnnl_reorder_primitive_desc_create(&description, REF(plain), engine, primitive->w, engine, attributes);
  }
  if (status == dnnl_success) status = dnnl_primitive_create(&reorder, description);
  if (status == dnnl_success) {
    const operand operands[] = {{DNNL_ARG_FROM, REF(plain), kernel}, {DNNL_ARG_TO, primitive->w, packed}};
    status = (dnnl_status_t)execute(reorder, operands, 2);
  }
  if (reorder) dnnl_primitive_destroy(reorder);
  if (description) dnnl_primitive_desc_destroy(description);
  if (attributes) dnnl_primitive_attr_destroy(attributes);
  drop_layout(&plain);
  return (int32_t)status;
}

int32_t ck_convolution_run(
    const ck_primitive *primitive, const void *x, const void *kernel, const float *bias, float *y, void *scratch) {
  operand operands[5] = {
      {DNNL_ARG_SRC, primitive->x, x}, {DNNL_ARG_WEIGHTS, primitive->w, kernel}, {DNNL_ARG_DST, primitive->y, y}};
  int count = 3;
  if (bias) operands[count++] = (operand){DNNL_ARG_BIAS, primitive->bias, bias};
  if (ck_primitive_scratch_bytes(primitive)) {
    operands[count++] = (operand){DNNL_ARG_SCRATCHPAD, primitive->scratch, scratch};
  }
  return execute(primitive->primitive, operands, count);
}
