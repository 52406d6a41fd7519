#pragma once
#include "benchmarks/bench.h"

namespace voxgrad::bench {

struct ProfileOptions {
  std::string filter;  // as of --filter, on the cases of the group layers
  std::vector<std::string> dtypes;
  Device device;
  double seconds = 0.1;  // of each contender of a layer and pass
  double within = 0;     // seconds for all; lines that are left then are named and not measured. 0: all of them
  std::function<void(const std::vector<Json>&)> store;  // is given the records after each of them
};
// Measures what the device can do at most (copies of memory, matrix products by cuBLAS), then every layer and pass; prints a line for each:
// time, rate, shares of these and of the rate at its floor (the larger of operations over the rate of matrix products and least bytes over
// that of copies), its kernel with blocks, blocks that fit a multiprocessor and waves, its times by other kernels of the tensor cores,
// bytes that the kernel's plan moves of those that must move, the memory taken meanwhile, and where cuDNN is there its time as --conv cudnn
// runs it and by the fastest of its engines, without casts of the weight. What comes first is lines.h's. One record per line, behind those
// of the ceilings and of the lines that bars ask for ("plan").
std::vector<Json> profile(const Sizes&, const ProfileOptions&);

}  // namespace voxgrad::bench
