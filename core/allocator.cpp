// Memory of the CPU: blocks of rounded sizes, kept on release and handed out again, because fresh pages cost more than a convolution's
// epilogue.
#include <sys/mman.h>

#include <bit>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "core/allocator.h"

#if defined(__SANITIZE_ADDRESS__)
#define VOXGRAD_KEEP_BLOCKS false  // let AddressSanitizer see every release
#else
#define VOXGRAD_KEEP_BLOCKS true
#endif

namespace voxgrad {
namespace {
constexpr size_t kRedZone = 64, kSmall = 64 << 10, kHuge = 4 << 20;
constexpr unsigned char kRedByte = 0xA5;

// Small sizes to 64 bytes, others up to one of eight steps between powers of two: equal sizes meet again, 12.5 % is lost at most.
size_t rounded(size_t bytes) {
  if (bytes <= kSmall) return (bytes + 63) / 64 * 64 + (bytes == 0 ? 64 : 0);
  const size_t step = std::bit_floor(bytes - 1) / 8;
  return (bytes + step - 1) / step * step;
}

struct Pool {
  std::mutex mutex;
  std::map<size_t, std::vector<void*>> free;
  std::unordered_map<void*, size_t> live;  // requested bytes; kept only when memory is checked
  MemoryStats stats;
  const bool checked = [] {
    const char* text = std::getenv("VOXGRAD_CHECK_MEMORY");
    return text && std::strcmp(text, "0") != 0;
  }();

  void trim() {
    for (auto& [size, blocks] : free)
      for (void* p : blocks) std::free(p);
    free.clear();
    stats.cached = 0;
  }
};
Pool& pool() {
  static Pool* p = new Pool;  // never destroyed: tensors with static storage duration may outlive it
  return *p;
}

void* from_system(size_t size) {
  void* p = std::aligned_alloc(size >= kHuge ? size_t(2) << 20 : 64, size >= kHuge ? (size + (2 << 20) - 1) >> 21 << 21 : size);
  if (p && size >= kHuge) madvise(p, size, MADV_HUGEPAGE);
  return p;
}

bool red_zone_intact(const void* p, size_t bytes) {
  for (size_t i = 0; i < kRedZone; ++i)
    if (static_cast<const unsigned char*>(p)[bytes + i] != kRedByte) return false;
  return true;
}
}  // namespace

void* cpu::allocate(size_t bytes) {
  Pool& m = pool();
  const size_t size = rounded(bytes + (m.checked ? kRedZone : 0));
  std::lock_guard lock(m.mutex);
  void* p = nullptr;
  if (auto it = m.free.find(size); it != m.free.end() && !it->second.empty()) {
    p = it->second.back();
    it->second.pop_back();
    m.stats.cached -= size;
  } else {
    // What is kept may not outgrow what is used: sizes that no longer occur are given back.
    if (m.stats.cached > m.stats.in_use / 2 + (size_t(256) << 20)) m.trim();
    p = from_system(size);
    if (!p) m.trim(), p = from_system(size);
    if (!p)
      fail("out of memory: ", bytes, " bytes were asked for while ", m.stats.in_use,
           " bytes are in use on the CPU; a smaller patch or batch needs less");
  }
  m.stats.in_use += size;
  m.stats.peak = std::max(m.stats.peak, m.stats.in_use);
  if (m.checked) {
    std::memset(p, 0xff, bytes);
    std::memset(static_cast<char*>(p) + bytes, kRedByte, kRedZone);
    m.live[p] = bytes;
  }
  return p;
}

void cpu::release(void* p, size_t bytes) noexcept {
  if (!p) return;
  Pool& m = pool();
  const size_t size = rounded(bytes + (m.checked ? kRedZone : 0));
  std::lock_guard lock(m.mutex);
  if (m.checked) {
    m.live.erase(p);
    if (!red_zone_intact(p, bytes)) {
      std::fprintf(stderr, "voxgrad: something wrote past the end of a block of %zu bytes\n", bytes);
      std::abort();
    }
  }
  m.stats.in_use -= size;
  if (!VOXGRAD_KEEP_BLOCKS || size <= kSmall) return std::free(p);
  m.free[size].push_back(p);
  m.stats.cached += size;
}

bool memory_checks_on() { return pool().checked; }

void cpu::check_red_zones() {
  Pool& m = pool();
  std::lock_guard lock(m.mutex);
  for (auto& [p, bytes] : m.live) check(red_zone_intact(p, bytes), "memory: something wrote past the end of a block of ", bytes, " bytes");
}

void cpu::trim_memory() {
  std::lock_guard lock(pool().mutex);
  pool().trim();
}
MemoryStats cpu::memory_stats() {
  std::lock_guard lock(pool().mutex);
  return pool().stats;
}
void cpu::reset_peak() {
  std::lock_guard lock(pool().mutex);
  pool().stats.peak = pool().stats.in_use;
}

}  // namespace voxgrad
