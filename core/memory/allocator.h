#pragma once
#include "core/memory/memory.h"

// Memory of the CPU behind core/memory/memory.h.
namespace voxgrad::cpu {

// The whole ones of these of a block, and all of a block of 4 MiB and more, are huge pages, where the system has them.
inline constexpr size_t kHugePage = 2 << 20;

void* allocate(size_t bytes);
void release(void*, size_t bytes) noexcept;
void trim_memory();
MemoryStats memory_stats();
void reset_peak();
void check_red_zones();

}  // namespace voxgrad::cpu
