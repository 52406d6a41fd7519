#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/emulator/accesses.h"
#include "tests/emulator/builtins.h"
#include "tests/emulator/counts.h"
#include "tests/emulator/fiber.h"
#include "tests/emulator/warpgroup.h"

namespace voxgrad::emulator {

// Copies of the kind of cp.async, delivered when the thread waits for them.
struct PendingCopy {
  void* into;
  const void* from;
  int bytes;
  bool valid;
};

struct Thread {
  enum class State { ready, at_barrier, at_named_barrier, at_transactions, at_cluster_barrier, in_collective, exited };
  Fiber fiber;
  State state = State::ready;
  int index = 0, rank = 0;                             // in its block; of the block
  Place place{};
  unsigned mask = 0;                                   // of the collective it waits in
  const char* operation = "";                          // the name of it
  const void* barrier = nullptr;                       // the mbarrier, or the number of the named barrier, that it waits for
  int parity = 0;                                      // of the phase
  std::vector<std::vector<PendingCopy>> copy_groups;   // the last one is open
  std::vector<const void*> unfenced;                   // 16 bytes each that it wrote, and products cannot see yet
};

// An mbarrier: a phase ends when all arrivals are there and as many bytes as were expected.
struct Transactions {
  int arrivals = 0, pending = 0;
  int64_t bytes = 0;  // expected and not yet there
  uint64_t phase = 0;
  int initialised_by = 0;
  int64_t meetings = 0;  // of the threads until then
};

// A copy of the bulk kind to one block.
struct BulkCopy {
  std::function<void()> write;
  void* into;
  int64_t bytes;
  const void* barrier;
  int from = -1;  // the block of whose shared memory it is; -1: of global memory
};

// One block of those that run together, which are a cluster.
struct RunningBlock {
  struct SharedVariable {
    const char* name;
    const void* key;
    unsigned char* data;
    size_t bytes;
  };
  struct NamedBarrier {
    int threads = 0, arrived = 0;
  };
  Index3 index;
  std::vector<unsigned char> arena;
  unsigned char* base = nullptr;  // of the window of shared memory
  size_t used = 0;
  std::vector<SharedVariable> shared;
  unsigned char* dynamic = nullptr;
  int alive = 0, at_barrier = 0, first_at_barrier = 0;
  int64_t meetings = 0;  // of its threads at barriers
  NamedBarrier named[16];
  // Of each 16 bytes: 0: all can see it; 1: a copy is on its way; 2 + t: thread t wrote it, and products cannot see it yet.
  std::vector<uint16_t> seen;
};

// Lanes of one warp on their way into one collective.
struct Rendezvous {
  unsigned mask = 0, arrived = 0;
  const char* operation = "";
  Place place{};
  void* operands[32] = {};
};
// Those of a warp that are open: the first `open` of them.
struct Meetings {
  std::vector<Rendezvous> all;
  size_t open = 0;
};

// Runs the clusters of a launch on one thread of the host, one after the other. Threads of its blocks are fibers: one runs until it waits
// for others, then one of those that can run follows, chosen by the seed.
class BlockRunner {
 public:
  // The block, or the cluster that begins with it. Throws Error that names kernel, block and threads where it cannot go on or breaks a
  // rule.
  void run(const char* kernel, const LaunchShape&, Index3 block, uint64_t seed, const std::function<void()>& body);

  static BlockRunner& here();  // of the calling thread of the host
  void barrier(Place);
  void named_barrier(int number, int threads, Place);
  void collective(const char* operation, unsigned mask, void* operand, void (*combine)(Operands), Place);
  void* shared(const char* name, const void* key, size_t bytes, size_t alignment);
  unsigned char* dynamic() { return block().dynamic; }
  KernelCounts& counts() { return counts_; }
  Thread& current() { return threads_[size_t(running_)]; }
  RunningBlock& block() { return blocks_[size_t(current().rank)]; }
  RunningBlock& block_of(int rank) { return blocks_[size_t(rank)]; }
  int cluster() const { return int(blocks_.size()); }
  int rank() const { return threads_[size_t(running_)].rank; }
  // The products of the warp that runs.
  WarpProducts& products() { return products_[size_t(running_ / 32)]; }
  WarpgroupLog& log() { return logs_[size_t(running_ / 128)]; }

