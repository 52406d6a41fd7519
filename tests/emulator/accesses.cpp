// What ordinary loads and stores of kernels touch, told by the compiler: the functions that -fsanitize=kernel-address calls.
#include "tests/emulator/accesses.h"

#include <algorithm>
#include <tuple>

#include "tests/emulator/block.h"
#include "tests/emulator/device.h"

namespace voxgrad::emulator {
namespace {
constexpr int kBanks = 32, kWord = 4, kPiece = 16, kSector = 32;
constexpr int kPassBytes = kBanks * kWord;
}  // namespace

void AccessLog::begin(int threads) {
  open_.assign(size_t(threads), {});
  turns_.assign(size_t(threads), {});
  warps_.clear();
  touched_.clear();
  last_ = 0, first_ = end_ = nullptr;
}

// Nothing is allocated or freed meanwhile: the block found last is looked at first.
bool AccessLog::is_global(const char* p) {
  if (p >= first_ && p < end_) return true;
  std::tie(first_, end_) = Device::instance().range_at(p);
  return first_;
}

void AccessLog::global(int rank, uintptr_t at, int64_t bytes, bool store, KernelCounts& c) {
  (store ? c.stored : c.loaded) += bytes;
  for (uintptr_t sector = at / kSector; sector <= (at + uintptr_t(bytes) - 1) / kSector; ++sector) {
    const uint64_t key = sector << 4 | uint64_t(rank) << 1 | uint64_t(store);
    if (key == last_) continue;
    last_ = key;
    if (touched_.insert(key).second) (store ? c.written : c.read) += kSector;
  }
}

void AccessLog::shared(int thread, uintptr_t code, uintptr_t at, int bytes, bool store, KernelCounts& c) {
  Open& o = open_[size_t(thread)];
  if (o.bytes > 0 && o.store == store && at == o.at + uintptr_t(o.bytes) && at / kPiece == o.at / kPiece) {
    o.bytes += bytes;
    if (code != o.code) ++turns_[size_t(thread)][code];
    return;
  }
  close(thread, c);
  o = {code, at, bytes, store};
}

void AccessLog::close(int thread, KernelCounts& c) {
  Open& o = open_[size_t(thread)];
  if (o.bytes == 0) return;
  const Key key{o.code, int64_t(thread / 32) << 40 | turns_[size_t(thread)][o.code]++};
  OfWarp& w = warps_[key];
  w.at[thread % 32] = o.at;
  w.bytes[thread % 32] = o.bytes;
  w.store = o.store;
  o.bytes = 0;
  if (++w.lanes == 32) {
    count(w, c);
    warps_.erase(key);
  }
}

// Neighbouring lanes that access 128 bytes together take one pass, where no bank has two of their words.
void AccessLog::count(const OfWarp& w, KernelCounts& c) {
  int least = kPiece;
  for (int lane = 0; lane < 32; ++lane)
    if (w.at[lane]) least = std::min(least, w.bytes[lane]);
  const int together = std::min(32, kPassBytes / std::max(least, kWord));
  ++c.accesses;
  for (int first = 0; first < 32; first += together) {
    std::vector<uintptr_t> words;
    for (int lane = first; lane < first + together; ++lane)
      if (w.at[lane])
        for (uintptr_t word = w.at[lane] / kWord; word <= (w.at[lane] + uintptr_t(w.bytes[lane]) - 1) / kWord; ++word)
          words.push_back(word);
    std::sort(words.begin(), words.end());
    words.erase(std::unique(words.begin(), words.end()), words.end());
    int in_bank[kBanks] = {}, most = 1;
    for (const uintptr_t word : words) most = std::max(most, ++in_bank[word % kBanks]);
    (w.store ? c.store_conflicts : c.load_conflicts) += most - 1;
  }
}

void AccessLog::end(KernelCounts& c) {
  for (size_t t = 0; t < open_.size(); ++t) close(int(t), c);
  for (auto& [key, w] : warps_) count(w, c);
}

namespace {

inline void note(const void* at, int64_t bytes, bool store, const void* code) {
  if (!Counting::alive()) return;
  BlockRunner::here().note_access(reinterpret_cast<uintptr_t>(at), bytes, store, reinterpret_cast<uintptr_t>(code));
}

}  // namespace

void BlockRunner::note_access(uintptr_t at, int64_t bytes, bool store, uintptr_t code) {
  if (running_ < 0) return;  // on the host
  RunningBlock& b = block();
  const auto* p = reinterpret_cast<const unsigned char*>(at);
  if (p >= b.base && p < b.base + b.used) return accesses_.shared(running_, code, at, int(bytes), store, counts_);
  const Fiber& fiber = current().fiber;
  if (const auto* stack = static_cast<const unsigned char*>(fiber.stack); p >= stack && p < stack + fiber.stack_bytes) return;
  note_global(p, bytes, store);
}

void BlockRunner::note_global(const void* p, int64_t bytes, bool store) {
  const Counting* all = Counting::alive();
  if (!all || !accesses_.is_global(static_cast<const char*>(p))) return;
  accesses_.global(rank(), reinterpret_cast<uintptr_t>(p), bytes, store, counts_);
  if (!store && all->watches(p)) counts_.watched += bytes;
}

}  // namespace voxgrad::emulator

// What the compiler calls in these files; where there is AddressSanitizer, it looks at the access first, and ends the program where it is
// wrong.
#ifdef __SANITIZE_ADDRESS__
#define VOXGRAD_LOOK(access, ...) __asan_##access(__VA_ARGS__)
#else
#define VOXGRAD_LOOK(access, ...) void()
#endif
#define VOXGRAD_ACCESS(bytes)                                                                              \
  extern "C" void __asan_load##bytes##_noabort(void* at) {                                                 \
    VOXGRAD_LOOK(load##bytes, at), voxgrad::emulator::note(at, bytes, false, __builtin_return_address(0)); \
  }                                                                                                        \
  extern "C" void __asan_store##bytes##_noabort(void* at) {                                                \
    VOXGRAD_LOOK(store##bytes, at), voxgrad::emulator::note(at, bytes, true, __builtin_return_address(0)); \
  }
VOXGRAD_ACCESS(1)
VOXGRAD_ACCESS(2)
VOXGRAD_ACCESS(4)
VOXGRAD_ACCESS(8)
VOXGRAD_ACCESS(16)
extern "C" void __asan_loadN_noabort(void* at, intptr_t n) {
  VOXGRAD_LOOK(loadN, at, n), voxgrad::emulator::note(at, n, false, __builtin_return_address(0));
}
extern "C" void __asan_storeN_noabort(void* at, intptr_t n) {
  VOXGRAD_LOOK(storeN, at, n), voxgrad::emulator::note(at, n, true, __builtin_return_address(0));
}
#ifndef __SANITIZE_ADDRESS__
extern "C" void __asan_handle_no_return() {}
#endif
#undef VOXGRAD_ACCESS
#undef VOXGRAD_LOOK
