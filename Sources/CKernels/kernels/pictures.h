// Channel statistics and scaling of pictures, channels last.

void CK(ck_channel_moments)(
    int32_t set, const float *x, size_t pixels, size_t channels, double *mean, double *deviation, float *scratch) {
  // Blocks of pixels are summed in float around their own mean and merged in double (Chan, Golub and LeVeque 1979):
  // no cancellation when the mean is large.
  enum { run = 32 };
  float *restrict sums = scratch, *restrict squares = scratch + channels;
  for (size_t c = 0; c < channels; c++) mean[c] = deviation[c] = 0;
  double seen = 0;
  for (size_t first = 0; first < pixels; first += run) {
    const size_t n = ck_min(pixels - first, run);
    const float *block = x + first * channels;
    for (size_t c = 0; c < channels; c++) sums[c] = squares[c] = 0;
    for (size_t p = 0; p < n; p++) {
      const float *restrict row = block + p * channels;
      for (size_t c = 0; c < channels; c++) sums[c] += row[c];
    }
    const float share = 1.0f / (float)n;
    for (size_t c = 0; c < channels; c++) sums[c] *= share;
    for (size_t p = 0; p < n; p++) {
      const float *restrict row = block + p * channels;
      for (size_t c = 0; c < channels; c++) squares[c] += (row[c] - sums[c]) * (row[c] - sums[c]);
    }
    const double count = (double)n, total = seen + count, weight = count / total, cross = seen * count / total;
    for (size_t c = 0; c < channels; c++) {
      const double difference = (double)sums[c] - mean[c];
      mean[c] += difference * weight;
      deviation[c] += (double)squares[c] + difference * difference * cross;
    }
    seen = total;
  }
}

void CK(ck_scale_channels)(
    int32_t set, const float *x, size_t pixels, size_t channels, const float *factor, const float *offset,
    int32_t activation, float *out) {
  for (size_t p = 0; p < pixels; p++) {
    const float *restrict row = x + p * channels;
    float *restrict to = out + p * channels;
    const float *restrict a = factor, *restrict b = offset;
    for (size_t c = 0; c < channels; c++) to[c] = row[c] * a[c] + b[c];
    CK(activate_block)(activation, to, channels);
  }
}

void CK(ck_parametric_relu)(
    int32_t set, const float *x, size_t pixels, size_t channels, const float *slopes, float *out) {
  for (size_t p = 0; p < pixels; p++) {
    const float *restrict row = x + p * channels;
    float *restrict to = out + p * channels;
    for (size_t c = 0; c < channels; c++) to[c] = row[c] > 0 ? row[c] : slopes[c] * row[c];
  }
}
