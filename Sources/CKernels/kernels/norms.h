// Layer norm and RMS norm of rows, with modulation. Two passes over a row for the variance: rows stay in the cache.

CK_INLINE float CK(sum)(const float *restrict x, size_t n) {
  _Pragma("clang fp reassociate(on)")
  float s = 0;
  for (size_t i = 0; i < n; i++) s += x[i];
  return s;
}
CK_INLINE float CK(sum_squares)(const float *restrict x, float centre, size_t n) {
  _Pragma("clang fp reassociate(on) contract(fast)")
  float s = 0;
  for (size_t i = 0; i < n; i++) s += (x[i] - centre) * (x[i] - centre);
  return s;
}

static void CK(norm_block)(
    const ck_norm *job, const float *restrict x, size_t at, size_t n, float mean, float factor,
    const float *scale, const float *shift, float *restrict y) {
  for (size_t i = 0; i < n; i++) y[i] = (x[i] - mean) * factor;
  if (job->weight) {
    const float *restrict w = job->weight + at;
    for (size_t i = 0; i < n; i++) y[i] *= w[i];
  }
  if (job->bias) {
    const float *restrict b = job->bias + at;
    for (size_t i = 0; i < n; i++) y[i] += b[i];
  }
  if (scale) {
    const float *restrict s = scale + at;
    for (size_t i = 0; i < n; i++) y[i] *= 1.0f + s[i];
  }
  if (shift) {
    const float *restrict s = shift + at;
    for (size_t i = 0; i < n; i++) y[i] += s[i];
  }
}

void CK(ck_norm_rows)(int32_t set, const ck_norm *job, size_t begin, size_t end) {
  float in[ck_block], block[ck_block];
  const size_t width = job->width, size = ck_size_of(job->x.type);
  for (size_t row = begin; row < end; row++) {
    const char *x = ck_row(&job->x, row);
    float mean = 0;
    if (!job->root_mean_square) {
      double total = 0;
      for (size_t i = 0; i < width; i += ck_block) {
        const size_t n = ck_min(width - i, ck_block);
        total += CK(sum)(CK(floats)(x + i * size, job->x.type, in, n), n);
      }
      mean = (float)(total / (double)width);
    }
    double squares = 0;
    for (size_t i = 0; i < width; i += ck_block) {
      const size_t n = ck_min(width - i, ck_block);
      squares += CK(sum_squares)(CK(floats)(x + i * size, job->x.type, in, n), mean, n);
    }
    const float factor = (float)(1.0 / sqrt(squares / (double)width + (double)job->epsilon));
    const size_t item = job->batch_rows ? row / job->batch_rows : 0;
    const float *scale = job->scale ? job->scale + item * width : 0;
    const float *shift = job->shift ? job->shift + item * width : 0;
    for (size_t i = 0; i < width; i += ck_block) {
      const size_t n = ck_min(width - i, ck_block);
      const float *values = CK(floats)(x + i * size, job->x.type, in, n);
      float *y = job->out.type == t_f32 ? (float *)job->out.data + row * width + i : block;
      CK(norm_block)(job, values, i, n, mean, factor, scale, shift, y);
      if (y == block) CK(narrow)(block, (uint16_t *)job->out.data + row * width + i, n);
    }
  }
}
