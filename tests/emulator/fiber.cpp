#include "tests/emulator/fiber.h"

#include <sys/mman.h>

#include <cstdint>

#include "core/error.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#define VOXGRAD_FIBERS_UNDER_ASAN 1
#endif
#ifndef __x86_64__
#error "the emulator switches fibers of x86-64 only"
#endif

// Saves the callee-saved registers and the stack pointer of the System V ABI and loads those of the other fiber.
extern "C" void voxgrad_switch_stacks(void** save, void* load);
asm(R"(
.text
.globl voxgrad_switch_stacks
.type voxgrad_switch_stacks, @function
voxgrad_switch_stacks:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size voxgrad_switch_stacks, .-voxgrad_switch_stacks
)");

namespace voxgrad::emulator {
namespace {
// The two sides of the switch under way, for the side that is entered.
thread_local Fiber *left = nullptr, *entered = nullptr;

void finish_switch() {
#ifdef VOXGRAD_FIBERS_UNDER_ASAN
  __sanitizer_finish_switch_fiber(entered->fake_stack, &left->stack, &left->stack_bytes);
#endif
}
}  // namespace

Stacks::~Stacks() {
  for (char* s : stacks_) munmap(s, kBytes);
}

void Stacks::prepare(Fiber& f, int index, void (*entry)()) {
  while (int(stacks_.size()) <= index) {
    void* p = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    check(p != MAP_FAILED, "emulator: no memory for the stacks of a block");
    stacks_.push_back(static_cast<char*>(p));
  }
  char* const base = stacks_[size_t(index)];
  // Stacks start at different offsets of a page, or all of them would meet in the same sets of the cache.
  uintptr_t top = reinterpret_cast<uintptr_t>(base) + kBytes - 64 - size_t(index) % 25 * 320;
  top &= ~uintptr_t(63);
  void** p = reinterpret_cast<void**>(top);
  *--p = nullptr;  // where the entry would return to; also what aligns its stack
  *--p = reinterpret_cast<void*>(entry);
  for (int saved = 0; saved < 6; ++saved) *--p = nullptr;
  f = {.top = p, .fake_stack = nullptr, .stack = base, .stack_bytes = kBytes};
}

void Stacks::forget_frames() {
#ifdef VOXGRAD_FIBERS_UNDER_ASAN
  for (char* s : stacks_) __asan_unpoison_memory_region(s, kBytes);
#endif
}

void switch_fiber(Fiber& from, Fiber& to, [[maybe_unused]] bool last) {
  left = &from, entered = &to;
#ifdef VOXGRAD_FIBERS_UNDER_ASAN
  __sanitizer_start_switch_fiber(last ? nullptr : &from.fake_stack, to.stack, to.stack_bytes);
#endif
  voxgrad_switch_stacks(&from.top, to.top);
  finish_switch();
}

void fiber_entered() { finish_switch(); }

}  // namespace voxgrad::emulator
