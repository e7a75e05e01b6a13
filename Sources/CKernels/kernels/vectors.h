// Vectors of one instruction set, and the small product that both attention and linear layers are built of:
// scalars of a packed panel times vectors of another. With bfloat16 operands an element of a panel (a cell) is a pair
// of neighbours along the summed axis.

#if defined(CK_BF16_PRODUCTS)
enum { CK(pair) = 2 };
typedef uint32_t CK(cell);
#else
enum { CK(pair) = 1 };
typedef float CK(cell);
#endif

// The sums of a tile fill the registers: 24 of AVX-512's 32, 12 of the others' 16.
#undef CK_TILE_VECTORS
#if CK_LANES == 16
#define CK_TILE_VECTORS 3
enum { CK(tile_rows) = 8 };
#else
#define CK_TILE_VECTORS 2
enum { CK(tile_rows) = 6 };
#endif
enum { CK(tile_columns) = CK_TILE_VECTORS * CK_LANES };

typedef float CK(vector) __attribute__((ext_vector_type(CK_LANES)));
typedef float CK(loose_vector) __attribute__((ext_vector_type(CK_LANES), aligned(4), may_alias));
typedef int32_t CK(integers) __attribute__((ext_vector_type(CK_LANES)));

CK_INLINE size_t CK(steps)(size_t n) { return (n + CK(pair) - 1) / CK(pair); }
CK_INLINE size_t CK(groups)(size_t n) { return (n + CK(tile_rows) - 1) / CK(tile_rows); }

CK_INLINE CK(vector) CK(multiply_add)(CK(cell) a, CK(vector) b, CK(vector) sum) {
#if defined(CK_BF16_PRODUCTS)
  return (CK(vector))_mm512_dpbf16_ps((__m512)sum, (__m512bh)_mm512_set1_epi32((int32_t)a), (__m512bh)b);
#else
  return sum + (CK(vector))a * b;
#endif
}

// c[r][v] (+)= Σ_s a[s][r] · b[s][v] for tile_rows rows, c_step floats apart, and `vectors` vectors.
CK_INLINE void CK(tile)(
    const CK(cell) *restrict a, const float *restrict b, size_t steps, float *restrict c, size_t c_step,
    const int vectors, int accumulate) {
  CK(vector) sum[CK(tile_rows)][CK_TILE_VECTORS];
  const CK(vector) *x = (const CK(vector) *)b;
#pragma clang loop unroll(full)
  for (int r = 0; r < CK(tile_rows); r++) {
    const CK(loose_vector) *from = (const CK(loose_vector) *)(c + (size_t)r * c_step);
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) sum[r][v] = accumulate ? (CK(vector))from[v] : (CK(vector))0.0f;
  }
  for (size_t s = 0; s < steps; s++) {
#pragma clang loop unroll(full)
    for (int r = 0; r < CK(tile_rows); r++) {
#pragma clang loop unroll(full)
      for (int v = 0; v < vectors; v++) sum[r][v] = CK(multiply_add)(a[r], x[v], sum[r][v]);
    }
    a += CK(tile_rows);
    x += vectors;
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < CK(tile_rows); r++) {
    CK(loose_vector) *to = (CK(loose_vector) *)(c + (size_t)r * c_step);
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) to[v] = sum[r][v];
  }
}

// Tiles one below the other: `count` groups of tile_rows rows, whose panels are a_step apart.
static void CK(tiles)(
    const CK(cell) *a, size_t a_step, const float *b, size_t steps, float *c, size_t c_step, size_t count, int vectors,
    int accumulate) {
  const size_t down = CK(tile_rows) * c_step;
  switch (vectors) {
    case 1:
      for (size_t g = 0; g < count; g++) CK(tile)(a + g * a_step, b, steps, c + g * down, c_step, 1, accumulate);
      return;
    case 2:
      for (size_t g = 0; g < count; g++) CK(tile)(a + g * a_step, b, steps, c + g * down, c_step, 2, accumulate);
      return;
#if CK_TILE_VECTORS > 2
    default:
      for (size_t g = 0; g < count; g++) CK(tile)(a + g * a_step, b, steps, c + g * down, c_step, 3, accumulate);
      return;
#endif
  }
}

