// Does the processor get the tile configuration that the code wrote? (See AmxTileConfig.cmake.)
//
// Where the processor has AMX and Linux lends it, the instruction runs and `sttilecfg` tells what
// was loaded. Everywhere else `ldtilecfg` raises SIGILL: the handler decodes its operand, keeps the
// 64 bytes that the hardware would have read, and steps over it. So the test says the same on any
// x86-64 machine, and a fault of the compiler shows on machines that have no AMX.

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>

#include "tests/amx/tile_config_subject.h"

namespace plumbline {
namespace {

std::optional<TileConfig> emulated_load;  // set by the handler

// General registers by their number in machine code.
constexpr std::array<int, 16> kRegisters = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                            REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                            REG_R12, REG_R13, REG_R14, REG_R15};

struct Operand {
  uintptr_t address;
  int length;  // of ModRM, SIB and displacement, bytes
};

// The memory operand that starts at `modrm`; `vex` is the byte with the inverted X and B bits.
Operand DecodeOperand(const uint8_t* modrm, uint8_t vex, const greg_t* registers) {
  const auto value = [&](int number) {
    return static_cast<uintptr_t>(registers[kRegisters[static_cast<size_t>(number)]]);
  };
  const int high_index = (vex & 0x40) ? 0 : 8;
  const int high_base = (vex & 0x20) ? 0 : 8;
  const int mod = *modrm >> 6;
  const int rm = *modrm & 7;
  const uint8_t* next = modrm + 1;
  int displacement_bytes = mod == 1 ? 1 : mod == 2 ? 4 : 0;
  uintptr_t address = 0;
  bool relative_to_rip = false;
  if (rm == 4) {
    const uint8_t sib = *next++;
    const int index = ((sib >> 3) & 7) + high_index;
    const bool no_base = (sib & 7) == 5 && mod == 0;
    if (no_base) displacement_bytes = 4;
    if (!no_base) address = value((sib & 7) + high_base);
    if (index != 4) address += value(index) << (sib >> 6);
  } else if (rm == 5 && mod == 0) {
    relative_to_rip = true;
    displacement_bytes = 4;
  } else {
    address = value(rm + high_base);
  }
  int8_t short_displacement = 0;
  int32_t long_displacement = 0;
  if (displacement_bytes == 1) std::memcpy(&short_displacement, next, 1);
  if (displacement_bytes == 4) std::memcpy(&long_displacement, next, 4);
  next += displacement_bytes;
  address += static_cast<uintptr_t>(short_displacement + long_displacement);
  if (relative_to_rip) address += reinterpret_cast<uintptr_t>(next);
  return {address, static_cast<int>(next - modrm)};
}

// ldtilecfg m512: VEX C4, [R X B 00010], 78, 49 /0.
void EmulateTileLoad(int, siginfo_t*, void* raw_context) {
  greg_t* registers = static_cast<ucontext_t*>(raw_context)->uc_mcontext.gregs;
  const auto* code = reinterpret_cast<const uint8_t*>(registers[REG_RIP]);
  const bool is_tile_load = code[0] == 0xC4 && (code[1] & 0x1F) == 0x02 && code[2] == 0x78 &&
                            code[3] == 0x49 && (code[4] & 0x38) == 0 && (code[4] >> 6) != 3;
  if (!is_tile_load) {
    signal(SIGILL, SIG_DFL);  // an illegal instruction of someone else: die of it
    return;
  }
  const Operand operand = DecodeOperand(code + 4, code[1], registers);
  emulated_load.emplace();
  std::memcpy(&*emulated_load, reinterpret_cast<const void*>(operand.address), sizeof(TileConfig));
  registers[REG_RIP] += 4 + operand.length;
}

bool ProcessorLendsTiles() {
  constexpr int kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr int kTileData = 18;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

// What the processor, or the handler in its place, has got after `load`.
TileConfig LoadedBy(void (*load)()) {
  struct sigaction emulate = {}, before = {};
  emulate.sa_sigaction = EmulateTileLoad;
  emulate.sa_flags = SA_SIGINFO;
  sigaction(SIGILL, &emulate, &before);
  emulated_load.reset();
  const bool real = ProcessorLendsTiles();
  load();
  TileConfig loaded = {};
  if (real) {
    __asm__ volatile("sttilecfg %0\n\ttilerelease" : "=m"(loaded));
  } else if (emulated_load) {
    loaded = *emulated_load;
  }
  sigaction(SIGILL, &before, nullptr);
  EXPECT_TRUE(real || emulated_load) << "no ldtilecfg was met";
  return loaded;
}

bool IsWhatWasWritten(const TileConfig& config) {
  bool same = config.palette == 1 && config.start_row == 0;
  for (int tile = 0; tile < kTiles; ++tile) {
    same = same && config.rows[tile] == ExpectedRows(tile) &&
           config.bytes_per_row[tile] == ExpectedBytesPerRow(tile);
  }
  return same;
}

TEST(AmxTileConfig, ArrivesWholeAsThisBuildCompilesIt) {
  EXPECT_TRUE(IsWhatWasWritten(LoadedBy(LoadCured)));
}

#if defined(__OPTIMIZE__) && defined(__GNUC__) && !defined(__clang__) && __GNUC__ == 12 && \
    __GNUC_MINOR__ < 4
// This compiler has the fault, so that without the cure the test above would fail.
TEST(AmxTileConfig, IsLostWithTheHeaderOfThisCompiler) {
  EXPECT_FALSE(IsWhatWasWritten(LoadedBy(LoadPlainly)));
}
#endif

}  // namespace
}  // namespace plumbline
