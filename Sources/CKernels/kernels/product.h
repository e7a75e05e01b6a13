// The matrix product of linear layers: y = x wᵀ, w as the checkpoint stores it.
//
// x is packed once for all threads into panels of tile_rows rows; weights are converted while they are packed, a few
// panels of tile_columns outputs and product_depth inputs at a time, so that no converted copy of the matrix exists.
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
  return CK(groups)(job->rows) * CK(tile_rows) * job->inputs * 4;
}
size_t CK(ck_product_scratch_bytes)(int32_t set, const ck_product *job) {
  const size_t panel = CK(tile_columns) * CK(product_depth);
  return (CK(product_panels) * panel + CK(tile_rows) * CK(tile_columns)) * 4 + 64;
}

// n elements from column `column` of row `row` of x, whose columns may be spread over several tensors.
static void CK(product_input)(
    const ck_product *job, size_t row, size_t column, size_t n, float *to) {
  for (size_t b = 0; b < job->blocks && n > 0; b++) {
    const size_t width = job->widths[b];
    if (column >= width) {
      column -= width;
      continue;
    }
    const size_t m = ck_min(width - column, n);
    const int32_t type = job->x[b].type;
    const char *from = ck_row(&job->x[b], row) + column * ck_size_of(type);
    CK(widen)(from, type, to, m);
    to += m;
    n -= m;
    column = 0;
  }
}

void CK(ck_product_pack)(int32_t set, const ck_product *job, size_t group, void *packed) {
  float cells[CK(tile_rows)][CK(product_depth)];
  const size_t rows = CK(tile_rows), padded = CK(groups)(job->rows) * rows, depth = job->inputs;
  for (size_t s = 0; s < depth; s += CK(product_depth)) {
    const size_t steps = ck_min(depth - s, CK(product_depth));
    float *to = (float *)packed + s * padded + group * rows * steps;
    const char *from[CK(tile_rows)];
    for (size_t r = 0; r < rows; r++) {
      const size_t row = group * rows + r;
      from[r] = row < job->rows ? (const char *)cells[r] : 0;
      if (from[r]) CK(product_input)(job, row, s, steps, cells[r]);
    }
    CK(interleave_tile)(from, steps, to);
  }
}

// One panel of weights: outputs column..<column + count, inputs s..<s + steps; zero beyond count.
static void CK(product_weights)(
    const ck_product *job, size_t column, size_t count, size_t s, size_t steps, float *panel) {
  const size_t size = ck_size_of(job->type), width = (count + CK_LANES - 1) / CK_LANES * CK_LANES;
  float cells[CK_LANES][CK(product_depth)];
  for (size_t i = 0; i < count; i += CK_LANES) {
    const char *from[CK_LANES];
    for (size_t r = 0; r < CK_LANES; r++) {
      from[r] = 0;
      if (i + r >= count) continue;
      from[r] = (const char *)job->weight + ((column + i + r) * job->weight_ld + s) * size;
      if (job->type == t_f32 && job->held < 0) continue;
      CK(load_float)(from[r], job->type, job->held, cells[r], steps);
      from[r] = (const char *)cells[r];
    }
    CK(interleave)(from, steps, panel + i, width);
  }
}

// Weights that will be packed next, asked for a few lines at a time while tiles are computed: packing would otherwise
// wait for memory.
typedef struct {
  const char *row;
  size_t rows, row_step, bytes, at;
} CK(prefetch);

CK_INLINE void CK(prefetch_some)(CK(prefetch) *next, size_t lines) {
  for (; lines > 0 && next->rows > 0; lines--) {
    __builtin_prefetch(next->row + next->at, 0, 2);
    next->at += 64;
    if (next->at >= next->bytes) {
      next->at = 0;
      next->row += next->row_step;
      next->rows--;
    }
  }
}

// Rows of one block times one panel: whole tiles straight into y, the rest through a tile on the side.
static void CK(product_tiles)(
    const float *a, const float *panel, size_t steps, size_t rows, size_t count, int accumulate, float *y, size_t y_ld,
    float *edge, CK(prefetch) *next, size_t lines) {
  const int vectors = (int)((count + CK_LANES - 1) / CK_LANES);
  const size_t step = steps * CK(tile_rows), edge_ld = (size_t)vectors * CK_LANES;
  const size_t whole = count % CK_LANES == 0 ? rows / CK(tile_rows) * CK(tile_rows) : 0;
  for (size_t r = 0; r < rows; r += CK(tile_rows)) {
    CK(prefetch_some)(next, lines);
    if (r < whole) {
      CK(tiles)(a + r * steps, step, panel, steps, y + r * y_ld, y_ld, 1, vectors, accumulate);
      continue;
    }
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
  const size_t padded = CK(groups)(job->rows) * CK(tile_rows), depth = job->inputs;
  const size_t panel = CK(tile_columns) * CK(product_depth), size = ck_size_of(job->type);
  float *panels = (float *)(((uintptr_t)scratch + 63) / 64 * 64);
  float *edge = panels + CK(product_panels) * panel;
  if (depth == 0 && !accumulate) {
    for (size_t r = 0; r < rows; r++) memset(y + r * y_ld, 0, columns * 4);
  }
  // Blocks of rows of about equal size.
  const size_t blocks = (rows + CK(product_block) - 1) / CK(product_block);
  const size_t block = blocks == 0 ? 1 : CK(groups)((rows + blocks - 1) / blocks) * CK(tile_rows);
  const size_t tile_count =
      CK(groups)(rows) * ((columns + CK(tile_columns) - 1) / CK(tile_columns));
  for (size_t s = 0; s < depth; s += CK(product_depth)) {
    const size_t steps = ck_min(depth - s, CK(product_depth));
    for (size_t c = 0; c < columns; c += CK(tile_columns)) {
      const size_t count = ck_min(columns - c, CK(tile_columns));
      CK(product_weights)(job, column + c, count, s, steps, panels + c / CK(tile_columns) * panel);
    }
    // What comes next: the same rows further right, or the start of the rows of the next task.
    const size_t first = s + steps < depth ? (s + steps) : 0;
    const size_t next_row = first > 0 ? column : column + columns;
    CK(prefetch) next = {
        (const char *)job->weight + (next_row * job->weight_ld + first) * size,
        next_row < job->outputs ? ck_min(columns, job->outputs - next_row) : 0, job->weight_ld * size,
        ck_min(job->inputs - first, CK(product_depth)) * size, 0};
    const size_t lines = (next.rows * (next.bytes / 64 + 1) + tile_count - 1) / tile_count;
    for (size_t r = 0; r < rows; r += block) {
      const float *a = (const float *)packed + s * padded + (row + r) * steps;
      for (size_t c = 0; c < columns; c += CK(tile_columns)) {
        CK(product_tiles)(
            a, panels + c / CK(tile_columns) * panel, steps, ck_min(rows - r, block),
            ck_min(columns - c, CK(tile_columns)), accumulate || s > 0, y + r * y_ld + c, y_ld, edge, &next, lines);
      }
    }
  }
}
