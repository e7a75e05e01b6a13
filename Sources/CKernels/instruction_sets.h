// How one source becomes one kernel per instruction set: each `set_*.c` defines CK_SET and CK_LANES, switches the
// compiler's target for the functions that follow, and includes the kernels. No -march is needed, so the object files
// contain nothing that the plainest x86-64 cannot skip.
#pragma once
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "include/ckernels.h"

#define CK_PASTE2(a, b) a##_##b
#define CK_PASTE(a, b) CK_PASTE2(a, b)
/// The name of a kernel in the set being compiled.
#define CK(name) CK_PASTE(name, CK_SET)

#define CK_INLINE static inline __attribute__((always_inline))
