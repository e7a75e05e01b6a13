// The matrix product of linear layers: y = x wᵀ, w as the checkpoint stores it.
//
// x is packed once for all threads into panels of tile_rows rows; weights are converted while they are packed, a few
// panels of tile_columns outputs and product_depth cells at a time, so that no converted copy of the matrix exists.
// A block of x that stays in the second-level cache meets all panels of a task, each of which stays in the first.

enum {
  CK(product_depth) = 192,
  /// Outputs of one task, and rows of x between which its panels are gone through.
  CK(product_panels) = 192 / CK(tile_columns),
  CK(product_block) = 240
};

size_t CK(ck_product_columns)(int32_t set, const ck_product *job) { return CK(tile_columns); }
size_t CK(ck_product_task_columns)(int32_t set, const ck_product *job) {
  return CK(tile_columns) * CK(product_panels);
}
size_t CK(ck_product_rows)(int32_t set, const ck_product *job) { return CK(tile_rows); }
size_t CK(ck_product_packed_bytes)(int32_t set, const ck_product *job) {
  return CK(groups)(job->rows) * CK(tile_rows) * CK(steps)(job->inputs) * 4;
}
size_t CK(ck_product_scratch_bytes)(int32_t set, const ck_product *job) {
  const size_t panel = CK(tile_columns) * CK(product_depth);
  return ((CK(product_panels) + 1) * panel + CK(tile_rows) * CK(tile_columns)) * 4 + 64;
}

// n elements from column `column` of row `row` of x, whose columns may be spread over several tensors.
static void CK(product_input)(
    const ck_product *job, size_t row, size_t column, size_t n, CK(cell) *cells) {
#if defined(CK_BF16_PRODUCTS)
  uint16_t *to = (uint16_t *)cells;
  if (n % 2) to[n] = 0;
#else
  float *to = cells;
#endif
  for (size_t b = 0; b < job->blocks && n > 0; b++) {
    const size_t width = job->widths[b];
    if (column >= width) {
      column -= width;
      continue;
    }
    const size_t m = ck_min(width - column, n);
    const int32_t type = job->x[b].type;
    const char *from = ck_row(&job->x[b], row) + column * ck_size_of(type);
#if defined(CK_BF16_PRODUCTS)
    CK(load_bf16)(from, type, -1, to, m);
#else
    CK(widen)(from, type, to, m);
#endif
    to += m;
    n -= m;
    column = 0;
  }
}

void CK(ck_product_pack)(int32_t set, const ck_product *job, size_t group, void *packed) {
  CK(cell) cells[CK(tile_rows)][CK(product_depth)];
  const size_t rows = CK(tile_rows), padded = CK(groups)(job->rows) * rows, depth = CK(steps)(job->inputs);
  for (size_t s = 0; s < depth; s += CK(product_depth)) {
    const size_t steps = ck_min(depth - s, CK(product_depth));
    const size_t columns = ck_min(job->inputs - s * CK(pair), steps * CK(pair));
    CK(cell) *to = (CK(cell) *)packed + s * padded + group * rows * steps;
    for (size_t r = 0; r < rows; r++) {
      const size_t row = group * rows + r;
      if (row < job->rows) {
        CK(product_input)(job, row, s * CK(pair), columns, cells[r]);
      } else {
        memset(cells[r], 0, sizeof cells[r]);
      }
    }
    CK(interleave_tile)(cells[0], CK(product_depth), rows, steps, to);
  }
}

