#pragma once
#include <stddef.h>
#include <stdint.h>

// libpng and libjpeg report errors by longjmp, which must not cross Swift frames: these functions catch them and return a status
// and, where `message` is given, the library's text.

enum {
  CI_OK = 0,
  CI_DAMAGED = 1,
  CI_OUT_OF_MEMORY = 2,
  CI_TOO_LARGE = 3,
};

/// The samples of a PNG datastream, top row first, to `out` (`height` rows of `row_bytes`).
/// Samples of less than 8 bits become one byte each (grey values scaled to 0...255, palette indices not), 16-bit
/// samples stay two bytes, most significant first. Ancillary chunks are not read. CI_DAMAGED when the header is not the
/// one given.
int ci_png_decode(const uint8_t *data, size_t size, uint32_t width, uint32_t height, int bit_depth, int colour_type,
                  uint8_t *out, size_t row_bytes, char *message, size_t message_size);

/// An 8-bit PNG datastream of `channels` (1 to 4) interleaved samples, allocated with malloc.
/// `chunks` is written before the pixels: records of 4 bytes of name, 4 of length (most significant first), the data.
int ci_png_encode(const uint8_t *pixels, uint32_t width, uint32_t height, int channels, int compression_level,
                  const uint8_t *chunks, size_t chunks_size, uint8_t **out, size_t *out_size, char *message,
                  size_t message_size);

/// The samples of a JPEG file to `out`: `height` rows of `width` times `channels` (1 grey, 3 RGB, 4 CMYK as stored).
/// CI_DAMAGED when size or channels are others, and when the data end too early.
int ci_jpeg_decode(const uint8_t *data, size_t size, uint32_t width, uint32_t height, int channels, uint8_t *out,
                   char *message, size_t message_size);

/// A baseline JPEG file of `channels` (1 grey, 3 RGB) interleaved samples with 4:2:0 chroma, allocated with malloc.
/// `quality` is 1 to 100, in libjpeg's scale.
int ci_jpeg_encode(const uint8_t *pixels, uint32_t width, uint32_t height, int channels, int quality, uint8_t **out,
                   size_t *out_size, char *message, size_t message_size);

/// Size, number of frames, and whether there is alpha, from the headers of a WebP file.
int ci_webp_info(const uint8_t *data, size_t size, uint32_t *width, uint32_t *height, uint32_t *frames,
                 int *has_alpha);

/// The first `frames` frames of a WebP file as they are shown, RGBA, to `out` (`frames` times `width` · `height` · 4).
int ci_webp_decode(const uint8_t *data, size_t size, uint32_t width, uint32_t height, uint32_t frames, uint8_t *out);

/// A still WebP file of `channels` (3 RGB, 4 RGBA) interleaved samples, allocated with malloc. `quality` 0 to 100 (with
/// `lossless`: effort), `method` 0 (fast) to 6 (small). CI_TOO_LARGE for sides that WebP cannot hold.
int ci_webp_encode(const uint8_t *pixels, uint32_t width, uint32_t height, int channels, int lossless, int quality,
                   int method, uint8_t **out, size_t *out_size);

/// Decompresses a zlib stream to a malloc block of at most `limit` bytes; CI_TOO_LARGE beyond it.
int ci_inflate(const uint8_t *data, size_t size, size_t limit, uint8_t **out, size_t *out_size);

/// Frees what the functions above allocated.
void ci_free(void *memory);

/// CRC-32 as PNG uses it.
uint32_t ci_crc32(const uint8_t *data, size_t size);
