// Conversions between element types.

static void CK(widen)(const void *restrict in, int32_t type, float *restrict out, size_t n) {
  switch (type) {
    case t_f64:
      for (size_t i = 0; i < n; i++) {
        double v;
        memcpy(&v, (const char *)in + i * 8, 8);
        out[i] = (float)v;
      }
      return;
    case t_f32: memcpy(out, in, n * 4); return;
    case t_f16: {
      const uint16_t *restrict x = in;
      for (size_t i = 0; i < n; i++) out[i] = CK(half_value)(x[i]);
      return;
    }
    case t_bf16: {
      const uint16_t *restrict x = in;
      for (size_t i = 0; i < n; i++) out[i] = CK(bf16_value)(x[i]);
      return;
    }
    case t_e4m3: {
      const uint8_t *restrict x = in;
      for (size_t i = 0; i < n; i++) out[i] = CK(e4m3_value)(x[i]);
      return;
    }
    case t_e5m2: {
      const uint8_t *restrict x = in;
      for (size_t i = 0; i < n; i++) out[i] = CK(e5m2_value)(x[i]);
      return;
    }
    case t_i64:
      for (size_t i = 0; i < n; i++) {
        int64_t v;
        memcpy(&v, (const char *)in + i * 8, 8);
        out[i] = (float)v;
      }
      return;
    case t_i32:
      for (size_t i = 0; i < n; i++) {
        int32_t v;
        memcpy(&v, (const char *)in + i * 4, 4);
        out[i] = (float)v;
      }
      return;
    case t_i16:
      for (size_t i = 0; i < n; i++) {
        int16_t v;
        memcpy(&v, (const char *)in + i * 2, 2);
        out[i] = (float)v;
      }
      return;
    case t_i8:
      for (size_t i = 0; i < n; i++) out[i] = ((const int8_t *)in)[i];
      return;
    case t_u8:
      for (size_t i = 0; i < n; i++) out[i] = ((const uint8_t *)in)[i];
      return;
    default:
      for (size_t i = 0; i < n; i++) out[i] = ((const uint8_t *)in)[i] != 0;
      return;
  }
}

static void CK(narrow)(const float *restrict in, uint16_t *restrict out, size_t n) {
  for (size_t i = 0; i < n; i++) out[i] = CK(bf16_bits)(in[i]);
}

/// Writes n floats as the output type.
CK_INLINE void CK(store)(const float *in, const ck_output *out, size_t at, size_t n) {
  if (out->type == t_bf16) {
    CK(narrow)(in, (uint16_t *)out->data + at, n);
  } else {
    memcpy((float *)out->data + at, in, n * 4);
  }
}

/// The n elements at `in` as floats: themselves, or converted into `buffer`.
CK_INLINE const float *CK(floats)(const void *in, int32_t type, float *buffer, size_t n) {
  if (type == t_f32) return in;
  CK(widen)(in, type, buffer, n);
  return buffer;
}

#if !defined(CK_BF16_PRODUCTS)
static void CK(hold)(float *x, int32_t held, size_t n) {
  switch (held) {
    case t_f16:
      for (size_t i = 0; i < n; i++) x[i] = CK(round_f16)(x[i]);
      return;
    case t_bf16:
      for (size_t i = 0; i < n; i++) x[i] = CK(round_bf16)(x[i]);
      return;
    case t_e4m3:
      for (size_t i = 0; i < n; i++) x[i] = CK(round_e4m3)(x[i]);
      return;
    case t_e5m2:
      for (size_t i = 0; i < n; i++) x[i] = CK(round_e5m2)(x[i]);
      return;
    default: return;
  }
}

// n elements as floats, rounded to the type `held` unless that is -1.
static void CK(load_float)(const void *in, int32_t type, int32_t held, float *out, size_t n) {
  if (held < 0) {
    CK(widen)(in, type, out, n);
    return;
  }
  for (size_t i = 0; i < n; i += ck_block) {
    const size_t m = ck_min(n - i, ck_block);
    CK(widen)((const char *)in + i * ck_size_of(type), type, out + i, m);
    CK(hold)(out + i, held, m);
  }
}

// The same as bfloat16, nearest even.
static void CK(load_bf16)(const void *in, int32_t type, int32_t held, uint16_t *out, size_t n) {
  if (type == t_bf16 && held < 0) {
    memcpy(out, in, n * 2);
    return;
  }
  if (held < 0 && (type == t_e4m3 || type == t_e5m2)) {  // exact: the upper half of the float
    const uint8_t *restrict x = in;
    uint16_t *restrict y = out;
    if (type == t_e4m3) {
      for (size_t i = 0; i < n; i++) y[i] = (uint16_t)(CK(as_bits)(CK(e4m3_value)(x[i])) >> 16);
    } else {
      for (size_t i = 0; i < n; i++) y[i] = (uint16_t)(CK(as_bits)(CK(e5m2_value)(x[i])) >> 16);
    }
    return;
  }
  float block[ck_block];
  for (size_t i = 0; i < n; i += ck_block) {
    const size_t m = ck_min(n - i, ck_block);
    const float *x = CK(floats)((const char *)in + i * ck_size_of(type), type, block, m);
    if (held >= 0) {
      if (x != block) memcpy(block, x, m * 4);
      CK(hold)(block, held, m);
      x = block;
    }
    CK(narrow)(x, out + i, m);
  }
}

void CK(ck_to_float)(int32_t set, const void *in, int32_t type, int32_t held, float *out, size_t n) {
  CK(load_float)(in, type, held, out, n);
}

void CK(ck_to_bfloat16)(int32_t set, const void *in, int32_t type, int32_t held, uint16_t *out, size_t n) {
  CK(load_bf16)(in, type, held, out, n);
}

void CK(ck_gather_to_float)(int32_t set, const void *in, int32_t type, ptrdiff_t stride, float *out, size_t n) {
  const ptrdiff_t step = stride * (ptrdiff_t)ck_size_of(type);
  const char *at = in;
  switch (type) {
    case t_f32:
      for (size_t i = 0; i < n; i++, at += step) memcpy(&out[i], at, 4);
      return;
    case t_bf16:
      for (size_t i = 0; i < n; i++, at += step) {
        uint16_t v;
        memcpy(&v, at, 2);
        out[i] = CK(bf16_value)(v);
      }
      return;
    default:
      for (size_t i = 0; i < n; i++, at += step) CK(widen)(at, type, out + i, 1);
      return;
  }
}

void CK(ck_copy_rows)(
    int32_t set, const ck_rows *x, size_t width, const ck_output *out, size_t begin, size_t end) {
  for (size_t row = begin; row < end; row++) {
    const char *in = ck_row(x, row);
    if (out->type == t_f32) {
      CK(widen)(in, x->type, (float *)out->data + row * width, width);
    } else {
      CK(load_bf16)(in, x->type, -1, (uint16_t *)out->data + row * width, width);
    }
  }
}
#endif
