#pragma once
#include <stddef.h>

/* The compiler that reads this header: for Swift files it is the Swift compiler itself, whose version stands in
   __swift__ (60301: 6.3.1) and whose exact source in __VERSION__. */
#define CNODEKIT_TEXT_OF(x) #x
#define CNODEKIT_TEXT(x) CNODEKIT_TEXT_OF(x)
#ifdef __swift__
#define CNODEKIT_COMPILER "Swift " CNODEKIT_TEXT(__swift__) ", " __VERSION__
#else
#define CNODEKIT_COMPILER __VERSION__
#endif

static inline const char *_Nonnull cnodekit_compiler(void) { return CNODEKIT_COMPILER; }

/* Writes the GNU build ID of the shared library that holds this function in hexadecimal digits, ended by a zero.
   Returns the number of digits; 0 when the library has no build ID or the text does not fit. */
size_t cnodekit_build_id(char *_Nonnull text, size_t capacity);

/* The path from which the library that holds this function was loaded; NULL when it is not known. */
const char *_Nullable cnodekit_library_path(void);
