// Fused attention: softmax(scale · Q Kᵀ + mask) V without a queries × keys matrix (the online softmax of Milakov and
// Gimelshein 2018, blocked as in FlashAttention).
//
// Everything is computed transposed, one query per vector lane: Sᵀ = K Qᵀ, then Oᵀ += Vᵀ Pᵀ. Maxima, sums and
// rescaling are then plain vector operations, and both products are the same small kernel: scalars of a packed panel
// (keys or values) times vectors of a block that stays in the first-level cache (queries or probabilities).
// With bfloat16 operands an element of the panels is a pair: two neighbours along the summed axis.

// Keys are worked on in blocks of about 128, a multiple of tile_rows and of a pair.
enum { CK(key_block) = 128 / CK(tile_rows) * CK(tile_rows), CK(query_block) = CK(tile_columns) };

CK_INLINE CK(vector) CK(choose)(CK(integers) condition, CK(vector) yes, CK(vector) no) {
  return (CK(vector))((condition & (CK(integers))yes) | (~condition & (CK(integers))no));
}
CK_INLINE CK(vector) CK(larger)(CK(vector) a, CK(vector) b) { return CK(choose)(a > b, a, b); }

// 2^x for x up to about 1, exactly 0 below 2^-126. Minimax polynomials on [-½, ½]: degree 6 (error 2e-9), or 4 (3e-6)
// where the result is rounded to bfloat16.
CK_INLINE CK(vector) CK(exp2_vector)(CK(vector) x) {
  const CK(vector) shifted = x + 12582912.0f;
  const CK(vector) f = x - (shifted - 12582912.0f);
#if defined(CK_BF16_PRODUCTS)
  CK(vector) p = (CK(vector))0x1.398fb6p-7f;
  p = p * f + 0x1.ca2592p-5f;
  p = p * f + 0x1.ec074cp-3f;
  p = p * f + 0x1.62e0bap-1f;
  p = p * f + 0x1.ffffe6p-1f;
#else
  CK(vector) p = (CK(vector))0x1.41ccf6p-13f;
  p = p * f + 0x1.5f4e52p-10f;
  p = p * f + 0x1.3b2ddcp-7f;
  p = p * f + 0x1.c6aec2p-5f;
  p = p * f + 0x1.ebfbdap-3f;
  p = p * f + 0x1.62e430p-1f;
  p = p * f + 1.0f;
#endif
  const CK(vector) scaled = (CK(vector))((CK(integers))p + ((CK(integers))shifted << 23));
  return CK(choose)(x < -126.0f, (CK(vector))0.0f, scaled);
}

// Cells of one key block's two panels.
CK_INLINE size_t CK(key_cells)(size_t width) { return CK(key_block) * CK(steps)(width); }
CK_INLINE size_t CK(value_cells)(size_t width) {
  return CK(groups)(width) * CK(tile_rows) * (CK(key_block) / CK(pair));
}

size_t CK(ck_attention_key_blocks)(int32_t set, const ck_attention *job) {
  return (job->keys + CK(key_block) - 1) / CK(key_block);
}
size_t CK(ck_attention_query_blocks)(int32_t set, const ck_attention *job) {
  return (job->queries + CK(query_block) - 1) / CK(query_block);
}
size_t CK(ck_attention_panel_bytes)(int32_t set, const ck_attention *job) {
  const size_t cells = CK(key_cells)(job->width) + CK(value_cells)(job->width);
  return CK(ck_attention_key_blocks)(set, job) * ((cells * 4 + 63) / 64 * 64);
}
// Queries, logits, outputs, and the mask.
size_t CK(ck_attention_scratch_bytes)(int32_t set, const ck_attention *job) {
  const size_t rows = CK(steps)(job->width) + CK(key_block) + CK(groups)(job->width) * CK(tile_rows) + CK(key_block);
  return rows * CK(query_block) * 4 + 64;
}

// The cells of one row of `width` elements: pairs, zero beyond the end.
CK_INLINE void CK(load_cells)(const char *in, int32_t type, size_t width, CK(cell) *cells) {
#if defined(CK_BF16_PRODUCTS)
  cells[CK(steps)(width) - 1] = 0;
  if (type == t_bf16) {
    memcpy(cells, in, width * 2);
  } else {
    float buffer[ck_block];
    CK(narrow)(CK(floats)(in, type, buffer, width), (uint16_t *)cells, width);
  }
#else
  CK(widen)(in, type, cells, width);
#endif
}

