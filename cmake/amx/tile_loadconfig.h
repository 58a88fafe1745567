#pragma once

// A _tile_loadconfig() that tells the compiler what it reads.
//
// `ldtilecfg` reads 64 bytes. Older GCC (bug 114098) declares its input as one pointer, 8 bytes, so
// the optimiser drops the caller's stores to the other 56: the processor then loads whatever was on
// the stack and faults, or works with wrong tile shapes. Here the operand is the whole
// configuration. CMake has the compiler read this file first where llama.cpp loads a tile
// configuration (AmxTileConfig.cmake); without AMX in the target it defines nothing.

#include <immintrin.h>

#if defined(__AMX_TILE__) && defined(__GNUC__)

static inline __attribute__((always_inline)) void PlumblineTileLoadConfig(const void* config) {
  constexpr int kTileConfigBytes = 64;
  typedef const char TileConfig[kTileConfigBytes];
  __asm__ volatile("ldtilecfg\t%X0" ::"m"(*static_cast<TileConfig*>(config)));
}

#define _tile_loadconfig PlumblineTileLoadConfig

#endif
