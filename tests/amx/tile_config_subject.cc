// What llama.cpp's AMX code does before its first tile instruction: fill a local configuration and
// load it. Compiled twice with the flags of that code, with the cure and without; SUBJECT names it.

#include <immintrin.h>

#include <cstdint>

#include "tests/amx/tile_config_subject.h"

namespace plumbline {

void SUBJECT() {
  alignas(64) TileConfig config = {};
  config.palette = 1;
  for (int tile = 0; tile < kTiles; ++tile) {
    config.rows[tile] = static_cast<uint8_t>(ExpectedRows(tile));
    config.bytes_per_row[tile] = static_cast<uint16_t>(ExpectedBytesPerRow(tile));
  }
  _tile_loadconfig(&config);
}

}  // namespace plumbline
