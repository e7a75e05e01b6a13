// What surrounds the matrix product of a linear layer, and the product itself when x has few rows.

void CK(ck_finish_block)(int32_t set, const ck_epilogue *job) {
  float block[ck_block], stream[ck_block];
  const float factor = job->factor;
  for (size_t row = 0; row < job->rows; row++) {
    const size_t whole = job->first_row + row;
    const float *sums = job->sums + row * job->ld;
    const float *gate = 0;
    if (job->gate) gate = job->gate + (job->batch_rows ? whole / job->batch_rows : 0) * job->gate_stride;
    const char *residual = job->residual.data ? ck_row(&job->residual, whole) : 0;
    for (size_t i = 0; i < job->columns; i += ck_block) {
      const size_t n = ck_min(job->columns - i, ck_block), column = job->first_column + i;
      const float *restrict x = sums + i;
      if (job->bias) {
        const float *restrict b = job->bias + column;
        for (size_t j = 0; j < n; j++) block[j] = x[j] * factor + b[j];
      } else {
        for (size_t j = 0; j < n; j++) block[j] = x[j] * factor;
      }
      CK(activate_block)(job->activation, block, n);
      if (gate) {
        const float *restrict g = gate + column;
        for (size_t j = 0; j < n; j++) block[j] *= g[j];
      }
      if (residual) {
        const size_t size = ck_size_of(job->residual.type);
        const float *restrict r = CK(floats)(residual + column * size, job->residual.type, stream, n);
        for (size_t j = 0; j < n; j++) block[j] += r[j];
      }
      CK(store)(block, &job->out, whole * job->out_ld + column, n);
    }
  }
}

enum { CK(stream_columns) = 512, CK(stream_rows) = 4 };

CK_INLINE void CK(dot4)(const float *restrict x, const float *restrict w, size_t n, float *restrict sums) {
  _Pragma("clang fp reassociate(on) contract(fast)")
  const float *restrict w1 = w + CK(stream_columns), *restrict w2 = w1 + CK(stream_columns);
  const float *restrict w3 = w2 + CK(stream_columns);
  float s0 = 0, s1 = 0, s2 = 0, s3 = 0;
  for (size_t i = 0; i < n; i++) {
    s0 += x[i] * w[i];
    s1 += x[i] * w1[i];
    s2 += x[i] * w2[i];
    s3 += x[i] * w3[i];
  }
  sums[0] += s0;
  sums[1] += s1;
  sums[2] += s2;
  sums[3] += s3;
}

void CK(ck_stream_product)(int32_t set, const ck_stream *job, size_t begin, size_t end) {
  float w[CK(stream_rows) * CK(stream_columns)];
  float sums[CK(stream_rows)][16];
  const size_t size = ck_size_of(job->type);
  for (size_t row = begin; row < end; row += CK(stream_rows)) {
    const size_t rows = ck_min(end - row, CK(stream_rows));
    for (size_t first = 0; first < job->rows; first += 4) {
      const size_t tokens = ck_min(job->rows - first, 4);
      memset(sums, 0, sizeof sums);
      for (size_t k = 0; k < job->inputs; k += CK(stream_columns)) {
        const size_t n = ck_min(job->inputs - k, CK(stream_columns));
        for (size_t r = 0; r < rows; r++) {
          const char *in = (const char *)job->weight + ((row + r) * job->weight_ld + k) * size;
          CK(load_float)(in, job->type, job->held, w + r * CK(stream_columns), n);
        }
        for (size_t m = 0; m < tokens; m++) CK(dot4)(job->x + (first + m) * job->x_ld + k, w, n, sums[m]);
      }
      for (size_t m = 0; m < tokens; m++) {
        for (size_t r = 0; r < rows; r++) {
          float *y = job->y + (first + m) * job->y_ld + row + r;
          const float product = job->factor * sums[m][r];
          *y = job->accumulate ? *y + product : product;
        }
      }
    }
  }
}
