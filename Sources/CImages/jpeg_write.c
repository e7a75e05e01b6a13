#include "cimages.h"

#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

typedef struct {
  struct jpeg_error_mgr manager;
  struct jpeg_compress_struct info;
  jmp_buf jump;
  char *message;
  size_t message_size;
  int status;
  unsigned char *bytes;
  unsigned long size;
} writer;

static void fail(j_common_ptr info) {
  writer *w = (writer *)info->err;
  char text[JMSG_LENGTH_MAX];
  info->err->format_message(info, text);
  snprintf(w->message, w->message_size, "%s", text);
  if (info->err->msg_code == JERR_OUT_OF_MEMORY) w->status = CI_OUT_OF_MEMORY;
  longjmp(w->jump, 1);
}

static void no_output(j_common_ptr info) { (void)info; }

int ci_jpeg_encode(const uint8_t *pixels, uint32_t width, uint32_t height, int channels, int quality, uint8_t **out,
                   size_t *out_size, char *message, size_t message_size) {
  // In memory of its own, so that its fields keep their values over longjmp.
  writer *w = calloc(1, sizeof *w);
  if (!w) return CI_OUT_OF_MEMORY;
  w->message = message;
  w->message_size = message_size;
  w->status = CI_DAMAGED;
  w->info.err = jpeg_std_error(&w->manager);
  w->manager.error_exit = fail;
  w->manager.output_message = no_output;
  if (setjmp(w->jump)) {
    const int status = w->status;
    jpeg_destroy_compress(&w->info);
    // Not `bytes`: when growing them failed, libjpeg has freed what the pointer still shows.
    free(w);
    return status;
  }
  jpeg_create_compress(&w->info);
  jpeg_mem_dest(&w->info, &w->bytes, &w->size);
  w->info.image_width = width;
  w->info.image_height = height;
  w->info.input_components = channels;
  w->info.in_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&w->info);
  jpeg_set_quality(&w->info, quality, TRUE);
  jpeg_start_compress(&w->info, TRUE);
  const size_t row_bytes = (size_t)width * (size_t)channels;
  while (w->info.next_scanline < height) {
    JSAMPROW row = (JSAMPROW)(pixels + w->info.next_scanline * row_bytes);
    jpeg_write_scanlines(&w->info, &row, 1);
  }
  jpeg_finish_compress(&w->info);
  jpeg_destroy_compress(&w->info);
  *out = w->bytes;
  *out_size = w->size;
  free(w);
  return CI_OK;
}