  // The window of shared memory: addresses in it are numbers of 18 bits.
  uint32_t offset(const void* p, const char* what);
  const unsigned char* at(uint32_t offset) { return block().base + offset; }
  uint16_t& seen(RunningBlock& b, const void* p) { return b.seen[size_t(static_cast<const unsigned char*>(p) - b.base) / 16]; }

  // mbarriers, which are known by their address.
  void begin_transactions(const void* barrier, int arrivals);
  void expect(const void* barrier, int64_t bytes);
  void arrive(const void* barrier);
  void arrive_elsewhere(const void* barrier, int rank);
  void wait(const void* barrier, int parity, Place);
  bool has_transactions() const { return !transactions_.empty(); }
  // Stops where no copy can be begun to the block. Before one is made: what a thread holds when it is stopped is never released.
  void check_copy(const RunningBlock&, const void* barrier);
  void begin_copy(RunningBlock&, BulkCopy);
  // Stops where 16 bytes of shared memory of the running block cannot yet be read by `what`.
  void check_seen(const void* p, const char* what);
  // The running thread wrote 16 bytes that products cannot see before its fence.
  void note_written(const void* p) {
    if (!has_transactions()) return;
    seen(block(), p) = uint16_t(2 + running_);
    current().unfenced.push_back(p);
  }
  // Ordinary accesses of the running thread, at the place `code`; and to global memory by whatever it is.
  void note_access(uintptr_t at, int64_t bytes, bool store, uintptr_t code);
  void note_global(const void*, int64_t bytes, bool store);
  void fence_proxy();
  void cluster_arrive();
  void cluster_wait(Place);

  // Gives up the block with the message that what() makes; does not return to the thread, so nothing of its stack is destroyed any more.
  template <class F>
  [[noreturn]] void stop(F&& what) {
    fault_ = what();
    abandon();
  }

 private:
  [[noreturn]] void abandon();
  static void thread_main();
  void run_thread();
  void begin_shared(RunningBlock&, int64_t dynamic_bytes);
  void check_red_zones(RunningBlock&);
  unsigned char* take_shared(RunningBlock&, const char* name, const void* key, size_t bytes, size_t alignment);
  void enter(int thread);
  void take_ready();
  void resume_next(bool last);
  void suspend(Thread::State, Place);
  void release_barrier(RunningBlock&);
  Transactions& transactions(const void* barrier, const char* what);
  void end_phase_if_complete(const void* barrier, Transactions&);
  void complete(const void* barrier, int64_t bytes);
  void deliver_one();
  void check_no_copies(const RunningBlock&);
  void release_cluster_if_complete();
  std::string waiting_threads() const;
  std::string where(size_t thread) const;
  uint64_t random();

  const char* kernel_ = nullptr;
  const std::function<void()>* body_ = nullptr;
  int each_ = 1;  // threads of a block
  std::vector<RunningBlock> blocks_;
  std::vector<Thread> threads_;
  std::vector<int> ready_;
  std::vector<Meetings> meetings_;  // of each warp
  std::map<const void*, Transactions> transactions_;
  std::vector<BulkCopy> copies_;
  BulkCopy arriving_ = {};  // one of them, while it does
  std::vector<WarpProducts> products_;
  std::vector<WarpgroupLog> logs_;
  AccessLog accesses_;
  int cluster_arrived_ = 0;
  int64_t cluster_meetings_ = 0;
  std::vector<int64_t> cluster_phase_;  // of each thread: the meeting that it arrived for
  int running_ = -1, alive_ = 0;
  uint64_t random_ = 1;
  bool warps_run_ahead_ = false;
  bool copies_late_ = false;  // they arrive when nothing else can go on
  Fiber main_;
  Stacks stacks_;
  std::string fault_;
  KernelCounts counts_;
};

std::string text_of(Place);

}  // namespace voxgrad::emulator
