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
CK_INLINE CK(vector) CK(larger)(CK(vector) a, CK(vector) b) {
#if defined(__x86_64__) && CK_LANES == 16
  return (CK(vector))_mm512_max_ps((__m512)a, (__m512)b);
#elif defined(__x86_64__) && CK_LANES == 8
  return (CK(vector))_mm256_max_ps((__m256)a, (__m256)b);
#elif defined(__x86_64__)
  return (CK(vector))_mm_max_ps((__m128)a, (__m128)b);
#else
  return CK(choose)(a > b, a, b);
#endif
}

// 2^x for x up to about 1, 0 far below. Minimax polynomials in the fraction of x, from -½ to ½ or from 0 to 1: degree
// 6 (error 2e-9), or 3 (1e-4) where the result is rounded to bfloat16 (4e-3).
CK_INLINE CK(vector) CK(exp2_vector)(CK(vector) x) {
#if defined(__x86_64__) && CK_LANES == 16
  const CK(vector) f = (CK(vector))_mm512_reduce_ps((__m512)x, 0x09);  // x - floor(x)
#if defined(CK_BF16_PRODUCTS)
  CK(vector) p = (CK(vector))0x1.3f96a2p-4f;
  p = p * f + 0x1.cefc4ep-3f;
  p = p * f + 0x1.64444cp-1f;
  p = p * f + 0x1.fff632p-1f;
#else
  CK(vector) p = (CK(vector))0x1.c72118p-13f;
  p = p * f + 0x1.461956p-10f;
  p = p * f + 0x1.3d2800p-7f;
  p = p * f + 0x1.c68500p-5f;
  p = p * f + 0x1.ebfd9ep-3f;
  p = p * f + 0x1.62e42ap-1f;
  p = p * f + 1.0f;
#endif
  return (CK(vector))_mm512_scalef_ps((__m512)p, (__m512)x);  // p 2^floor(x)
#else
  const CK(vector) shifted = x + 12582912.0f;
  const CK(vector) f = x - (shifted - 12582912.0f);
  CK(vector) p = (CK(vector))0x1.41ccf6p-13f;
  p = p * f + 0x1.5f4e52p-10f;
  p = p * f + 0x1.3b2ddcp-7f;
  p = p * f + 0x1.c6aec2p-5f;
  p = p * f + 0x1.ebfbdap-3f;
  p = p * f + 0x1.62e430p-1f;
  p = p * f + 1.0f;
  const CK(vector) scaled = (CK(vector))((CK(integers))p + ((CK(integers))shifted << 23));
  return CK(choose)(x < -126.0f, (CK(vector))0.0f, scaled);
#endif
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

// One row of a head as cells: where it lies if it has the right type and whole pairs, else converted into `buffer`.
CK_INLINE const char *CK(cells)(const ck_rows *rows, size_t row, size_t column, size_t width, CK(cell) *buffer) {
  const char *from = ck_row(rows, row) + column * ck_size_of(rows->type);
#if defined(CK_BF16_PRODUCTS)
  if (rows->type == t_bf16 && width % 2 == 0) return from;
  buffer[CK(steps)(width) - 1] = 0;
  if (rows->type == t_bf16) {
    memcpy(buffer, from, width * 2);
  } else {
    float floats[ck_block];
    CK(narrow)(CK(floats)(from, rows->type, floats, width), (uint16_t *)buffer, width);
  }
#else
  if (rows->type == t_f32) return from;
  CK(widen)(from, rows->type, buffer, width);
#endif
  return (const char *)buffer;
}

#if defined(CK_BF16_PRODUCTS)
// Cells of `even` and `odd` side by side: n values of each, in groups of tile_rows that are `step` cells apart.
CK_INLINE void CK(pair_rows)(const char *even, const char *odd, size_t n, CK(cell) *to, size_t step) {
  const __m512i zero = _mm512_setzero_si512();
  for (size_t i = 0; i < n; i += 16) {
    const size_t present = ck_min(n - i, 16);
    const __mmask16 mask = (__mmask16)((1u << present) - 1);
    const __m512i low = even ? _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, even + i * 2)) : zero;
    const __m512i high = odd ? _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, odd + i * 2)) : zero;
    const __m512i cells = _mm512_or_si512(low, _mm512_slli_epi32(high, 16));
    _mm256_storeu_si256((__m256i *)(to + i / 8 * step), _mm512_castsi512_si256(cells));
    if (present > 8) _mm256_storeu_si256((__m256i *)(to + (i / 8 + 1) * step), _mm512_extracti64x4_epi64(cells, 1));
  }
}
#endif

