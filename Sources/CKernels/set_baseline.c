// Kernels for any processor the compiler can target (on x86-64: SSE2).
#include "instruction_sets.h"

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

#define CK_SET baseline
#define CK_LANES 4
#include "kernels/all.h"