void CK(ck_attention_pack)(int32_t set, const ck_attention *job, size_t head, size_t block, void *panels) {
  const size_t d = job->width, dk = CK(steps)(d), rows = CK(tile_rows);
  const size_t item = head / job->heads, column = head % job->heads * d;
  const size_t first = block * CK(key_block), count = ck_min(job->keys - first, CK(key_block));
  const size_t padded = CK(groups)(count) * rows;
  const size_t block_cells = (CK(key_cells)(d) + CK(value_cells)(d) + 15) / 16 * 16;
  CK(cell) *keys = (CK(cell) *)panels + block * block_cells;
  CK(cell) *values = keys + CK(key_cells)(d);
  const size_t k_size = ck_size_of(job->k.type);
  {
    CK(cell) cells[CK(tile_rows)][ck_block];
    for (size_t key = 0; key < padded; key += rows) {
      const size_t present = ck_min(count - key, rows);
      for (size_t r = 0; r < present; r++) {
        const char *from = ck_row(&job->k, item * job->keys + first + key + r) + column * k_size;
        CK(load_cells)(from, job->k.type, d, cells[r]);
      }
      CK(interleave_tile)(cells[0], ck_block, present, dk, keys + key * dk);
    }
  }

  CK(cell) cells[ck_block];
  const size_t v_size = ck_size_of(job->v.type), dims = CK(groups)(d) * rows;
  const size_t panel = CK(key_block) / CK(pair) * rows;
#if defined(CK_BF16_PRODUCTS)
  uint32_t other[ck_block];
#endif
  for (size_t step = 0; step < padded / CK(pair); step++) {
    const size_t key = step * CK(pair);
    memset(cells, 0, dims * sizeof(CK(cell)));
    if (key < count) {
      CK(load_cells)(ck_row(&job->v, item * job->keys + first + key) + column * v_size, job->v.type, d, cells);
    }
#if defined(CK_BF16_PRODUCTS)
    memset(other, 0, dims * 2);
    if (key + 1 < count) {
      CK(load_cells)(ck_row(&job->v, item * job->keys + first + key + 1) + column * v_size, job->v.type, d, other);
    }
    const uint16_t *even = (const uint16_t *)cells, *odd = (const uint16_t *)other;
    for (size_t g = 0; g < dims / rows; g++) {
      CK(cell) *to = values + g * panel + step * rows;
      for (size_t r = 0; r < rows; r++) to[r] = even[g * rows + r] | (uint32_t)odd[g * rows + r] << 16;
    }
#else
    for (size_t g = 0; g < dims / rows; g++) memcpy(values + g * panel + step * rows, cells + g * rows, rows * 4);
#endif
  }
}

// The mask's part of a block, one query per lane, added to the scaled logits.
static void CK(add_mask)(
    const ck_attention *job, size_t head, size_t query, size_t queries, size_t key, size_t keys, int vectors,
    float *logits, float *mask) {
  const size_t lanes = (size_t)vectors * CK_LANES;
  const float *rows = job->additive + (ptrdiff_t)(head / job->heads) * job->additive_batch +
                      (ptrdiff_t)(head % job->heads) * job->additive_head;
  for (size_t q = 0; q < lanes; q++) {
    const float *row = rows + (ptrdiff_t)(query + ck_min(q, queries - 1)) * job->additive_query + key;
    for (size_t k = 0; k < keys; k++) mask[k * lanes + q] = row[k];
  }
  const float scale = job->scale < 0 ? -job->scale : job->scale;
  for (size_t i = 0; i < keys * lanes; i++) logits[i] = logits[i] * scale + mask[i];
}

static void CK(hide_later_keys)(size_t query, size_t key, size_t keys, int vectors, float *logits) {
  CK(integers) lane;
  for (int i = 0; i < CK_LANES; i++) lane[i] = i;
  CK(vector) *rows = (CK(vector) *)logits;
  for (size_t k = 0; k < keys; k++) {
    for (int v = 0; v < vectors; v++) {
      const CK(integers) at = lane + (int32_t)((ptrdiff_t)query + v * CK_LANES - (ptrdiff_t)(key + k));
      rows[k * (size_t)vectors + (size_t)v] =
          CK(choose)(at < 0, (CK(vector))(-INFINITY), rows[k * (size_t)vectors + (size_t)v]);
    }
  }
}

