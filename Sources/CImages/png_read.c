#include "cimages.h"

#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

typedef struct {
  const uint8_t *data;
  size_t size, position;
  char *message;
  size_t message_size;
  jmp_buf jump;
} reader;

static void fail(png_structp png, png_const_charp text) {
  reader *r = png_get_error_ptr(png);
  snprintf(r->message, r->message_size, "%s", text);
  longjmp(r->jump, 1);
}

static void ignore_warning(png_structp png, png_const_charp text) {
  (void)png;
  (void)text;
}

static void read_bytes(png_structp png, png_bytep out, size_t count) {
  reader *r = png_get_io_ptr(png);
  if (count > r->size - r->position) png_error(png, "the file ends too early");
  memcpy(out, r->data + r->position, count);
  r->position += count;
}

int ci_png_decode(const uint8_t *data, size_t size, uint32_t width, uint32_t height, int bit_depth, int colour_type,
                  uint8_t *out, size_t row_bytes, char *message, size_t message_size) {
  reader r = {.data = data, .size = size, .message = message, .message_size = message_size};
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &r, fail, ignore_warning);
  png_infop info = png ? png_create_info_struct(png) : NULL;
  if (!info) {
    png_destroy_read_struct(&png, NULL, NULL);
    return CI_OUT_OF_MEMORY;
  }
  // Nothing below is changed between setjmp and longjmp except memory that `r` and libpng own.
  if (setjmp(r.jump)) {
    png_destroy_read_struct(&png, &info, NULL);
    return CI_DAMAGED;
  }
  png_set_read_fn(png, &r, read_bytes);
  png_set_user_limits(png, 0x7fffffff, 0x7fffffff);
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
  png_set_benign_errors(png, 1);
  png_read_info(png, info);
  if (png_get_image_width(png, info) != width || png_get_image_height(png, info) != height ||
      png_get_bit_depth(png, info) != bit_depth || png_get_color_type(png, info) != colour_type)
    png_error(png, "the file has two different headers");
  if (bit_depth < 8) {
    if (colour_type == PNG_COLOR_TYPE_GRAY)
      png_set_expand_gray_1_2_4_to_8(png);
    else
      png_set_packing(png);
  }
  const int passes = png_set_interlace_handling(png);
  png_read_update_info(png, info);
  if (png_get_rowbytes(png, info) != row_bytes) png_error(png, "the rows have an unexpected length");
  for (int pass = 0; pass < passes; pass++)
    for (uint32_t row = 0; row < height; row++) png_read_row(png, out + row * row_bytes, NULL);
  png_destroy_read_struct(&png, &info, NULL);
  return CI_OK;
}