// One panel of weights: outputs column..<column + count, cells s..<s + steps.
static void CK(product_weights)(
    const ck_product *job, size_t column, size_t count, size_t s, size_t steps, CK(cell) *rows, float *panel) {
  const size_t size = ck_size_of(job->type), first = s * CK(pair);
  const size_t n = ck_min(job->inputs - first, steps * CK(pair));
  const size_t width = (count + CK_LANES - 1) / CK_LANES * CK_LANES;
  if (job->type == CK(cell_type) && job->held < 0 && n == steps * CK(pair)) {  // as the checkpoint stores them
    const char *from = (const char *)job->weight + (column * job->weight_ld + first) * size;
    CK(interleave)(from, (ptrdiff_t)(job->weight_ld * size), count, steps, (CK(cell) *)panel, width);
    return;
  }
  for (size_t i = 0; i < count; i++) {
    const char *from = (const char *)job->weight + ((column + i) * job->weight_ld + first) * size;
    CK(cell) *to = rows + i * CK(product_depth);
#if defined(CK_BF16_PRODUCTS)
    if (n % 2) ((uint16_t *)to)[n] = 0;
    CK(load_bf16)(from, job->type, job->held, (uint16_t *)to, n);
#else
    CK(load_float)(from, job->type, job->held, to, n);
#endif
  }
  CK(interleave)(
      (const char *)rows, CK(product_depth) * sizeof(CK(cell)), count, steps, (CK(cell) *)panel, width);
}

// Rows of one block times one panel: whole tiles straight into y, the rest through a tile on the side.
static void CK(product_tiles)(
    const CK(cell) *a, const float *panel, size_t steps, size_t rows, size_t count, int accumulate, float *y, size_t y_ld,
    float *edge) {
  const int vectors = (int)((count + CK_LANES - 1) / CK_LANES);
  const size_t step = steps * CK(tile_rows), edge_ld = (size_t)vectors * CK_LANES;
  const size_t whole = count % CK_LANES == 0 ? rows / CK(tile_rows) : 0;
  CK(tiles)(a, step, panel, steps, y, y_ld, whole, vectors, accumulate);
  for (size_t r = whole * CK(tile_rows); r < rows; r += CK(tile_rows)) {
    CK(tiles)(a + r * steps, step, panel, steps, edge, edge_ld, 1, vectors, 0);
    const size_t present = ck_min(rows - r, CK(tile_rows));
    for (size_t i = 0; i < present; i++) {
      float *to = y + (r + i) * y_ld;
      const float *from = edge + i * edge_ld;
      if (accumulate) {
        for (size_t j = 0; j < count; j++) to[j] += from[j];
      } else {
        memcpy(to, from, count * 4);
      }
    }
  }
}

void CK(ck_product_run)(
    int32_t set, const ck_product *job, const void *packed, size_t column, size_t columns, size_t row, size_t rows,
    float *y, size_t y_ld, int32_t accumulate, void *scratch) {
  const size_t padded = CK(groups)(job->rows) * CK(tile_rows), depth = CK(steps)(job->inputs);
  const size_t panel = CK(tile_columns) * CK(product_depth);
  float *panels = (float *)(((uintptr_t)scratch + 63) / 64 * 64);
  CK(cell) *cells = (CK(cell) *)(panels + CK(product_panels) * panel);
  float *edge = (float *)(cells + panel);
  if (depth == 0 && !accumulate) {
    for (size_t r = 0; r < rows; r++) memset(y + r * y_ld, 0, columns * 4);
  }
  for (size_t s = 0; s < depth; s += CK(product_depth)) {
    const size_t steps = ck_min(depth - s, CK(product_depth));
    for (size_t c = 0; c < columns; c += CK(tile_columns)) {
      const size_t count = ck_min(columns - c, CK(tile_columns));
      CK(product_weights)(job, column + c, count, s, steps, cells, panels + c / CK(tile_columns) * panel);
    }
    for (size_t r = 0; r < rows; r += CK(product_block)) {
      const CK(cell) *a = (const CK(cell) *)packed + s * padded + (row + r) * steps;
      for (size_t c = 0; c < columns; c += CK(tile_columns)) {
        CK(product_tiles)(
            a, panels + c / CK(tile_columns) * panel, steps, ck_min(rows - r, CK(product_block)),
            ck_min(columns - c, CK(tile_columns)), accumulate || s > 0, y + r * y_ld + c, y_ld, edge);
      }
    }
  }
}