// Logits become probabilities (unnormalised, in place, as cells); the running maximum and sum are brought up to date.
// Returns whether the outputs so far must be multiplied by `correction`.
CK_INLINE int CK(soften)(
    float *logits, size_t keys, size_t padded, float factor, const int vectors, CK(vector) *maximum, CK(vector) *total,
    CK(vector) *correction) {
  CK(vector) *rows = (CK(vector) *)logits;
  CK(vector) top[CK_TILE_VECTORS], sum[CK_TILE_VECTORS], least[CK_TILE_VECTORS];
#pragma clang loop unroll(full)
  for (int v = 0; v < vectors; v++) top[v] = least[v] = maximum[v];
  size_t k = 0;
  for (; k + 2 <= keys; k += 2) {
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) {
      top[v] = CK(larger)(rows[k * (size_t)vectors + (size_t)v], top[v]);
      least[v] = CK(larger)(rows[(k + 1) * (size_t)vectors + (size_t)v], least[v]);
    }
  }
  if (k < keys) {
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) top[v] = CK(larger)(rows[k * (size_t)vectors + (size_t)v], top[v]);
  }
  int changed = 0;
#pragma clang loop unroll(full)
  for (int v = 0; v < vectors; v++) {
    top[v] = CK(larger)(top[v], least[v]);
    changed |= memcmp(&top[v], &maximum[v], sizeof top[v]) != 0;
    const CK(vector) before = maximum[v];
    maximum[v] = top[v];
    // A query that has seen no key yet: any finite reference gives 2^(-∞) = 0.
    top[v] = CK(choose)(top[v] == -INFINITY, (CK(vector))0.0f, top[v] * factor);
    correction[v] = CK(exp2_vector)(before * factor - top[v]);
    sum[v] = (CK(vector))0.0f;
  }
#if defined(CK_BF16_PRODUCTS)
  for (size_t step = 0; step < padded / 2; step++) {
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) {
      const size_t at = 2 * step * (size_t)vectors + (size_t)v;
      CK(vector) even = (CK(vector))0.0f, odd = (CK(vector))0.0f;
      if (2 * step < keys) even = CK(exp2_vector)(rows[at] * factor - top[v]);
      if (2 * step + 1 < keys) odd = CK(exp2_vector)(rows[at + (size_t)vectors] * factor - top[v]);
      sum[v] += even + odd;
      // Round half up to 8 bits (probabilities are not negative) and put the pair side by side.
      const CK(integers) low = ((CK(integers))even + 0x8000) >> 16;
      const CK(integers) high = ((CK(integers))odd + 0x8000) & (int32_t)0xffff0000;
      rows[step * (size_t)vectors + (size_t)v] = (CK(vector))(low | high);
    }
  }
#else
  for (k = 0; k < keys; k++) {
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) {
      const size_t at = k * (size_t)vectors + (size_t)v;
      rows[at] = CK(exp2_vector)(rows[at] * factor - top[v]);
      sum[v] += rows[at];
    }
  }
  for (; k < padded; k++) {
    for (int v = 0; v < vectors; v++) rows[k * (size_t)vectors + (size_t)v] = (CK(vector))0.0f;
  }
#endif
#pragma clang loop unroll(full)
  for (int v = 0; v < vectors; v++) total[v] = total[v] * correction[v] + sum[v];
  return changed;
}

