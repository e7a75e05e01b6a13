// Kernels for AVX2 with FMA and F16C (2013 and later).
#include "instruction_sets.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define CK_SET avx2
#define CK_LANES 8
#define CK_HAS_F16C 1
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,bmi,bmi2,lzcnt,popcnt"))), apply_to = function)
#include "kernels/all.h"
#pragma clang attribute pop
#endif
