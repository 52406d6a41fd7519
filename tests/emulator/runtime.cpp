// core/cuda/runtime.h without a GPU.
#include "core/cuda/runtime.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "core/cuda/launch_checks.h"
#include "core/error.h"
#include "core/device/parallel.h"
#include "tests/emulator/block.h"
#include "tests/emulator/device.h"

namespace voxgrad {
namespace emulator {
namespace {
using Lock = std::lock_guard<std::recursive_mutex>;

// The grid's clusters of blocks in an order drawn from the seed. Blocks on different threads of the host run at the same time.
void run_grid(const char* kernel, const LaunchShape& shape, uint64_t seed, const std::function<void()>& body) {
  const int64_t along_x = shape.blocks.x / shape.cluster, blocks = along_x * shape.blocks.y * shape.blocks.z;
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
    const Index3 index = {unsigned(b % along_x * shape.cluster), unsigned(b / along_x % shape.blocks.y),
                          unsigned(b / along_x / shape.blocks.y)};
    BlockRunner::here().run(kernel, shape, index, seed, body);
  });
}
}  // namespace

void enqueue(const char* kernel, Cuda on, const LaunchShape& shape, std::function<void()> body, const void* arguments, size_t bytes) {
  Device& d = Device::instance();
  Lock lock(d.mutex);
  if (d.architecture() < 80) detail::fail_without_code(kernel, d.architecture() / 10, d.architecture() % 10);
  check(shape.cluster == 1 || d.architecture() >= 90, "kernel ", detail::kernel_name(kernel), ": clusters are of sm_90 and later");
  check(shape.shared <= d.most_shared(), "kernel ", detail::kernel_name(kernel), ": ", shape.shared,
        " bytes of dynamic shared memory, at most ", d.most_shared(), " are possible on sm_", d.architecture());
  if (on.stream->record) d.note_pointers(*on.stream->record, arguments, bytes);
  d.push(on.stream, {.run = [kernel, shape, body = std::move(body)] {
           const std::string name = detail::kernel_name(kernel);
           Device::instance().note_kernel(name, shape.shared);
           if (const std::string& bad = Device::instance().faulty_kernel(); !bad.empty() && name.find(bad) != name.npos)
             fail("kernel ", name, ": a planted fault");
           run_grid(kernel, shape, Device::instance().next_seed(), body);
         }});
}
}  // namespace emulator

// By shared memory and threads alone: the emulator knows no registers.
int detail::blocks_per_multiprocessor(const void*, int threads, int64_t shared) {
  constexpr int64_t kShared = 228 << 10, kOfSystem = 1 << 10, kMostThreads = 2048, kMostBlocks = 32;
  return int(std::min({kShared / (shared + kOfSystem), kMostThreads / threads, kMostBlocks}));
}

// As if a block filled its multiprocessor.
int detail::clusters_at_once(Cuda, const void*, int, int64_t, int cluster) {
  return emulator::Device::instance().clusters_at_once(cluster);
}

