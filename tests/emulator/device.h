#pragma once
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "core/execution.h"

// The emulated devices: streams as queues of work that nothing runs until somebody waits for it, and the memory.
struct CUevent_st {
  std::shared_ptr<CUevent_st> self;  // until the owner lets go; queued work holds it too
  CUstream_st* stream = nullptr;  // of the latest record
  uint64_t recorded = 0, reached = 0;
};

struct CUstream_st {
  int device = 0;
  struct Work {
    std::function<void()> run;
    std::shared_ptr<CUevent_st> waits_for;  // reached at least `version`
    uint64_t version = 0;
  };
  std::deque<Work> queue;
};

namespace voxgrad::emulator {

enum class MemoryKind { device, pinned };
struct Block {
  size_t bytes;
  int device;
  MemoryKind kind;
};

// One lock for everything: what runs on the devices runs one after the other.
class Device {
 public:
  static Device& instance();
  std::recursive_mutex mutex;

  int count() const { return count_; }
  size_t capacity() const { return capacity_; }
  size_t used(int device) const { return used_[size_t(device)]; }
  uint64_t next_seed();

  CUstream_st* new_stream(int device);
  void end_stream(CUstream_st*);
  void push(CUstream_st*, CUstream_st::Work);
  // Runs all that the stream holds. Chance decides which other streams have got on by then.
  void finish(CUstream_st*);
  // Runs the stream until the event is at the version.
  void reach(CUevent_st*, uint64_t version);
  void finish_all(int device);

  // Null where there is no room. Device memory can be touched while work of a stream runs, and at no other time, under ASan.
  void* allocate(size_t bytes, int device, MemoryKind);
  void free(void*);
  const Block* block_at(const void* p, size_t bytes, const char* what) const;  // null: ordinary memory of the host

  // Names of the kernels that ran, for VOXGRAD_EMULATOR_LOG.
  std::set<std::string> kernels_run;

 private:
  Device();
  void run_one(CUstream_st*);
  void open_memory(bool open);

  int count_ = 1, running_ = 0;
  size_t capacity_;
  uint64_t seed_;
  std::vector<size_t> used_;
  std::set<CUstream_st*> streams_;
  std::map<const char*, Block> blocks_;
};

}  // namespace voxgrad::emulator
