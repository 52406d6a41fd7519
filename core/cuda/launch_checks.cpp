#include "core/cuda/launch_checks.h"

#include "core/cuda/launch_log.h"
#include "core/error.h"

namespace voxgrad {
namespace {
thread_local cuda::LaunchLog* launch_log = nullptr;
}

cuda::LaunchLog::LaunchLog() : before_(launch_log) { launch_log = this; }
cuda::LaunchLog::~LaunchLog() { launch_log = before_; }
void detail::note_launch(const char* kernel, const void* function, int64_t blocks, int threads, int64_t shared) {
  if (!launch_log) return;
  launch_log->launches.push_back({kernel_name(kernel), blocks, shared, threads, blocks_per_multiprocessor(function, threads, shared)});
}

std::string detail::kernel_name(const char* text) {
  std::string s = text;
  if (const size_t at = s.find("kKernel = "); at != s.npos) s = s.substr(at + 10);
  if (!s.empty() && s.back() == ']') s.pop_back();
  for (const std::string hidden : {"{anonymous}::", "(anonymous namespace)::"})
    for (size_t at; (at = s.find(hidden)) != s.npos;) s.erase(at, hidden.size());
  // nvcc's name of the anonymous namespace ends with a name made of the file's and digits.
  for (size_t at; (at = s.find("_GLOBAL__N_")) != s.npos;) s.erase(at, s.find("::", at) + 2 - at);
  return s;
}

void detail::fail_without_code(const char* kernel, int major, int minor) {
  fail("kernel ", kernel_name(kernel), ": this build of voxgrad has no code for this GPU, whose compute capability is ", major, ".", minor,
       "; --device cpu computes without it");
}

void detail::check_grid(const char* kernel, const int64_t (&blocks)[3], int threads, int64_t shared, int cluster) {
  const auto limit = [&](int64_t value, int64_t most, const char* what) {
    if (value < 0 || value > most) fail("kernel ", kernel_name(kernel), ": ", value, " ", what, ", at most ", most, " are possible");
  };
  if (threads <= 0) fail("kernel ", kernel_name(kernel), ": a block of ", threads, " threads");
  limit(cluster, 8, "blocks in a cluster");
  if (cluster < 1 || blocks[0] % cluster) fail("kernel ", kernel_name(kernel), ": ", blocks[0], " blocks in clusters of ", cluster);
  limit(threads, 1024, "threads in a block");
  limit(shared, 227 << 10, "bytes of dynamic shared memory");
  limit(blocks[0], 0x7fffffff, "blocks along x");
  limit(blocks[1], 65535, "blocks along y");
  limit(blocks[2], 65535, "blocks along z");
}

}  // namespace voxgrad
