#include "cimages.h"

#include <string.h>

#include <webp/decode.h>
#include <webp/demux.h>

int ci_webp_info(const uint8_t *data, size_t size, uint32_t *width, uint32_t *height, uint32_t *frames,
                 int *has_alpha) {
  WebPBitstreamFeatures features;
  if (WebPGetFeatures(data, size, &features) != VP8_STATUS_OK) return CI_DAMAGED;
  const WebPData whole = {data, size};
  WebPDemuxer *demuxer = WebPDemux(&whole);
  if (!demuxer) return CI_DAMAGED;
  *width = WebPDemuxGetI(demuxer, WEBP_FF_CANVAS_WIDTH);
  *height = WebPDemuxGetI(demuxer, WEBP_FF_CANVAS_HEIGHT);
  *frames = WebPDemuxGetI(demuxer, WEBP_FF_FRAME_COUNT);
  *has_alpha = features.has_alpha;
  WebPDemuxDelete(demuxer);
  return CI_OK;
}

int ci_webp_decode(const uint8_t *data, size_t size, uint32_t width, uint32_t height, uint32_t frames, uint8_t *out) {
  WebPAnimDecoderOptions options;
  if (!WebPAnimDecoderOptionsInit(&options)) return CI_DAMAGED;
  options.color_mode = MODE_RGBA;
  const WebPData whole = {data, size};
  WebPAnimDecoder *decoder = WebPAnimDecoderNew(&whole, &options);
  if (!decoder) return CI_DAMAGED;
  WebPAnimInfo info;
  int status = WebPAnimDecoderGetInfo(decoder, &info) && info.canvas_width == width && info.canvas_height == height
                   ? CI_OK
                   : CI_DAMAGED;
  const size_t frame_bytes = (size_t)width * height * 4;
  for (uint32_t frame = 0; frame < frames && status == CI_OK; frame++) {
    uint8_t *pixels;
    int timestamp;
    if (WebPAnimDecoderGetNext(decoder, &pixels, &timestamp))
      memcpy(out + frame * frame_bytes, pixels, frame_bytes);
    else
      status = CI_DAMAGED;
  }
  WebPAnimDecoderDelete(decoder);
  return status;
}
