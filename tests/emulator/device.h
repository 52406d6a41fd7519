#pragma once
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/device/execution.h"

// The emulated devices: streams as queues of work that nothing runs until somebody waits for it, and the memory.
struct CUevent_st {
  std::shared_ptr<CUevent_st> self;  // until the owner lets go; queued work holds it too
  CUstream_st* stream = nullptr;  // of the latest record
  uint64_t recorded = 0, reached = 0;
};

namespace voxgrad::emulator {
struct Record;
}

struct CUstream_st {
  int device = 0;
  struct Work {
    std::function<void()> run;
    std::shared_ptr<CUevent_st> waits_for;  // reached at least `version`
    uint64_t version = 0;
    bool to_host = false;  // writes to ordinary memory of the host, which may be gone once waiting for it has failed
  };
  std::deque<Work> queue;
  voxgrad::emulator::Record* record = nullptr;  // where work goes while it is recorded
};

namespace voxgrad::emulator {

// Recorded work. Memory taken meanwhile is the record's own; `touched` is other memory that the work names, by serial number.
struct Record {
  std::vector<CUstream_st::Work> work;
  std::map<void*, size_t> taken;                 // and not yet given back
  std::multimap<size_t, void*> free;             // own memory that can be taken again
  std::vector<void*> held;                       // released meanwhile, not the record's
  std::map<const char*, uint64_t> touched;
};

enum class MemoryKind { device, pinned };
struct Block {
  size_t bytes;
  int device;
  MemoryKind kind;
  uint64_t serial;
};

// One lock for everything: what runs on the devices runs one after the other.
class Device {
 public:
  static Device& instance();
  std::recursive_mutex mutex;

  int count() const { return count_; }
  size_t capacity() const { return capacity_; }
  int architecture() const { return architecture_; }  // 90: sm_90
  int multiprocessors() const { return multiprocessors_; }
  // Clusters of so many blocks, which fill a multiprocessor each, that run at once.
  int clusters_at_once(int blocks) const;
  // Bytes of dynamic shared memory that a block may have.
  int64_t most_shared() const;
  // Part of the names of kernels that fail when they run; empty: of none.
  const std::string& faulty_kernel() const { return faulty_kernel_; }
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
  // Of the block that holds p; null: none does.
  std::pair<const char*, const char*> range_at(const char* p) const;
  // Puts the blocks that the words of `bytes` point into among those the record touches.
  void note_pointers(Record&, const void* bytes, size_t count) const;
  void check_touched(const Record&) const;

  // Notes that a kernel runs, with so many bytes of dynamic shared memory.
  void note_kernel(const std::string& name, int64_t shared);
  int64_t launches() const { return launches_; }  // of kernels that ran
  const std::map<std::string, int64_t>& kernels_run() const { return kernels_run_; }  // with the most of these bytes

 private:
  friend class Described;
  Device();
  void run_one(CUstream_st*);
  void open_memory(bool open);

  int count_ = 1, running_ = 0;
  size_t capacity_;
  int architecture_, multiprocessors_ = 4;
  int part_ = 0;  // as in Described
  std::string faulty_kernel_;
  uint64_t seed_, blocks_made_ = 0;
  int64_t launches_ = 0;
  std::map<std::string, int64_t> kernels_run_;  // for VOXGRAD_EMULATOR_LOG
  std::vector<size_t> used_;
  std::set<CUstream_st*> streams_;
  std::map<const char*, Block> blocks_;
  std::map<const char*, Block>::const_iterator find(const char*) const;  // end: no block holds it
};

// While it lives the device is another one, with more memory: plans of kernels are made for it, and launches are held against its limits.
// part: multiprocessors of a part of it, within which a cluster lies; 0: all.
class Described {
 public:
  Described(int architecture, int multiprocessors, int part = 0);
  ~Described();
  Described(const Described&) = delete;

 private:
  static void become(int architecture, int multiprocessors, int part, size_t capacity);
  int architecture_, multiprocessors_, part_;
  size_t capacity_;
};

}  // namespace voxgrad::emulator
