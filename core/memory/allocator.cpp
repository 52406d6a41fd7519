// Memory of the CPU: blocks of rounded sizes, kept on release and handed out again, because fresh pages cost more than a convolution's
// epilogue. A block serves requests down to half its size, and what is kept beside what is in use stays near the most that was
// ever in use at once.
#include <sys/mman.h>

#include <bit>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "core/memory/allocator.h"

#if defined(__SANITIZE_ADDRESS__)
#define VOXGRAD_KEEP_BLOCKS false  // let AddressSanitizer see every release
#else
#define VOXGRAD_KEEP_BLOCKS true
#endif

namespace voxgrad {
namespace {
constexpr size_t kRedZone = 64, kSmall = 64 << 10, kHuge = 4 << 20, kPage = cpu::kHugePage, kSpare = 64 << 20;
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
  std::unordered_map<void*, size_t> sizes;  // of the blocks in use that are not small
  std::unordered_map<void*, size_t> live;   // requested bytes; kept only when memory is checked
  MemoryStats stats;
  const bool checked = [] {
    const char* text = std::getenv("VOXGRAD_CHECK_MEMORY");
    return text && std::strcmp(text, "0") != 0;
  }();

  // Gives kept blocks back, the largest first, until no more than `most` bytes are kept.
  void trim(size_t most = 0) {
    while (stats.cached > most && !free.empty()) {
      const auto largest = std::prev(free.end());
      std::free(largest->second.back());
      stats.cached -= largest->first;
      largest->second.pop_back();
      if (largest->second.empty()) free.erase(largest);
    }
  }
  // A kept block for `size` bytes, which becomes the size of the block; null where there is none.
  void* take(size_t& size) {
    const auto it = free.lower_bound(size);
    if (it == free.end() || it->first > 2 * size) return nullptr;
    void* p = it->second.back();
    size = it->first, stats.cached -= size;
    it->second.pop_back();
    if (it->second.empty()) free.erase(it);
    return p;
  }
};
Pool& pool() {
  static Pool* p = new Pool;  // never destroyed: tensors with static storage duration may outlive it
  return *p;
}

// From a huge page on, the whole ones of a block are huge, and of kHuge bytes and more all of it.
void* from_system(size_t size) {
  if (size < kPage) return std::aligned_alloc(64, size);
  if (size >= kHuge) size = (size + kPage - 1) / kPage * kPage;
  void* p = nullptr;
  if (posix_memalign(&p, kPage, size) != 0) return nullptr;
  madvise(p, size / kPage * kPage, MADV_HUGEPAGE);
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
  size_t size = rounded(bytes + (m.checked ? kRedZone : 0));
  std::lock_guard lock(m.mutex);
  void* p = size > kSmall ? m.take(size) : nullptr;
  if (!p) {
    const size_t most = m.stats.peak + m.stats.peak / 4 + kSpare, others = m.stats.in_use + size;
    m.trim(most > others ? most - others : 0);
    p = from_system(size);
    if (!p) m.trim(), p = from_system(size);
    if (!p)
      throw OutOfMemory("out of memory: " + std::to_string(bytes) + " bytes were asked for while " + std::to_string(m.stats.in_use) +
                            " bytes are in use on the CPU; a smaller patch or batch needs less",
                        {});
  }
  if (size > kSmall) m.sizes[p] = size;
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
  size_t size = rounded(bytes + (m.checked ? kRedZone : 0));
  std::lock_guard lock(m.mutex);
  if (size > kSmall) {
    const auto it = m.sizes.find(p);
    size = it->second;
    m.sizes.erase(it);
  }
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