// Lane j of the first (a) and second (b) result of one stage of the transposition below.
#define CK_FIRST(j, s) (((j) & (s)) ? CK_LANES + (j) - (s) : (j))
#define CK_SECOND(j, s) (((j) & (s)) ? CK_LANES + (j) : (j) + (s))
#if CK_LANES == 16
#define CK_PICK(a, b, f, s)                                                                                        \
  __builtin_shufflevector(                                                                                         \
      a, b, f(0, s), f(1, s), f(2, s), f(3, s), f(4, s), f(5, s), f(6, s), f(7, s), f(8, s), f(9, s), f(10, s),     \
      f(11, s), f(12, s), f(13, s), f(14, s), f(15, s))
#elif CK_LANES == 8
#define CK_PICK(a, b, f, s) \
  __builtin_shufflevector(a, b, f(0, s), f(1, s), f(2, s), f(3, s), f(4, s), f(5, s), f(6, s), f(7, s))
#else
#define CK_PICK(a, b, f, s) __builtin_shufflevector(a, b, f(0, s), f(1, s), f(2, s), f(3, s))
#endif
#define CK_STAGE(rows, s)                                   \
  _Pragma("clang loop unroll(full)")                        \
  for (int i = 0; i < CK_LANES; i++) {                      \
    if (i & (s)) continue;                                  \
    const CK(vector) a = rows[i], b = rows[i + (s)];        \
    rows[i] = CK_PICK(a, b, CK_FIRST, s);                   \
    rows[i + (s)] = CK_PICK(a, b, CK_SECOND, s);            \
  }

// Swaps rows and lanes of a square of 32-bit values: blocks of 1, 2, 4, … are exchanged across the diagonal.
CK_INLINE void CK(transpose)(CK(vector) *rows) {
  CK_STAGE(rows, 1)
  CK_STAGE(rows, 2)
#if CK_LANES >= 8
  CK_STAGE(rows, 4)
#endif
#if CK_LANES >= 16
  CK_STAGE(rows, 8)
#endif
}
#undef CK_STAGE
#undef CK_PICK
#undef CK_FIRST
#undef CK_SECOND

// Cells at..<at + depth of CK_LANES rows, transposed: rows[s] has cell at + s of every row, one per lane. A null row
// counts as zeros. Rows need no alignment: they may lie in a mapped file.
CK_INLINE void CK(load_transposed)(
    const char *const *from, int count, size_t at, size_t depth, CK(vector) *rows) {
#pragma clang loop unroll(full)
  for (int r = 0; r < CK_LANES; r++) {
    rows[r] = (CK(vector))0.0f;
    if (r >= count || !from[r]) continue;
    if (depth == CK_LANES) {
      memcpy(&rows[r], from[r] + at * 4, sizeof rows[r]);
    } else {
      memcpy(&rows[r], from[r] + at * 4, depth * 4);
    }
  }
  CK(transpose)(rows);
}

// to[s][i] = cell s of row i for s < steps, rows of the result to_step apart: CK_LANES columns are written.
static void CK(interleave)(const char *const *from, size_t steps, CK(cell) *to, size_t to_step) {
  CK(vector) rows[CK_LANES];
  for (size_t s = 0; s < steps; s += CK_LANES) {
    const size_t depth = ck_min(steps - s, CK_LANES);
    CK(load_transposed)(from, CK_LANES, s, depth, rows);
    for (size_t r = 0; r < depth; r++) *(CK(loose_vector) *)(to + (s + r) * to_step) = rows[r];
  }
}

// The same for one panel of tile_rows columns.
static void CK(interleave_tile)(const char *const *from, size_t steps, CK(cell) *to) {
#if CK_LANES < 8  // fewer lanes than rows of a tile
  for (size_t r = 0; r < CK(tile_rows); r++) {
    for (size_t s = 0; s < steps; s++) {
      CK(cell) cell = 0;
      if (from[r]) memcpy(&cell, from[r] + s * 4, 4);
      to[s * CK(tile_rows) + r] = cell;
    }
  }
#else
  CK(vector) rows[CK_LANES];
  for (size_t s = 0; s < steps; s += CK_LANES) {
    const size_t depth = ck_min(steps - s, CK_LANES);
    CK(load_transposed)(from, CK(tile_rows), s, depth, rows);
    for (size_t r = 0; r < depth; r++) memcpy(to + (s + r) * CK(tile_rows), &rows[r], CK(tile_rows) * 4);
  }
#endif
}
