#pragma once
#include "benchmarks/bench.h"

namespace voxgrad::bench {

struct ProfileOptions {
  std::string filter;  // as of --filter, on the cases of the group layers
  std::vector<std::string> dtypes;
  Device device;
  double seconds = 0.1;  // of each layer and pass
  std::function<void(const std::vector<Json>&)> store;  // is given the records after each of them
};
// Measures what the device can do at most (copies of memory, matrix products by cuBLAS), then every layer and pass; prints a line for each:
// time, rate, shares of these and of the rate at its floor (the larger of operations over the rate of matrix products and least bytes over
// that of copies), its kernel with blocks, blocks that fit a multiprocessor and waves, its times by other kernels of the tensor cores,
// bytes that the kernel's plan moves of those that must move, the memory taken meanwhile, and cuDNN's time where it is there. One record
// per line, the first of the ceilings.
std::vector<Json> profile(const Sizes&, const ProfileOptions&);

}  // namespace voxgrad::bench
