#define PCRE2_CODE_UNIT_WIDTH 8
#include "cpattern.h"

#include <pcre2.h>
#include <stdlib.h>

// A backtracking matcher can take ages for a short text: so many steps are well below a second.
static const uint32_t most_steps = 5000000;
// In KiB: what such steps may remember.
static const uint32_t most_heap = 256 * 1024;

struct cpattern {
    pcre2_code *code;
    pcre2_match_context *limits;
};

cpattern *cpattern_make(const uint8_t *text, size_t count, int flags, char *message, size_t capacity, size_t *place) {
    uint32_t options = PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C | PCRE2_NO_UTF_CHECK;
    if (flags & CPATTERN_CASELESS) options |= PCRE2_CASELESS;
    if (flags & CPATTERN_MULTILINE) options |= PCRE2_MULTILINE;
    if (flags & CPATTERN_DOTALL) options |= PCRE2_DOTALL;
    if (flags & CPATTERN_EXTENDED) options |= PCRE2_EXTENDED;
    pcre2_compile_context *settings = pcre2_compile_context_create(NULL);
    if (settings) pcre2_set_newline(settings, PCRE2_NEWLINE_LF);
    int error = 0;
    PCRE2_SIZE offset = 0;
    pcre2_code *code = pcre2_compile(text, count, options, &error, &offset, settings);
    pcre2_compile_context_free(settings);
    if (!code) {
        if (pcre2_get_error_message(error, (PCRE2_UCHAR *)message, capacity) < 0 && capacity) message[0] = 0;
        *place = offset;
        return NULL;
    }
    cpattern *pattern = calloc(1, sizeof *pattern);
    pcre2_match_context *limits = pcre2_match_context_create(NULL);
    if (!pattern || !limits) {
        free(pattern);
        pcre2_match_context_free(limits);
        pcre2_code_free(code);
        if (capacity) message[0] = 0;
        *place = 0;
        return NULL;
    }
    pcre2_set_match_limit(limits, most_steps);
    pcre2_set_heap_limit(limits, most_heap);
    pattern->code = code;
    pattern->limits = limits;
    return pattern;
}

void cpattern_free(cpattern *pattern) {
    if (!pattern) return;
    pcre2_match_context_free(pattern->limits);
    pcre2_code_free(pattern->code);
    free(pattern);
}

size_t cpattern_group_count(const cpattern *pattern) {
    uint32_t count = 0;
    pcre2_pattern_info(pattern->code, PCRE2_INFO_CAPTURECOUNT, &count);
    return count;
}

int cpattern_group(const cpattern *pattern, const char *name) {
    int number = pcre2_substring_number_from_name(pattern->code, (PCRE2_SPTR)name);
    return number > 0 ? number : -1;
}

int cpattern_find(
    const cpattern *pattern, const uint8_t *text, size_t count, size_t start, int may_be_empty, size_t *places) {
    pcre2_match_data *data = pcre2_match_data_create_from_pattern(pattern->code, NULL);
    if (!data) return CPATTERN_FAILED;
    uint32_t options = PCRE2_NO_UTF_CHECK | (may_be_empty ? 0 : PCRE2_NOTEMPTY_ATSTART);
    int found = pcre2_match(pattern->code, text, count, start, options, data, pattern->limits);
    int result = CPATTERN_FOUND;
    if (found >= 0) {
        const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(data);
        size_t total = 2 * (cpattern_group_count(pattern) + 1);
        for (size_t index = 0; index < total; index++) places[index] = ends[index];
        // \K in a lookaround can turn them round.
        if (places[0] > places[1]) result = CPATTERN_FAILED;
    } else if (found == PCRE2_ERROR_NOMATCH) {
        result = CPATTERN_NONE;
    } else if (found == PCRE2_ERROR_MATCHLIMIT || found == PCRE2_ERROR_DEPTHLIMIT || found == PCRE2_ERROR_HEAPLIMIT) {
        result = CPATTERN_TOO_MANY_STEPS;
    } else {
        result = CPATTERN_FAILED;
    }
    pcre2_match_data_free(data);
    return result;
}