void CK(ck_attention_run)(
    int32_t set, const ck_attention *job, size_t head, size_t block, const void *panels, void *scratch) {
  const size_t d = job->width, dk = CK(steps)(d), dims = CK(groups)(d) * CK(tile_rows);
  const size_t item = head / job->heads, column = head % job->heads * d;
  const size_t query = block * CK(query_block), queries = ck_min(job->queries - query, CK(query_block));
  const int vectors = (int)((queries + CK_LANES - 1) / CK_LANES);
  const size_t lanes = (size_t)vectors * CK_LANES;
  const size_t block_cells = (CK(key_cells)(d) + CK(value_cells)(d) + 15) / 16 * 16;

  float *q = (float *)(((uintptr_t)scratch + 63) / 64 * 64);
  float *logits = q + dk * lanes, *outputs = logits + CK(key_block) * lanes, *mask = outputs + dims * lanes;
  const size_t q_size = ck_size_of(job->q.type);
  {
    CK(cell) cells[CK_LANES][ck_block];
    for (size_t i = 0; i < queries; i += CK_LANES) {
      const size_t present = ck_min(queries - i, CK_LANES);
      for (size_t r = 0; r < present; r++) {
        const char *from = ck_row(&job->q, item * job->queries + query + i + r) + column * q_size;
        CK(load_cells)(from, job->q.type, d, cells[r]);
      }
      CK(interleave)((const char *)cells, sizeof cells[0], present, dk, (CK(cell) *)q + i, lanes);
    }
  }
  // A negative scale would turn the maximum into a minimum: its sign goes to the queries.
  if (job->scale < 0) {
#if defined(CK_BF16_PRODUCTS)
    for (size_t i = 0; i < dk * lanes; i++) ((CK(cell) *)q)[i] ^= 0x80008000u;
#else
    for (size_t i = 0; i < dk * lanes; i++) q[i] = -q[i];
#endif
  }

  const float log2e = 0x1.715476p+0f;
  const float magnitude = job->scale < 0 ? -job->scale : job->scale;
  const float factor = job->mask == 2 ? log2e : magnitude * log2e;
  CK(vector) maximum[CK_TILE_VECTORS], total[CK_TILE_VECTORS], correction[CK_TILE_VECTORS];
  for (int v = 0; v < CK_TILE_VECTORS; v++) {
    maximum[v] = (CK(vector))(-INFINITY);
    total[v] = (CK(vector))0.0f;
  }
  memset(outputs, 0, dims * lanes * 4);

  const size_t seen = job->mask == 1 ? ck_min(job->keys, query + queries) : job->keys;
  for (size_t key = 0; key < seen; key += CK(key_block)) {
    const size_t keys = ck_min(job->keys - key, CK(key_block)), groups = CK(groups)(keys);
    const size_t padded = groups * CK(tile_rows);
    const CK(cell) *key_panel = (const CK(cell) *)panels + key / CK(key_block) * block_cells;
    const CK(cell) *value_panel = key_panel + CK(key_cells)(d);
    CK(tiles)(key_panel, dk * CK(tile_rows), q, dk, logits, lanes, groups, vectors, 0);
    if (job->mask == 2) CK(add_mask)(job, head, query, queries, key, keys, vectors, logits, mask);
    if (job->mask == 1 && key + keys > query + 1) CK(hide_later_keys)(query, key, keys, vectors, logits);
    int rescale = 0;
    switch (vectors) {
      case 1: rescale = CK(soften)(logits, keys, padded, factor, 1, maximum, total, correction); break;
      case 2: rescale = CK(soften)(logits, keys, padded, factor, 2, maximum, total, correction); break;
#if CK_TILE_VECTORS > 2
      default: rescale = CK(soften)(logits, keys, padded, factor, 3, maximum, total, correction); break;
#endif
    }
    if (rescale && key > 0) {
      CK(vector) *rows = (CK(vector) *)outputs;
      for (size_t r = 0; r < dims; r++) {
        for (int v = 0; v < vectors; v++) rows[r * (size_t)vectors + (size_t)v] *= correction[v];
      }
    }
    CK(tiles)(
        value_panel, CK(key_block) / CK(pair) * CK(tile_rows), logits, padded / CK(pair), outputs, lanes,
        CK(groups)(d), vectors, key > 0);
  }

  // A query all of whose keys are hidden gets zeros.
  for (int v = 0; v < vectors; v++) {
    total[v] = CK(choose)(total[v] == 0.0f, (CK(vector))0.0f, 1.0f / total[v]);
    CK(vector) *rows = (CK(vector) *)outputs;
    for (size_t r = 0; r < dims; r++) rows[r * (size_t)vectors + (size_t)v] *= total[v];
  }
  // Back to one row per query, through a square at a time.
  float turned[CK_LANES][ck_block];
  for (size_t i = 0; i < queries; i += CK_LANES) {
    for (size_t j = 0; j < d; j += CK_LANES) {
      const size_t depth = ck_min(d - j, CK_LANES);
      CK(vector) rows[CK_LANES];
      for (size_t r = 0; r < CK_LANES; r++) {
        rows[r] = r < depth ? *(const CK(vector) *)(outputs + (j + r) * lanes + i) : (CK(vector))0.0f;
      }
      CK(transpose)(rows);
      for (size_t r = 0; r < CK_LANES; r++) memcpy(&turned[r][j], &rows[r], depth * 4);
    }
    for (size_t r = 0; r < ck_min(queries - i, CK_LANES); r++) {
      const size_t to = (item * job->queries + query + i + r) * job->heads * d + column;
      CK(store)(turned[r], &job->out, to, d);
    }
  }
}
