#pragma once
#include "core/memory/memory.h"

// Memory of the CPU behind core/memory/memory.h.
namespace voxgrad::cpu {

void* allocate(size_t bytes);
void release(void*, size_t bytes) noexcept;
void trim_memory();
MemoryStats memory_stats();
void reset_peak();
void check_red_zones();

}  // namespace voxgrad::cpu
