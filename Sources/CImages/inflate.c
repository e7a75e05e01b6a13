#include "cimages.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

int ci_inflate(const uint8_t *data, size_t size, size_t limit, uint8_t **out, size_t *out_size) {
  z_stream stream;
  memset(&stream, 0, sizeof stream);
  if (size > UINT32_MAX) return CI_TOO_LARGE;
  if (inflateInit(&stream) != Z_OK) return CI_OUT_OF_MEMORY;
  stream.next_in = (Bytef *)data;
  stream.avail_in = (uInt)size;
  uint8_t *bytes = NULL;
  size_t used = 0, capacity = 0;
  int status = Z_OK;
  while (status == Z_OK) {
    if (used == capacity) {
      if (capacity >= limit) break;
      size_t wanted = capacity ? capacity * 2 : 4096;
      if (wanted > limit) wanted = limit;
      uint8_t *grown = realloc(bytes, wanted);
      if (!grown) {
        inflateEnd(&stream);
        free(bytes);
        return CI_OUT_OF_MEMORY;
      }
      bytes = grown;
      capacity = wanted;
    }
    const size_t room = capacity - used;
    stream.next_out = bytes + used;
    stream.avail_out = room > UINT32_MAX ? UINT32_MAX : (uInt)room;
    const uInt before = stream.avail_out;
    status = inflate(&stream, Z_NO_FLUSH);
    used += before - stream.avail_out;
    // No progress although there is room: the input ended before the stream did.
    if (status == Z_BUF_ERROR && stream.avail_out > 0) break;
    if (status == Z_BUF_ERROR) status = Z_OK;
  }
  inflateEnd(&stream);
  if (status == Z_STREAM_END) {
    *out = bytes;
    *out_size = used;
    return CI_OK;
  }
  free(bytes);
  return status == Z_OK ? CI_TOO_LARGE : status == Z_MEM_ERROR ? CI_OUT_OF_MEMORY : CI_DAMAGED;
}

uint32_t ci_crc32(const uint8_t *data, size_t size) { return (uint32_t)crc32_z(crc32_z(0, NULL, 0), data, size); }

void ci_free(void *memory) { free(memory); }
