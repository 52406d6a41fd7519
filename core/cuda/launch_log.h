#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace voxgrad::cuda {

// A launch of a kernel, as the device was asked for it.
struct Launched {
  std::string kernel;  // "voxgrad::conv3d_mma_kernel<..>"
  int64_t blocks = 0, shared = 0;  // shared: dynamic bytes of a block
  int threads = 0;
  int per_multiprocessor = 0;  // blocks that fit one at a time
};

// What its thread launches while it lives.
class LaunchLog {
 public:
  LaunchLog();
  ~LaunchLog();
  LaunchLog(const LaunchLog&) = delete;
  std::vector<Launched> launches;

 private:
  LaunchLog* before_;
};

}  // namespace voxgrad::cuda
