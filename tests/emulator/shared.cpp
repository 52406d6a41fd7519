// Shared memory of a block: one arena per thread of the host, each variable of exactly its size between red zones, poisoned with NaN when
// the block begins.
#include "core/error.h"
#include "tests/emulator/block.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

namespace voxgrad::emulator {
namespace {
constexpr size_t kStatic = 48 << 10, kDynamic = 227 << 10;  // what a block of an H200 may have
constexpr size_t kZone = 128, kMostVariables = 32;
constexpr size_t kWindow = 1024;  // alignment of the window, in which addresses are swizzled
constexpr unsigned char kRedByte = 0xA5;
}  // namespace

void BlockRunner::begin_shared(RunningBlock& b, int64_t dynamic_bytes) {
  b.arena.resize(kStatic + kDynamic + 2 * kZone * (kMostVariables + 2) + kWindow);
  b.base = reinterpret_cast<unsigned char*>((reinterpret_cast<uintptr_t>(b.arena.data()) + kWindow - 1) / kWindow * kWindow);
  if (b.used > 0) ASAN_UNPOISON_MEMORY_REGION(b.base, b.used + kZone);  // after a block that was given up
  b.used = 0;
  b.shared.clear();
  b.seen.assign(b.arena.size() / 16, 0);
  b.dynamic = nullptr;
  if (dynamic_bytes > 0) b.dynamic = take_shared(b, "dynamic shared memory", nullptr, size_t(dynamic_bytes), 128);
}

unsigned char* BlockRunner::take_shared(RunningBlock& b, const char* name, const void* key, size_t bytes, size_t alignment) {
  const size_t begin = (b.used + kZone + alignment - 1) / alignment * alignment, end = begin + bytes;
  unsigned char* const p = b.base + begin;
  ASAN_UNPOISON_MEMORY_REGION(b.base + b.used, end + kZone - b.used);
  std::memset(b.base + b.used, kRedByte, begin - b.used);
  std::memset(p, 0xff, bytes);
  std::memset(p + bytes, kRedByte, kZone);
  ASAN_POISON_MEMORY_REGION(b.base + b.used, begin - b.used);
  ASAN_POISON_MEMORY_REGION(p + bytes, kZone);
  b.used = end;
  b.shared.push_back({name, key, p, bytes});
  return p;
}

void* BlockRunner::shared(const char* name, const void* key, size_t bytes, size_t alignment) {
  RunningBlock& b = block();
  size_t total = bytes;
  for (auto& v : b.shared) {
    if (v.key == key) return v.data;
    if (v.key) total += v.bytes;
  }
  if (total > kStatic || b.shared.size() >= kMostVariables)
    stop([&] {
      return "its shared variables take " + std::to_string(total) + " bytes, at most " + std::to_string(kStatic) + " are possible";
    });
  return take_shared(b, name, key, bytes, alignment);
}

void BlockRunner::check_red_zones(RunningBlock& b) {
  if (b.used > 0) ASAN_UNPOISON_MEMORY_REGION(b.base, b.used + kZone);
  for (auto& v : b.shared)
    for (size_t i = 1; i <= kZone && fault_.empty(); ++i)
      if (v.data[v.bytes + i - 1] != kRedByte || (i <= 16 && *(v.data - i) != kRedByte))
        fault_ = std::string("something wrote past an end of ") + v.name + ", " + std::to_string(v.bytes) + " bytes of shared memory";
}

uint32_t BlockRunner::offset(const void* p, const char* what) {
  const auto at = static_cast<const unsigned char*>(p) - block().base;
  if (at < 0 || at >= std::ptrdiff_t(1) << 18)
    stop([&] { return std::string(what) + ": an address outside the block's own shared memory"; });
  return uint32_t(at);
}

}  // namespace voxgrad::emulator
