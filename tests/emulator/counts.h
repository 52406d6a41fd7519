#pragma once
#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

namespace voxgrad::emulator {

// What the blocks of a kernel did.
struct KernelCounts {
  int64_t blocks = 0;
  int64_t barriers = 0;   // __syncthreads of a whole block
  int64_t products = 0;   // matrix products of a warp, or of a warpgroup
  int64_t matrices = 0;   // matrices of 8 rows of 16 bytes that ldmatrix or products read
  int64_t conflicts = 0;  // passes over shared memory that these took beyond one each, since rows of a matrix lie in the same banks
  int64_t copied = 0;     // bytes that cp.async and bulk copies read of global memory
  int64_t waits = 0;      // of warps for mbarriers
  int64_t watched = 0;    // bytes that these and ordinary loads read of the range that is watched
  // With ordinary loads and stores of kernels of convolutions (accesses.h): bytes of global memory, each time, and in sectors of 32 bytes
  // that a block touches, each once, which no cache of its own can save it. Accesses of warps to shared memory, and the passes that
  // their loads and stores took beyond the least; where lanes run through a loop of stores at different times, too many.
  int64_t loaded = 0, stored = 0, read = 0, written = 0;
  int64_t accesses = 0, load_conflicts = 0, store_conflicts = 0;
  void operator+=(const KernelCounts&);
};

// Counts what kernels do while it lives, on any thread; one at a time. `watched`: a range of global memory, such as the activations.
class Counting {
 public:
  Counting(const void* watched, int64_t bytes);
  ~Counting();
  Counting(const Counting&) = delete;

  static Counting* alive() { return the_one_.load(std::memory_order_relaxed); }
  bool watches(const void* p) const { return p >= begin_ && p < end_; }
  void add(const std::string& kernel, const KernelCounts&);
  // Of all kernels whose names contain this, together.
  KernelCounts of(const std::string& part) const;

 private:
  inline static std::atomic<Counting*> the_one_ = nullptr;
  const char *begin_, *end_;
  std::map<std::string, KernelCounts> counts_;
  mutable std::mutex mutex_;
};

}  // namespace voxgrad::emulator
