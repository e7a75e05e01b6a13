// Activations of a block of floats, in place.

static void CK(activate_block)(int32_t activation, float *x, size_t n) {
  switch (activation) {
    case ck_silu:
      for (size_t i = 0; i < n; i++) x[i] = CK(silu_value)(x[i]);
      return;
    case ck_gelu_tanh:
      for (size_t i = 0; i < n; i++) x[i] = CK(gelu_tanh_value)(x[i]);
      return;
    case ck_gelu:
      for (size_t i = 0; i < n; i++) x[i] = CK(gelu_value)(x[i]);
      return;
    case ck_quick_gelu:
      for (size_t i = 0; i < n; i++) x[i] = CK(quick_gelu_value)(x[i]);
      return;
    case ck_relu:
      for (size_t i = 0; i < n; i++) x[i] = x[i] < 0 ? 0 : x[i];
      return;
    case ck_leaky_relu:
      for (size_t i = 0; i < n; i++) x[i] = x[i] > 0 ? x[i] : 0.2f * x[i];
      return;
    default: return;
  }
}
