#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "tests/emulator/builtins.h"
#include "tests/emulator/counts.h"
#include "tests/emulator/fiber.h"

namespace voxgrad::emulator {

// Copies of the kind of cp.async, delivered when the thread waits for them.
struct PendingCopy {
  void* into;
  const void* from;
  int bytes;
  bool valid;
};

struct Thread {
  enum class State { ready, at_barrier, in_collective, exited };
  Fiber fiber;
  State state = State::ready;
  Place place{};
  unsigned mask = 0;                                   // of the collective it waits in
  const char* operation = "";                          // the name of it
  std::vector<std::vector<PendingCopy>> copy_groups;   // the last one is open
};

// Lanes of one warp on their way into one collective.
struct Rendezvous {
  int warp;
  unsigned mask, arrived = 0;
  const char* operation;
  Place place;
  void* operands[32] = {};
};

// Runs the blocks of a launch on one thread of the host, one after the other. Threads of a block are fibers: one runs until it waits for
// others, then one of those that can run follows, chosen by the seed.
class BlockRunner {
 public:
  // Throws Error that names kernel, block and threads where the block cannot go on or breaks a rule.
  void run(const char* kernel, const LaunchShape&, Index3 block, uint64_t seed, const std::function<void()>& body);

  static BlockRunner& here();  // of the calling thread of the host
  void barrier(Place);
  void collective(const char* operation, unsigned mask, void* operand, void (*combine)(Operands), Place);
  void* shared(const char* name, const void* key, size_t bytes, size_t alignment);
  unsigned char* dynamic() const { return dynamic_; }
  KernelCounts& counts() { return counts_; }
  Thread& current() { return threads_[size_t(running_)]; }
  // Gives up the block with the message that what() makes; does not return to the thread, so nothing of its stack is destroyed any more.
  template <class F>
  [[noreturn]] void stop(F&& what) {
    fault_ = what();
    abandon();
  }

 private:
  struct SharedVariable {
    const char* name;
    const void* key;
    unsigned char* data;
    size_t bytes;
  };

  [[noreturn]] void abandon();
  static void thread_main();
  void run_thread();
  void begin_shared(int64_t dynamic_bytes);
  void check_red_zones();
  unsigned char* take_shared(const char* name, const void* key, size_t bytes, size_t alignment);
  void take_ready();
  void resume_next(bool last);
  void suspend(Thread::State, Place);
  void release_barrier();
  std::string waiting_threads() const;
  uint64_t random();

  const char* kernel_ = nullptr;
  const std::function<void()>* body_ = nullptr;
  Index3 block_;
  std::vector<Thread> threads_;
  std::vector<int> ready_;
  std::vector<Rendezvous> meetings_;
  std::vector<SharedVariable> shared_;
  std::vector<unsigned char> arena_;
  size_t arena_used_ = 0;
  unsigned char* dynamic_ = nullptr;
  int running_ = -1, alive_ = 0, at_barrier_ = 0, first_at_barrier_ = 0;
  uint64_t random_ = 1;
  bool warps_run_ahead_ = false;
  Fiber main_;
  Stacks stacks_;
  std::string fault_;
  KernelCounts counts_;
};

}  // namespace voxgrad::emulator
