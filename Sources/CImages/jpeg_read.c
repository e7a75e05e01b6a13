#include "cimages.h"

#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

// A progressive file may have any number of scans over the whole picture; real ones have about ten.
enum { scan_limit = 500 };

typedef struct {
  struct jpeg_error_mgr manager;
  struct jpeg_progress_mgr progress;
  jmp_buf jump;
  char *message;
  size_t message_size;
  int status;
} state;

static void fail(j_common_ptr info) {
  state *s = (state *)info->err;
  char text[JMSG_LENGTH_MAX];
  info->err->format_message(info, text);
  snprintf(s->message, s->message_size, "%s", text);
  if (info->err->msg_code == JERR_OUT_OF_MEMORY) s->status = CI_OUT_OF_MEMORY;
  longjmp(s->jump, 1);
}

// libjpeg goes on with grey when the data end too early, after this warning. Other warnings are harmless.
static void warn(j_common_ptr info, int level) {
  if (level < 0 && info->err->msg_code == JWRN_JPEG_EOF) fail(info);
}

static void no_output(j_common_ptr info) { (void)info; }

static void count_scans(j_common_ptr info) {
  state *s = (state *)info->err;
  if (((j_decompress_ptr)info)->input_scan_number <= scan_limit) return;
  snprintf(s->message, s->message_size, "more than %d scans", scan_limit);
  longjmp(s->jump, 1);
}

int ci_jpeg_decode(const uint8_t *data, size_t size, uint32_t width, uint32_t height, int channels, uint8_t *out,
                   char *message, size_t message_size) {
  struct jpeg_decompress_struct info;
  state s;
  memset(&info, 0, sizeof info);
  memset(&s, 0, sizeof s);
  s.message = message;
  s.message_size = message_size;
  s.status = CI_DAMAGED;
  info.err = jpeg_std_error(&s.manager);
  s.manager.error_exit = fail;
  s.manager.emit_message = warn;
  s.manager.output_message = no_output;
  s.progress.progress_monitor = count_scans;
  if (setjmp(s.jump)) {
    jpeg_destroy_decompress(&info);
    return s.status;
  }
  jpeg_create_decompress(&info);
  info.progress = &s.progress;
  jpeg_mem_src(&info, data, size);
  jpeg_read_header(&info, TRUE);
  if (info.image_width != width || info.image_height != height || info.num_components != channels) {
    snprintf(message, message_size, "the file has two different headers");
    longjmp(s.jump, 1);
  }
  info.out_color_space = channels == 1 ? JCS_GRAYSCALE : channels == 3 ? JCS_RGB : JCS_CMYK;
  jpeg_start_decompress(&info);
  const size_t row_bytes = (size_t)width * (size_t)channels;
  while (info.output_scanline < height) {
    JSAMPROW row = out + info.output_scanline * row_bytes;
    jpeg_read_scanlines(&info, &row, 1);
  }
  jpeg_destroy_decompress(&info);
  return CI_OK;
}
