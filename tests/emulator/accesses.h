#pragma once
#include <cstdint>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "tests/emulator/counts.h"

namespace voxgrad::emulator {

// The ordinary loads and stores of the blocks that run together. The compiler calls accesses.cpp for each of them in kernels that are
// compiled so (cmake/cuda.cmake); what a thread reads or writes piece by piece of aligned 16 bytes is one access. The n-th access of the
// threads of a warp at one place of the code is one access of the warp, also where words happen to be neighbours for some of them alone.
class AccessLog {
 public:
  void begin(int threads);
  // Of shared memory, at the place `code`.
  void shared(int thread, uintptr_t code, uintptr_t at, int bytes, bool store, KernelCounts&);
  // Of global memory, by block `rank` of those that run together.
  void global(int rank, uintptr_t at, int64_t bytes, bool store, KernelCounts&);
  void end(KernelCounts&);
  bool is_global(const char* p);

 private:
  struct Open {
    uintptr_t code = 0, at = 0;
    int bytes = 0;
    bool store = false;
  };
  struct OfWarp {
    uintptr_t at[32] = {};  // of each lane; 0: it did not come here
    int bytes[32] = {};
    int lanes = 0;
    bool store = false;
  };
  struct Key {
    uintptr_t code;
    int64_t warp_and_turn;
    bool operator==(const Key&) const = default;
  };
  struct Hash {
    size_t operator()(const Key& k) const { return k.code * 0x9E3779B97F4A7C15u ^ uint64_t(k.warp_and_turn) * 0xC2B2AE3D27D4EB4Fu; }
  };
  void close(int thread, KernelCounts&);
  static void count(const OfWarp&, KernelCounts&);

  std::vector<Open> open_;
  std::vector<std::unordered_map<uintptr_t, int>> turns_;
  std::unordered_map<Key, OfWarp, Hash> warps_;
  std::unordered_set<uint64_t> touched_;
  uint64_t last_ = 0;                             // of these
  const char *first_ = nullptr, *end_ = nullptr;  // the block of global memory that was found last
};

}  // namespace voxgrad::emulator