void CK(ck_attention_pack)(int32_t set, const ck_attention *job, size_t head, size_t block, void *panels) {
  const size_t d = job->width, dk = CK(steps)(d), rows = CK(tile_rows);
  const size_t item = head / job->heads, column = head % job->heads * d;
  const size_t first = block * CK(key_block), count = ck_min(job->keys - first, CK(key_block));
  const size_t padded = CK(groups)(count) * rows;
  const size_t block_cells = (CK(key_cells)(d) + CK(value_cells)(d) + 15) / 16 * 16;
  CK(cell) *keys = (CK(cell) *)panels + block * block_cells;
  CK(cell) *values = keys + CK(key_cells)(d);
  CK(cell) buffer[CK(tile_rows)][ck_block];
  const char *from[CK(tile_rows)];

  for (size_t key = 0; key < padded; key += rows) {
    for (size_t r = 0; r < rows; r++) {
      from[r] = key + r < count
                    ? CK(cells)(&job->k, item * job->keys + first + key + r, column, d, buffer[r]) : 0;
    }
    CK(interleave_tile)(from, dk, keys + key * dk);
  }

  const size_t panel = CK(key_block) / CK(pair) * rows;
  for (size_t step = 0; step < padded / CK(pair); step++) {
    for (size_t r = 0; r < CK(pair); r++) {
      const size_t key = step * CK(pair) + r;
      from[r] = key < count ? CK(cells)(&job->v, item * job->keys + first + key, column, d, buffer[r]) : 0;
    }
    CK(cell) *to = values + step * rows;
#if defined(CK_BF16_PRODUCTS)
    CK(pair_rows)(from[0], from[1], d, to, panel);
#else
    if (!from[0]) {
      for (size_t j = 0; j < d; j += rows) memset(to + j / rows * panel, 0, CK(tile_rows) * 4);
      continue;
    }
    const size_t whole = d / rows * rows;
    for (size_t j = 0; j < whole; j += rows) memcpy(to + j / rows * panel, from[0] + j * 4, CK(tile_rows) * 4);
    if (whole < d) {
      memset(to + whole / rows * panel, 0, CK(tile_rows) * 4);
      memcpy(to + whole / rows * panel, from[0] + whole * 4, (d - whole) * 4);
    }
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
  // Words 0, 16, 1, 17, …
  const __m512i words = _mm512_cvtepu16_epi32(_mm256_setr_epi16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
  const __m512i sides = _mm512_or_si512(words, _mm512_slli_epi32(_mm512_add_epi32(words, _mm512_set1_epi32(16)), 16));
  size_t step = 0;
  for (; step < keys / 2; step++) {
    CK(vector) *at = rows + 2 * step * (size_t)vectors;
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) {
      const CK(vector) even = CK(exp2_vector)(at[v] * factor - top[v]);
      const CK(vector) odd = CK(exp2_vector)(at[vectors + v] * factor - top[v]);
      sum[v] += even + odd;
      // Both rounded, the pair of each query side by side. Row `step` has been read already.
      const __m512i both = (__m512i)_mm512_cvtne2ps_pbh((__m512)odd, (__m512)even);
      rows[step * (size_t)vectors + (size_t)v] = (CK(vector))_mm512_permutexvar_epi16(sides, both);
    }
  }
  if (keys % 2) {
    for (int v = 0; v < vectors; v++) {
      const CK(vector) even = CK(exp2_vector)(rows[2 * step * (size_t)vectors + (size_t)v] * factor - top[v]);
      sum[v] += even;
      const __m512i both = (__m512i)_mm512_cvtne2ps_pbh(_mm512_setzero_ps(), (__m512)even);
      rows[step * (size_t)vectors + (size_t)v] = (CK(vector))_mm512_permutexvar_epi16(sides, both);
    }
    step++;
  }
  for (; step < padded / 2; step++) {
    for (int v = 0; v < vectors; v++) rows[step * (size_t)vectors + (size_t)v] = (CK(vector))0.0f;
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
  {
    CK(cell) buffer[CK_LANES][ck_block];
    const char *from[CK_LANES];
    for (size_t i = 0; i < queries; i += CK_LANES) {
      for (size_t r = 0; r < CK_LANES; r++) {
        from[r] = i + r < queries
                      ? CK(cells)(&job->q, item * job->queries + query + i + r, column, d, buffer[r]) : 0;
      }
      CK(interleave)(from, dk, (CK(cell) *)q + i, lanes);
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
