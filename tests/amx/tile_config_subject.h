#pragma once

#include <cstdint>

namespace plumbline {

constexpr int kTiles = 8;

// The 64 bytes that `ldtilecfg` reads (Intel's manual, volume 1, "TILECFG"); tiles 8 to 15 don't
// exist in palette 1 and stay zero.
struct TileConfig {
  uint8_t palette;
  uint8_t start_row;
  uint8_t reserved[14];
  uint16_t bytes_per_row[16];
  uint8_t rows[16];
};
static_assert(sizeof(TileConfig) == 64);

// Every tile a shape of its own, none of them zero.
constexpr int ExpectedRows(int tile) { return 9 + tile % 8; }
constexpr int ExpectedBytesPerRow(int tile) { return 32 + 4 * tile; }

void LoadCured();    // compiled as llama.cpp's file is in this build
void LoadPlainly();  // compiled with the compiler's own header

}  // namespace plumbline
