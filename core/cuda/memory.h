#pragma once
#include "core/device/execution.h"
#include "core/memory/memory.h"

// Memory of CUDA devices behind core/memory/memory.h.
namespace voxgrad::cuda {

// Uninitialised memory for work given to the stream from now on, and back, for work given to it before.
void* take(Cuda, size_t bytes);
void give_back(Cuda, void*, size_t bytes) noexcept;
void give_back(int device, void*, size_t bytes) noexcept;  // for work given to the current stream
void trim_memory(int device);
MemoryStats memory_stats(int device);
size_t free_memory(int device);  // what is kept included
void reset_peak(int device);
// Throws where something wrote past the end of a live block.
void check_red_zones();
// Either side may be the CPU. Returns when `from` may be changed and, where `into` is on the CPU, when it is written.
void copy_bytes(Device to, void* into, Device from_device, const void* from, size_t bytes);

}  // namespace voxgrad::cuda
