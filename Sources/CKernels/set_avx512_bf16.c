// What AVX-512 BF16 adds: attention whose products take bfloat16 operands. All else is the AVX-512 set.
#include "instruction_sets.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define CK_SET avx512_bf16
#define CK_LANES 16
#define CK_HAS_F16C 1
#define CK_BF16_PRODUCTS 1
#pragma clang attribute push( \
    __attribute__((target( \
        "avx512bf16,avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c,bmi,bmi2,lzcnt,popcnt"))), apply_to = function)
#include "kernels/values.h"
#include "kernels/convert.h"
#include "kernels/vectors.h"
#include "kernels/attention.h"
#pragma clang attribute pop
#endif
