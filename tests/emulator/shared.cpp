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
constexpr unsigned char kRedByte = 0xA5;
}  // namespace

void BlockRunner::begin_shared(int64_t dynamic_bytes) {
  arena_.resize(kStatic + kDynamic + 2 * kZone * (kMostVariables + 2));
  if (arena_used_ > 0) ASAN_UNPOISON_MEMORY_REGION(arena_.data(), arena_used_ + kZone);  // after a block that was given up
  arena_used_ = 0;
  shared_.clear();
  dynamic_ = nullptr;
  if (dynamic_bytes > 0) dynamic_ = take_shared("dynamic shared memory", nullptr, size_t(dynamic_bytes), 128);
}

unsigned char* BlockRunner::take_shared(const char* name, const void* key, size_t bytes, size_t alignment) {
  const auto base = reinterpret_cast<uintptr_t>(arena_.data());
  const size_t begin = ((base + arena_used_ + kZone + alignment - 1) / alignment * alignment) - base, end = begin + bytes;
  unsigned char* const p = arena_.data() + begin;
  ASAN_UNPOISON_MEMORY_REGION(arena_.data() + arena_used_, end + kZone - arena_used_);
  std::memset(arena_.data() + arena_used_, kRedByte, begin - arena_used_);
  std::memset(p, 0xff, bytes);
  std::memset(p + bytes, kRedByte, kZone);
  ASAN_POISON_MEMORY_REGION(arena_.data() + arena_used_, begin - arena_used_);
  ASAN_POISON_MEMORY_REGION(p + bytes, kZone);
  arena_used_ = end;
  shared_.push_back({name, key, p, bytes});
  return p;
}

void* BlockRunner::shared(const char* name, const void* key, size_t bytes, size_t alignment) {
  size_t total = bytes;
  for (auto& v : shared_) {
    if (v.key == key) return v.data;
    if (v.key) total += v.bytes;
  }
  if (total > kStatic || shared_.size() >= kMostVariables)
    stop([&] {
      return "its shared variables take " + std::to_string(total) + " bytes, at most " + std::to_string(kStatic) + " are possible";
    });
  return take_shared(name, key, bytes, alignment);
}

void BlockRunner::check_red_zones() {
  if (arena_used_ > 0) ASAN_UNPOISON_MEMORY_REGION(arena_.data(), arena_used_ + kZone);
  for (auto& v : shared_)
    for (size_t i = 1; i <= kZone && fault_.empty(); ++i)
      if (v.data[v.bytes + i - 1] != kRedByte || (i <= 16 && *(v.data - i) != kRedByte))
        fault_ = std::string("something wrote past an end of ") + v.name + ", " + std::to_string(v.bytes) + " bytes of shared memory";
}

}  // namespace voxgrad::emulator
