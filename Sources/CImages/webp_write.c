#include "cimages.h"

#include <stdlib.h>
#include <string.h>

#include <webp/encode.h>

int ci_webp_encode(const uint8_t *pixels, uint32_t width, uint32_t height, int channels, int lossless, int quality,
                   int method, uint8_t **out, size_t *out_size) {
  if (width == 0 || height == 0 || width > WEBP_MAX_DIMENSION || height > WEBP_MAX_DIMENSION) return CI_TOO_LARGE;
  WebPConfig config;
  WebPPicture picture;
  if (!WebPConfigInit(&config) || !WebPPictureInit(&picture)) return CI_DAMAGED;
  config.lossless = lossless;
  config.quality = (float)quality;
  config.method = method;
  if (!WebPValidateConfig(&config)) return CI_DAMAGED;
  picture.use_argb = lossless;
  picture.width = (int)width;
  picture.height = (int)height;
  WebPMemoryWriter writer;
  WebPMemoryWriterInit(&writer);
  picture.writer = WebPMemoryWrite;
  picture.custom_ptr = &writer;
  int status = CI_OUT_OF_MEMORY;
  const int stride = (int)width * channels;
  const int imported = channels == 4 ? WebPPictureImportRGBA(&picture, pixels, stride)
                                     : WebPPictureImportRGB(&picture, pixels, stride);
  if (imported && WebPEncode(&config, &picture)) {
    uint8_t *copy = malloc(writer.size ? writer.size : 1);
    if (copy) {
      memcpy(copy, writer.mem, writer.size);
      *out = copy;
      *out_size = writer.size;
      status = CI_OK;
    }
  } else if (picture.error_code != VP8_ENC_ERROR_OUT_OF_MEMORY &&
             picture.error_code != VP8_ENC_ERROR_BITSTREAM_OUT_OF_MEMORY) {
    status = CI_DAMAGED;
  }
  WebPMemoryWriterClear(&writer);
  WebPPictureFree(&picture);
  return status;
}
