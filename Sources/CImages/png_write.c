#include "cimages.h"

#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  uint8_t *bytes;
  size_t size, capacity;
  char *message;
  size_t message_size;
  int status;
  jmp_buf jump;
} writer;

static void fail(png_structp png, png_const_charp text) {
  writer *w = png_get_error_ptr(png);
  snprintf(w->message, w->message_size, "%s", text);
  longjmp(w->jump, 1);
}

static void ignore_warning(png_structp png, png_const_charp text) {
  (void)png;
  (void)text;
}

static void write_bytes(png_structp png, png_bytep bytes, size_t count) {
  writer *w = png_get_io_ptr(png);
  if (count > w->capacity - w->size) {
    size_t capacity = w->capacity ? w->capacity : 1 << 16;
    while (capacity - w->size < count) {
      if (capacity > SIZE_MAX / 2) png_error(png, "the file is too large");
      capacity *= 2;
    }
    uint8_t *grown = realloc(w->bytes, capacity);
    if (!grown) {
      w->status = CI_OUT_OF_MEMORY;
      png_error(png, "out of memory");
    }
    w->bytes = grown;
    w->capacity = capacity;
  }
  memcpy(w->bytes + w->size, bytes, count);
  w->size += count;
}

static void no_flush(png_structp png) { (void)png; }

static uint32_t big_endian(const uint8_t *p) {
  return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

int ci_png_encode(const uint8_t *pixels, uint32_t width, uint32_t height, int channels, int compression_level,
                  const uint8_t *chunks, size_t chunks_size, uint8_t **out, size_t *out_size, char *message,
                  size_t message_size) {
  static const int colour_types[] = {PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB,
                                     PNG_COLOR_TYPE_RGB_ALPHA};
  // In memory of its own, so that its fields keep their values over longjmp.
  writer *w = calloc(1, sizeof *w);
  if (!w) return CI_OUT_OF_MEMORY;
  w->status = CI_DAMAGED;
  w->message = message;
  w->message_size = message_size;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, w, fail, ignore_warning);
  png_infop info = png ? png_create_info_struct(png) : NULL;
  if (!info) {
    png_destroy_write_struct(&png, NULL);
    free(w);
    return CI_OUT_OF_MEMORY;
  }
  if (setjmp(w->jump)) {
    const int status = w->status;
    png_destroy_write_struct(&png, &info);
    free(w->bytes);
    free(w);
    return status;
  }
  png_set_write_fn(png, w, write_bytes, no_flush);
  png_set_user_limits(png, 0x7fffffff, 0x7fffffff);
  png_set_compression_level(png, compression_level);
  png_set_IHDR(png, info, width, height, 8, colour_types[channels - 1], PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_BASE,
               PNG_FILTER_TYPE_BASE);
  png_write_info_before_PLTE(png, info);
  for (size_t at = 0; chunks_size - at >= 8;) {
    const uint32_t length = big_endian(chunks + at + 4);
    if (length > chunks_size - at - 8) png_error(png, "a text chunk record is cut off");
    png_write_chunk(png, chunks + at, chunks + at + 8, length);
    at += 8 + (size_t)length;
  }
  png_write_info(png, info);
  const size_t row_bytes = (size_t)width * (size_t)channels;
  for (uint32_t row = 0; row < height; row++) png_write_row(png, pixels + row * row_bytes);
  png_write_end(png, NULL);
  png_destroy_write_struct(&png, &info);
  *out = w->bytes;
  *out_size = w->size;
  free(w);
  return CI_OK;
}
