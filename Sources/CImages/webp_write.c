#include "cimages.h"

#include <webp/encode.h>

int ci_webp_encode(const uint8_t *pixels, uint32_t width, uint32_t height, int channels, float quality, uint8_t **out,
                   size_t *out_size) {
  WebPConfig config;
  WebPPicture picture;
  WebPMemoryWriter writer;
  if (width > WEBP_MAX_DIMENSION || height > WEBP_MAX_DIMENSION) return CI_TOO_LARGE;
  if (!WebPConfigPreset(&config, WEBP_PRESET_DEFAULT, quality) || !WebPPictureInit(&picture)) return CI_DAMAGED;
  picture.width = (int)width;
  picture.height = (int)height;
  WebPMemoryWriterInit(&writer);
  picture.writer = WebPMemoryWrite;
  picture.custom_ptr = &writer;
  const int stride = (int)width * channels;
  int done = channels == 4 ? WebPPictureImportRGBA(&picture, pixels, stride)
                           : WebPPictureImportRGB(&picture, pixels, stride);
  done = done && WebPEncode(&config, &picture);
  const int status = done                                                     ? CI_OK
                     : picture.error_code == VP8_ENC_ERROR_OUT_OF_MEMORY      ? CI_OUT_OF_MEMORY
                     : picture.error_code == VP8_ENC_ERROR_BITSTREAM_OUT_OF_MEMORY ? CI_OUT_OF_MEMORY
                                                                              : CI_DAMAGED;
  WebPPictureFree(&picture);
  if (!done) {
    WebPMemoryWriterClear(&writer);
    return status;
  }
  // Allocated with malloc, as WebPMemoryWriter documents by its WebPFree.
  *out = writer.mem;
  *out_size = writer.size;
  return CI_OK;
}
