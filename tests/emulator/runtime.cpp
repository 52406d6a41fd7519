// core/cuda/runtime.h without a GPU.
#include "core/cuda/runtime.h"

#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "core/cuda/launch_checks.h"
#include "core/error.h"
#include "core/parallel.h"
#include "tests/emulator/block.h"
#include "tests/emulator/device.h"

namespace voxgrad {
namespace emulator {
namespace {
using Lock = std::lock_guard<std::recursive_mutex>;

// The grid's blocks in an order drawn from the seed. Blocks on different threads of the host run at the same time.
void run_grid(const char* kernel, const LaunchShape& shape, uint64_t seed, const std::function<void()>& body) {
  const int64_t blocks = shape.blocks.x * shape.blocks.y * shape.blocks.z;
  int64_t step = int64_t(seed % uint64_t(blocks)) | 1;
  const auto common = [](int64_t a, int64_t b) {
    while (b) a = std::exchange(b, a % b);
    return a;
  };
  while (common(step, blocks) != 1) step += 2;
  step %= blocks;
  const int64_t first = int64_t((seed >> 20) % uint64_t(blocks));
  parallel_for(blocks, 1, [&](int64_t i) {
    const int64_t b = int64_t((static_cast<__int128>(i) * (blocks == 1 ? 1 : step) + first) % blocks);
    const Index3 index = {unsigned(b % shape.blocks.x), unsigned(b / shape.blocks.x % shape.blocks.y),
                          unsigned(b / shape.blocks.x / shape.blocks.y)};
    BlockRunner::here().run(kernel, shape, index, seed, body);
  });
}
}  // namespace

void enqueue(const char* kernel, Cuda on, const LaunchShape& shape, std::function<void()> body) {
  Device& d = Device::instance();
  Lock lock(d.mutex);
  d.push(on.stream, {.run = [kernel, shape, seed = d.next_seed(), body = std::move(body)] {
           Device::instance().kernels_run.insert(detail::kernel_name(kernel));
           run_grid(kernel, shape, seed, body);
         }});
}
}  // namespace emulator

namespace cuda {
using emulator::Device;
using emulator::Lock;
using emulator::MemoryKind;

int device_count() { return Device::instance().count(); }
DeviceInfo device_info(int device) {
  Device& d = Device::instance();
  Lock lock(d.mutex);
  return {.name = "emulator", .major = 9, .minor = 0, .multiprocessors = 4, .memory = d.capacity(),
          .free_memory = d.capacity() - d.used(device)};
}
void select(int) {}

Stream::Stream(int device) {
  Lock lock(Device::instance().mutex);
  handle_ = Device::instance().new_stream(device);
}
Stream::~Stream() {
  Lock lock(Device::instance().mutex);
  Device::instance().end_stream(handle_);
}
int device_of(Cuda on) { return on.stream->device; }
void synchronize(Cuda on) {
  Lock lock(Device::instance().mutex);
  Device::instance().finish(on.stream);
}

Event::Event(int) : handle_(new CUevent_st) { handle_->self.reset(handle_); }
Event::~Event() {
  Lock lock(Device::instance().mutex);
  const auto last = std::move(handle_->self);
}
void Event::record(Cuda on) {
  Device& d = Device::instance();
  Lock lock(d.mutex);
  handle_->stream = on.stream;
  d.push(on.stream, {.run = [e = handle_->self, version = ++handle_->recorded] { e->reached = version; }});
}
void Event::hold(Cuda on) const {
  Device& d = Device::instance();
  Lock lock(d.mutex);
  if (handle_->recorded) d.push(on.stream, {.waits_for = handle_->self, .version = handle_->recorded});
}
void Event::synchronize() const {
  Lock lock(Device::instance().mutex);
  Device::instance().reach(handle_, handle_->recorded);
}

void* allocate(Cuda on, size_t bytes) {
  Lock lock(Device::instance().mutex);
  return Device::instance().allocate(bytes, on.stream->device, MemoryKind::device);
}
void release(Cuda on, void* p) noexcept {
  Device& d = Device::instance();
  Lock lock(d.mutex);
  d.push(on.stream, {.run = [p] { Device::instance().free(p); }});
}
void trim(int device) {
  Lock lock(Device::instance().mutex);
  Device::instance().finish_all(device);
}
size_t reserved_bytes(int device) {
  Lock lock(Device::instance().mutex);
  return Device::instance().used(device);
}

void* allocate_pinned(size_t bytes) {
  Lock lock(Device::instance().mutex);
  return Device::instance().allocate(bytes, 0, MemoryKind::pinned);
}
void release_pinned(void* p) noexcept {
  Lock lock(Device::instance().mutex);
  if (p) Device::instance().free(p);
}

void copy(Cuda on, void* into, const void* from, size_t bytes) {
  Device& d = Device::instance();
  Lock lock(d.mutex);
  d.block_at(into, bytes, "copy");
  if (d.block_at(from, bytes, "copy")) {
    d.push(on.stream, {.run = [into, from, bytes] { std::memcpy(into, from, bytes); }});
    return;
  }
  const char* p = static_cast<const char*>(from);
  auto staged = std::make_shared<std::vector<char>>(p, p + bytes);
  d.push(on.stream, {.run = [into, staged] { std::memcpy(into, staged->data(), staged->size()); }});
}
void fill_bytes(Cuda on, void* into, unsigned char value, size_t bytes) {
  Device& d = Device::instance();
  Lock lock(d.mutex);
  check(d.block_at(into, bytes, "fill"), "emulator: a fill of memory that is not the device's");
  d.push(on.stream, {.run = [into, value, bytes] { std::memset(into, value, bytes); }});
}

}  // namespace cuda
}  // namespace voxgrad
