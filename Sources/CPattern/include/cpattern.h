// Regular expressions by PCRE2: the few calls that nodes need, without its macros.
#ifndef GRAPHRUN_CPATTERN_H
#define GRAPHRUN_CPATTERN_H

#include <stddef.h>
#include <stdint.h>

typedef struct cpattern cpattern;

enum { CPATTERN_CASELESS = 1, CPATTERN_MULTILINE = 2, CPATTERN_DOTALL = 4, CPATTERN_EXTENDED = 8 };
enum { CPATTERN_NONE = 0, CPATTERN_FOUND = 1, CPATTERN_TOO_MANY_STEPS = -1, CPATTERN_FAILED = -2 };

/// Compiles UTF-8 text; NULL with a message and the place of the fault if it is no pattern.
cpattern *cpattern_make(const uint8_t *text, size_t count, int flags, char *message, size_t capacity, size_t *place);
void cpattern_free(cpattern *pattern);

/// Groups, without the whole match.
size_t cpattern_group_count(const cpattern *pattern);
/// The number of a named group; -1 if there is none.
int cpattern_group(const cpattern *pattern, const char *name);

/// Looks for the next match in valid UTF-8 from a position on.
/// may_be_empty: whether an empty match counts that begins at the position itself.
/// places: begin and end of the match and of each group in bytes, SIZE_MAX for groups that took no part;
/// 2 * (groups + 1) numbers.
int cpattern_find(
    const cpattern *pattern, const uint8_t *text, size_t count, size_t start, int may_be_empty, size_t *places);

#endif