namespace cuda {
using emulator::Device;
using emulator::Lock;
using emulator::MemoryKind;
using emulator::Record;

int device_count() { return Device::instance().count(); }
std::string why_no_device() { return device_count() ? "" : "the emulator has no devices"; }
DeviceInfo device_info(int device) {
  Device& d = Device::instance();
  Lock lock(d.mutex);
  return {.name = "emulator",
          .major = d.architecture() / 10,
          .minor = d.architecture() % 10,
          .multiprocessors = d.multiprocessors(),
          .memory = d.capacity(),
          .free_memory = d.capacity() - d.used(device)};
}
Chip chip_of(Cuda) { return {.architecture = Device::instance().architecture(), .multiprocessors = Device::instance().multiprocessors()}; }
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
static int64_t wait_count = 0;
void synchronize(Cuda on) {
  Lock lock(Device::instance().mutex);
  ++wait_count;
  Device::instance().finish(on.stream);
}

int64_t waits() {
  Lock lock(Device::instance().mutex);
  return wait_count;
}

static void check_unrecorded(Cuda on) {
  if (on.stream->record) throw NotRecordable("emulator: streams wait for each other while work is recorded");
}

Event::Event(int) : handle_(new CUevent_st) { handle_->self.reset(handle_); }
Event::~Event() {
  Lock lock(Device::instance().mutex);
  const auto last = std::move(handle_->self);
}
void Event::record(Cuda on) {
  Device& d = Device::instance();
  Lock lock(d.mutex);
  check_unrecorded(on);
  handle_->stream = on.stream;
  d.push(on.stream, {.run = [e = handle_->self, version = ++handle_->recorded] { e->reached = version; }});
}
void Event::hold(Cuda on) const {
  Device& d = Device::instance();
  Lock lock(d.mutex);
  check_unrecorded(on);
  if (handle_->recorded) d.push(on.stream, {.waits_for = handle_->self, .version = handle_->recorded});
}
void Event::synchronize() const {
  Lock lock(Device::instance().mutex);
  ++wait_count;
  Device::instance().reach(handle_, handle_->recorded);
}
bool Event::reached() const {
  Lock lock(Device::instance().mutex);
  return handle_->reached == handle_->recorded;
}

struct Recording::State {
  Cuda last;  // stream given to, recording included
  emulator::Record record;
  // In the order of the stream: what it was given last may use it.
  void release_memory() {
    for (auto& [bytes, p] : record.free) record.held.push_back(p);
    record.free.clear();
    for (void* p : record.held) release(last, p);
    record.held.clear();
  }
};

Recording::Recording(Cuda on, const std::function<void()>& work) : state_(new State{on, {}}) {
  Device& d = Device::instance();
  const auto begin = [&](emulator::Record* into) {
    Lock lock(d.mutex);
    if (into && on.stream->record) throw NotRecordable("emulator: work is recorded while other work is");
    on.stream->record = into;
  };
  begin(&state_->record);
  try {
    work();
  } catch (...) {
    begin(nullptr);
    state_->release_memory();
    throw;
  }
  begin(nullptr);
  emulator::Record& r = state_->record;
  check(r.taken.empty(), "recording: memory was taken and is not given back by the end");
  for (auto& [bytes, p] : r.free) r.touched.erase(static_cast<const char*>(p));
}
Recording::~Recording() {
  Lock lock(Device::instance().mutex);
  state_->release_memory();
}
bool is_recorded(Cuda on) {
  Lock lock(Device::instance().mutex);
  return on.stream->record != nullptr;
}
bool Recording::replay(Cuda on) const {
  Device& d = Device::instance();
  Lock lock(d.mutex);
  d.check_touched(state_->record);
  state_->last = on;
  for (auto& w : state_->record.work) d.push(on.stream, w);
  return true;
}

void* allocate(Cuda on, size_t bytes) {
  Device& d = Device::instance();
  Lock lock(d.mutex);
  Record* record = on.stream->record;
  if (!record) return d.allocate(bytes, on.stream->device, MemoryKind::device);
  const auto kept = record->free.find(bytes);
  void* p = kept == record->free.end() ? d.allocate(bytes, on.stream->device, MemoryKind::device) : kept->second;
  if (!p) return nullptr;
  if (kept != record->free.end()) record->free.erase(kept);
  record->taken[p] = bytes;
  d.push(on.stream, {.run = [p, bytes] { std::memset(p, 0xff, bytes); }});
  return p;
}
void release(Cuda on, void* p) noexcept {
  Device& d = Device::instance();
  Lock lock(d.mutex);
  if (Record* record = on.stream->record) {
    const auto own = record->taken.find(p);
    if (own == record->taken.end()) return record->held.push_back(p);
    d.push(on.stream, {.run = [p, bytes = own->second] { std::memset(p, 0xff, bytes); }});
    record->free.emplace(own->second, p);
    record->taken.erase(own);
    return;
  }
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
  const auto* target = d.block_at(into, bytes, "copy");
  if (Record* record = on.stream->record) {
    if (!target) throw NotRecordable("emulator: a copy to ordinary memory of the host is recorded");
    d.note_pointers(*record, &into, sizeof into);
    d.note_pointers(*record, &from, sizeof from);
  }
  if (d.block_at(from, bytes, "copy")) {
    d.push(on.stream, {.run = [into, from, bytes] { std::memcpy(into, from, bytes); }, .to_host = !target});
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
  if (on.stream->record) d.note_pointers(*on.stream->record, &into, sizeof into);
  d.push(on.stream, {.run = [into, value, bytes] { std::memset(into, value, bytes); }});
}

}  // namespace cuda
}  // namespace voxgrad
