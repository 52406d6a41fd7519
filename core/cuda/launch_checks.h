#pragma once
#include <cstdint>
#include <string>

#include "core/device/execution.h"

namespace voxgrad::detail {

// Throws Error where a grid lies outside the limits of CUDA, in no whole clusters or beyond the memory of an H200's block.
void check_grid(const char* kernel, const int64_t (&blocks)[3], int threads, int64_t shared, int cluster);
// Lets a kernel use more dynamic shared memory than 48 KiB.
void allow_shared(const char* kernel, const void* function, int64_t bytes);
// For the LaunchLog of the thread, where there is one.
void note_launch(const char* kernel, const void* function, int64_t blocks, int threads, int64_t shared);
// Blocks of a kernel that fit a multiprocessor at a time.
int blocks_per_multiprocessor(const void* function, int threads, int64_t shared);
// Clusters of so many blocks of a kernel that the device runs at a time; 0: it has no such clusters.
int clusters_at_once(Cuda, const void* function, int threads, int64_t shared, int cluster);
// Throws Error where the launch before it failed.
void check_launch(const char* kernel, Cuda);

// Throws Error where the build has no code for a device of this compute capability.
[[noreturn]] void fail_without_code(const char* kernel, int major, int minor);

// "voxgrad::pointwise_forward<float>" of the text that the compiler gives for the parameter of launch<..>.
std::string kernel_name(const char* text);

}  // namespace voxgrad::detail
