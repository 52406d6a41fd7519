#pragma once
#include <cstddef>
#include <vector>

namespace voxgrad::emulator {

// A point of execution that can be left and entered again, with what AddressSanitizer has to know of its stack.
struct Fiber {
  void* top = nullptr;  // the saved stack pointer
  void* fake_stack = nullptr;
  const void* stack = nullptr;
  size_t stack_bytes = 0;
};

// Stacks for as many fibers as a block has threads, kept from block to block.
class Stacks {
 public:
  static constexpr size_t kBytes = 256 << 10;
  Stacks() = default;
  ~Stacks();
  Stacks(const Stacks&) = delete;
  // Makes fiber `index` start at `entry`, which never returns.
  void prepare(Fiber&, int index, void (*entry)());
  // Takes back what AddressSanitizer was told of the frames of fibers that were abandoned.
  void forget_frames();

 private:
  std::vector<char*> stacks_;
};

// Leaves `from` for `to`; returns when somebody switches back. A fiber that is never entered again leaves with `last`.
void switch_fiber(Fiber& from, Fiber& to, bool last = false);
// The first thing that a fiber does.
void fiber_entered();

}  // namespace voxgrad::emulator
