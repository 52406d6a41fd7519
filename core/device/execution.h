#pragma once
struct CUstream_st;

namespace voxgrad {

// Execution tags: the first argument of every kernel says where it runs; overload resolution picks the kernel.
struct Cpu {};
struct Cuda {
  CUstream_st* stream = nullptr;
};

}  // namespace voxgrad
