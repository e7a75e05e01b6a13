// Kernels for AVX-512 (F, BW, DQ, VL).
#include "instruction_sets.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define CK_SET avx512
#define CK_LANES 16
#define CK_HAS_F16C 1
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c,bmi,bmi2,lzcnt,popcnt"))), \
    apply_to = function)
#include "kernels/all.h"
#pragma clang attribute pop
#endif
