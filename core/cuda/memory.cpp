// Memory of CUDA devices: the stream-ordered pool of the driver, with counts of what is handed out.
#include "core/cuda/memory.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "core/cuda/runtime.h"
#include "core/cuda/scratch.h"

namespace voxgrad {
namespace {
#if defined(__SANITIZE_ADDRESS__)
constexpr size_t kRedZone = 0;  // AddressSanitizer sees what goes past the end
#else
constexpr size_t kRedZone = 64;
#endif
constexpr size_t kGranule = 64;
constexpr unsigned char kRedByte = 0xA5;

struct Card {
  explicit Card(int index) : stream(index) {}
  cuda::Stream stream;  // of everything that does not ask for another one
  MemoryStats stats;
  std::unordered_map<void*, size_t> live;  // requested bytes; kept only when memory is checked
};

struct Cards {
  std::mutex mutex;
  std::vector<std::unique_ptr<Card>> of;
};
// Never destroyed: tensors with static storage duration may outlive it.
Cards& cards() {
  static Cards* all = new Cards;
  return *all;
}
Card& card(int device) {
  Cards& all = cards();
  std::lock_guard lock(all.mutex);
  if (all.of.empty()) all.of.resize(size_t(cuda::device_count()));
  check(device >= 0 && device < int(all.of.size()), "device cuda:", device, ": this machine has ", all.of.size(), " CUDA devices");
  auto& c = all.of[size_t(device)];
  if (!c) c = std::make_unique<Card>(device);
  return *c;
}

size_t rounded(size_t bytes) {
  const size_t wanted = bytes + (memory_checks_on() ? kRedZone : 0);
  return (std::max<size_t>(wanted, 1) + kGranule - 1) / kGranule * kGranule;
}

bool red_zone_intact(Cuda on, const void* p, size_t bytes) {
  if (kRedZone == 0) return true;
  unsigned char zone[kRedZone + 1];
  cuda::copy(on, zone, static_cast<const char*>(p) + bytes, kRedZone);
  cuda::synchronize(on);
  for (size_t i = 0; i < kRedZone; ++i)
    if (zone[i] != kRedByte) return false;
  return true;
}
}  // namespace

Cuda current_stream(Device d) {
  cuda::select(d.cuda_index);
  return card(d.cuda_index).stream.on();
}

void* cuda::take(Cuda on, size_t bytes) {
  const int device = device_of(on);
  Card& c = card(device);
  const size_t size = rounded(bytes), asked = memory_checks_on() ? bytes + kRedZone : bytes;
  void* p = cuda::allocate(on, asked);
  if (!p) {
    cuda::synchronize(on);
    cuda::trim(device);
    p = cuda::allocate(on, asked);
  }
  std::lock_guard lock(cards().mutex);
  if (!p) {
    const DeviceInfo info = device_info(device);
    throw OutOfMemory("out of memory: " + std::to_string(bytes) + " bytes were asked for while " + std::to_string(c.stats.in_use) +
                          " bytes are in use on cuda:" + std::to_string(device) + ", which has " + std::to_string(info.memory) +
                          " bytes, " + std::to_string(info.free_memory) + " of them free",
                      {device});
  }
  c.stats.in_use += size;
  c.stats.peak = std::max(c.stats.peak, c.stats.in_use);
  if (memory_checks_on()) {
    if (bytes > 0) fill_bytes(on, p, 0xff, bytes);
    if (kRedZone > 0) fill_bytes(on, static_cast<char*>(p) + bytes, kRedByte, kRedZone);
    c.live[p] = bytes;
  }
  return p;
}

void cuda::give_back(Cuda on, void* p, size_t bytes) noexcept try {
  if (!p) return;
  const int device = device_of(on);
  Card& c = card(device);
  if (memory_checks_on() && !is_recorded(on) && !red_zone_intact(on, p, bytes)) {
    std::fprintf(stderr, "voxgrad: something wrote past the end of a block of %zu bytes on cuda:%d\n", bytes, device);
    std::abort();
  }
  std::lock_guard lock(cards().mutex);
  c.live.erase(p);
  c.stats.in_use -= rounded(bytes);
  cuda::release(on, p);
} catch (const std::exception& e) {
  // A device in an error state reports it where its results are read; memory of it is gone with it.
  std::fprintf(stderr, "voxgrad: releasing %zu bytes of CUDA memory: %s\n", bytes, e.what());
}

void cuda::give_back(int device, void* p, size_t bytes) noexcept try {
  give_back(current_stream({device}), p, bytes);
} catch (const std::exception& e) {
  std::fprintf(stderr, "voxgrad: releasing %zu bytes of CUDA memory: %s\n", bytes, e.what());
}

Scratch::Scratch(Cuda on, int64_t bytes, Asker by) try : on_(on), bytes_(bytes), data_(cuda::take(on, size_t(bytes))) {
} catch (const OutOfMemory& e) { throw e.of(by); }
Scratch::Scratch(Cuda on, const void* from, int64_t bytes, Asker by) : Scratch(on, bytes, by) {
  if (bytes > 0) cuda::copy(on, data_, from, size_t(bytes));
}
void Scratch::read(void* into, int64_t bytes) const {
  cuda::copy(on_, into, data_, size_t(bytes));
  cuda::synchronize(on_);
}
Scratch::~Scratch() { cuda::give_back(on_, data_, size_t(bytes_)); }

void cuda::trim_memory(int device) {
  synchronize(current_stream({device}));
  trim(device);
}

MemoryStats cuda::memory_stats(int device) {
  Card& c = card(device);
  const size_t reserved = reserved_bytes(device);
  std::lock_guard lock(cards().mutex);
  MemoryStats s = c.stats;
  s.cached = reserved > s.in_use ? reserved - s.in_use : 0;
  return s;
}

size_t cuda::free_memory(int device) {
  const size_t reserved = reserved_bytes(device), unreserved = device_info(device).free_memory;
  Card& c = card(device);
  std::lock_guard lock(cards().mutex);
  return unreserved + reserved - std::min(reserved, c.stats.in_use);
}

void cuda::reset_peak(int device) {
  Card& c = card(device);
  std::lock_guard lock(cards().mutex);
  c.stats.peak = c.stats.in_use;
}

void cuda::check_red_zones() {
  for (int device = 0; device < cuda::device_count(); ++device) {
    Card& c = card(device);
    const Cuda on = current_stream({device});
    std::lock_guard lock(cards().mutex);
    for (auto& [p, bytes] : c.live)
      check(red_zone_intact(on, p, bytes), "memory: something wrote past the end of a block of ", bytes, " bytes on cuda:", device);
  }
}

void cuda::copy_bytes(Device to, void* into, Device from_device, const void* from, size_t bytes) {
  const Cuda on = current_stream(to.is_cpu() ? from_device : to);
  if (!to.is_cpu() && !from_device.is_cpu() && to != from_device) {
    Event written(from_device.cuda_index);
    written.record(current_stream(from_device));
    written.hold(current_stream(to));
    cuda::copy(on, into, from, bytes);
    cuda::synchronize(on);  // before `from` may be released in the order of its own stream
    return;
  }
  cuda::copy(on, into, from, bytes);
  if (to.is_cpu()) cuda::synchronize(on);
}

}  // namespace voxgrad
