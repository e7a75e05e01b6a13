// Cutting projections into heads: RMS norm per head and rotary positions.

CK_INLINE void CK(rotate)(
    const ck_heads *job, size_t token, const float *restrict x, float *restrict y) {
  const size_t half = job->width / 2;
  const float *restrict c = job->cosine + token * half;
  const float *restrict s = job->sine + token * half;
  if (job->halves) {
    for (size_t j = 0; j < half; j++) {
      const float a = x[j], b = x[j + half];
      y[j] = a * c[j] - b * s[j];
      y[j + half] = a * s[j] + b * c[j];
    }
  } else {
    for (size_t j = 0; j < half; j++) {
      const float a = x[2 * j], b = x[2 * j + 1];
      y[2 * j] = a * c[j] - b * s[j];
      y[2 * j + 1] = a * s[j] + b * c[j];
    }
  }
}

void CK(ck_join_heads)(int32_t set, const ck_heads *job, size_t begin, size_t end) {
  float in[ck_block], normed[ck_block], rotated[ck_block];
  const size_t d = job->width, size = ck_size_of(job->x.type), row_width = job->heads * d;
  for (size_t row = begin; row < end; row++) {
    const char *x = ck_row(&job->x, row);
    const size_t item = row / job->part_tokens, token = job->first_token + row % job->part_tokens;
    const size_t to = (item * job->result_tokens + token) * row_width;
    for (size_t head = 0; head < job->heads; head++) {
      const float *values = CK(floats)(x + head * d * size, job->x.type, in, d);
      if (job->norm) {
        const float mean = CK(sum_squares)(values, 0, d) / (float)d;
        const float factor = 1.0f / sqrtf(mean + job->epsilon);
        const float *restrict w = job->norm;
        for (size_t i = 0; i < d; i++) normed[i] = values[i] * factor * w[i];
        values = normed;
      }
      if (job->cosine) {
        CK(rotate)(job, token, values, rotated);
        values = rotated;
      }
      CK(store)(values, &job->out, to + head * d, d);
    }
  }
}
