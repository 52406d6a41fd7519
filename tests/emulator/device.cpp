#include "tests/emulator/device.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>

#include "core/cuda/runtime.h"
#include "core/error.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

namespace voxgrad::emulator {
namespace {
uint64_t number_from(const char* variable, uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

// Adds the names to the file of VOXGRAD_EMULATOR_LOG when the program ends.
void write_log() {
  const char* path = std::getenv("VOXGRAD_EMULATOR_LOG");
  if (!path) return;
  if (std::FILE* f = std::fopen(path, "a")) {
    for (auto& [name, shared] : Device::instance().kernels_run())
      std::fprintf(f, "%lld %s\n", static_cast<long long>(shared), name.c_str());
    std::fclose(f);
  }
}
}  // namespace

Device::Device()
    : count_(int(number_from("VOXGRAD_EMULATED_DEVICES", 1))),
      capacity_(number_from("VOXGRAD_EMULATED_MEMORY", size_t(4) << 30)),
      architecture_(int(number_from("VOXGRAD_EMULATED_ARCHITECTURE", 90))),
      faulty_kernel_(std::getenv("VOXGRAD_EMULATED_FAULT") ? std::getenv("VOXGRAD_EMULATED_FAULT") : ""),
      seed_(number_from("VOXGRAD_EMULATOR_SEED", 1)),
      used_(size_t(count_)) {
  std::atexit(write_log);
}

Device& Device::instance() {
  static Device* d = new Device;  // never destroyed: tensors with static storage duration may outlive it
  return *d;
}

uint64_t Device::next_seed() {
  seed_ = seed_ * 6364136223846793005u + 1442695040888963407u;
  return seed_ ^ seed_ >> 29;
}

void Device::note_kernel(const std::string& name, int64_t shared) {
  ++launches_;
  int64_t& most = kernels_run_[name];
  if (shared > most) most = shared;
}

int64_t Device::most_shared() const {
  const int major = architecture_ / 10, minor = architecture_ % 10;
  if (major == 9 || major == 10 || major == 11) return 227 << 10;
  return (major == 8 && minor != 6 && minor != 9 ? 163 : 99) << 10;
}

int Device::clusters_at_once(int blocks) const {
  const int part = part_ > 0 ? part_ : multiprocessors_;
  return multiprocessors_ / part * (part / blocks) + multiprocessors_ % part / blocks;
}

Described::Described(int architecture, int multiprocessors, int part)
    : architecture_(Device::instance().architecture_), multiprocessors_(Device::instance().multiprocessors_),
      part_(Device::instance().part_), capacity_(Device::instance().capacity_) {
  become(architecture, multiprocessors, part, size_t(16) << 30);
}
Described::~Described() { become(architecture_, multiprocessors_, part_, capacity_); }
void Described::become(int architecture, int multiprocessors, int part, size_t capacity) {
  Device& d = Device::instance();
  const std::lock_guard lock(d.mutex);
  d.architecture_ = architecture, d.multiprocessors_ = multiprocessors, d.part_ = part, d.capacity_ = capacity;
}

CUstream_st* Device::new_stream(int device) {
  auto* s = new CUstream_st{.device = device, .queue = {}};
  streams_.insert(s);
  return s;
}
void Device::end_stream(CUstream_st* s) try {
  finish(s);
  streams_.erase(s);
  delete s;
} catch (const std::exception&) {  // a fault of what it ran or waited for, which shows where results are read
  streams_.erase(s);
  delete s;
}
void Device::push(CUstream_st* s, CUstream_st::Work w) {
  check(streams_.contains(s), "emulator: work is given to a stream that does not exist");
  if (s->record) s->record->work.push_back(std::move(w));
  else s->queue.push_back(std::move(w));
}

void Device::run_one(CUstream_st* s) {
  const CUstream_st::Work work = std::move(s->queue.front());
  s->queue.pop_front();
  if (work.waits_for) return reach(work.waits_for.get(), work.version);
  if (running_++ == 0) open_memory(true);
  try {
    work.run();
  } catch (...) {
    if (--running_ == 0) open_memory(false);
    throw;
  }
  if (--running_ == 0) open_memory(false);
}

void Device::finish(CUstream_st* s) try {
  if (s->record) throw cuda::NotRecordable("emulator: a stream is waited for while its work is recorded");
  for (CUstream_st* other : streams_)
    if (other != s && other->device == s->device && next_seed() % 2)
      for (size_t n = next_seed() % (other->queue.size() + 1); n > 0 && !other->queue.empty(); --n) run_one(other);
  while (!s->queue.empty()) run_one(s);
} catch (...) {
  std::erase_if(s->queue, [](const CUstream_st::Work& w) { return w.to_host; });
  throw;
}

void Device::reach(CUevent_st* e, uint64_t version) {
  while (e->reached < version) {
    check(!e->stream->queue.empty(), "emulator: a stream waits for an event that nothing will record");
    run_one(e->stream);
  }
}

void Device::finish_all(int device) {
  for (CUstream_st* s : streams_)
    while (s->device == device && !s->queue.empty()) run_one(s);
}

void Device::open_memory([[maybe_unused]] bool open) {
#if defined(__SANITIZE_ADDRESS__)
  for (auto& [p, b] : blocks_) {
    if (b.kind != MemoryKind::device) continue;
    if (open) ASAN_UNPOISON_MEMORY_REGION(p, b.bytes);
    else ASAN_POISON_MEMORY_REGION(p, b.bytes);
  }
#endif
}

void* Device::allocate(size_t bytes, int device, MemoryKind kind) {
  if (kind == MemoryKind::device && used_[size_t(device)] + bytes > capacity_) return nullptr;
  void* p = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
  if (!p) return nullptr;
  std::memset(p, 0xff, bytes);
  const size_t slack = (bytes + 255) / 256 * 256 - bytes;
  ASAN_POISON_MEMORY_REGION(static_cast<char*>(p) + bytes, slack);
  if (kind == MemoryKind::device) {
    used_[size_t(device)] += bytes;
    if (running_ == 0) ASAN_POISON_MEMORY_REGION(p, bytes);
  }
  blocks_[static_cast<char*>(p)] = {bytes, device, kind, ++blocks_made_};
  return p;
}

void Device::free(void* p) {
  const auto found = blocks_.find(static_cast<char*>(p));
  check(found != blocks_.end(), "emulator: memory is released that was not allocated, or was released already");
  const Block b = found->second;
  if (b.kind == MemoryKind::device) used_[size_t(b.device)] -= b.bytes;
  blocks_.erase(found);
  ASAN_UNPOISON_MEMORY_REGION(p, (b.bytes + 255) / 256 * 256);
  std::memset(p, 0xff, b.bytes);
  std::free(p);
}

std::map<const char*, Block>::const_iterator Device::find(const char* at) const {
  auto found = blocks_.upper_bound(at);
  if (found == blocks_.begin()) return blocks_.end();
  --found;
  return at < found->first + (found->second.bytes + 255) / 256 * 256 ? found : blocks_.end();
}

void Device::note_pointers(Record& record, const void* bytes, size_t count) const {
  for (size_t at = 0; at + sizeof(char*) <= count; at += sizeof(char*)) {
    const char* p;
    std::memcpy(&p, static_cast<const char*>(bytes) + at, sizeof p);
    if (const auto found = find(p); found != blocks_.end()) record.touched[found->first] = found->second.serial;
  }
}

void Device::check_touched(const Record& record) const {
  for (auto& [p, serial] : record.touched) {
    const auto found = blocks_.find(p);
    check(found != blocks_.end() && found->second.serial == serial,
          "emulator: recorded work is replayed after memory that it uses was released");
  }
}

const Block* Device::block_at(const void* p, size_t bytes, const char* what) const {
  const char* at = static_cast<const char*>(p);
  const auto found = find(at);
  if (found == blocks_.end()) return nullptr;
  const auto& [base, b] = *found;
  check(at + bytes <= base + b.bytes, "emulator: a ", what, " of ", bytes, " bytes goes past the end of a block of ", b.bytes, " bytes");
  return &b;
}

std::pair<const char*, const char*> Device::range_at(const char* p) const {
  const auto found = find(p);
  if (found == blocks_.end()) return {};
  return {found->first, found->first + found->second.bytes};
}

}  // namespace voxgrad::emulator
