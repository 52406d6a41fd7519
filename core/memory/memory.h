#pragma once
#include <cstddef>
#include <cstdint>

#include "core/memory/asker.h"
#include "core/device/device.h"
#include "core/memory/memory_kernels.h"

namespace voxgrad {

struct OutOfMemory : Error {
  OutOfMemory(const std::string& text, Device d) : Error(text), device(d) {}
  // With a word about who asked in front.
  OutOfMemory of(const std::string& who) const { return {who + ": " + what(), device}; }
  OutOfMemory of(Asker) const;

  Device device;
};

// Memory of a device, aligned to 64 bytes, uninitialised. Freed blocks are kept and handed out again.
void* allocate(Device, size_t bytes);
void release(Device, void* data, size_t bytes) noexcept;
// Gives what is kept back to the system.
void trim_memory(Device);

struct MemoryStats {
  size_t in_use = 0;  // bytes handed out now
  size_t peak = 0;    // the largest in_use since the last reset
  size_t cached = 0;  // bytes kept for reuse
};
MemoryStats memory_stats(Device);
// Bytes that can still be asked for; 0 where nobody knows, as on the CPU.
size_t free_memory(Device);
void reset_peak_memory(Device);

void copy_bytes(Device to, void* dst, Device from, const void* src, size_t bytes);

// With VOXGRAD_CHECK_MEMORY=1 in the environment, new memory is filled with NaN (all bits one) and followed by a red zone, which is
// verified on release and here. Throws if a kernel wrote past the end of a live block. Does nothing when the checks are off.
bool memory_checks_on();
void check_red_zones();

}  // namespace voxgrad
