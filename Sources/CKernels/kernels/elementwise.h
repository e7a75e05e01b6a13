// Element-by-element operations on runs of neighbours.

void CK(ck_activate)(
    int32_t set, int32_t activation, const void *in, int32_t type, void *out, int32_t out_type, size_t n) {
  float block[ck_block];
  const size_t size = ck_size_of(type);
  const ck_output target = {out, out_type};
  for (size_t i = 0; i < n; i += ck_block) {
    const size_t m = ck_min(n - i, ck_block);
    CK(widen)((const char *)in + i * size, type, block, m);
    CK(activate_block)(activation, block, m);
    CK(store)(block, &target, i, m);
  }
}

void CK(ck_gated)(
    int32_t set, int32_t activation, const void *gate, int32_t gate_type, const void *up, int32_t up_type, void *out,
    int32_t out_type, size_t n) {
  float block[ck_block], factor[ck_block];
  const ck_output target = {out, out_type};
  for (size_t i = 0; i < n; i += ck_block) {
    const size_t m = ck_min(n - i, ck_block);
    CK(widen)((const char *)gate + i * ck_size_of(gate_type), gate_type, block, m);
    CK(activate_block)(activation, block, m);
    const float *restrict u = CK(floats)((const char *)up + i * ck_size_of(up_type), up_type, factor, m);
    for (size_t j = 0; j < m; j++) block[j] *= u[j];
    CK(store)(block, &target, i, m);
  }
}

void CK(ck_binary)(
    int32_t set, int32_t operation, const void *a, int32_t a_type, const void *b, int32_t b_type, int32_t b_stride,
    float *out, size_t n) {
  float left[ck_block], right[ck_block], one = 0;
  if (!b_stride && n) CK(widen)(b, b_type, &one, 1);
  for (size_t i = 0; i < n; i += ck_block) {
    const size_t m = ck_min(n - i, ck_block);
    const float *restrict x = CK(floats)((const char *)a + i * ck_size_of(a_type), a_type, left, m);
    float *restrict y = out + i;
    if (!b_stride) {
      if (operation == ck_add) {
        for (size_t j = 0; j < m; j++) y[j] = x[j] + one;
      } else {
        for (size_t j = 0; j < m; j++) y[j] = x[j] * one;
      }
      continue;
    }
    const float *restrict z = CK(floats)((const char *)b + i * ck_size_of(b_type), b_type, right, m);
    if (operation == ck_add) {
      for (size_t j = 0; j < m; j++) y[j] = x[j] + z[j];
    } else {
      for (size_t j = 0; j < m; j++) y[j] = x[j] * z[j];
    }
  }
}
