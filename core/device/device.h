#pragma once
#include <cstddef>
#include <ostream>
#include <string>

#include "core/error.h"
#include "core/device/execution.h"

namespace voxgrad {

#ifdef VOXGRAD_CUDA
inline constexpr bool kCuda = true;
#else
inline constexpr bool kCuda = false;
#endif

// Where a tensor lives. Tensors are made where you say, the CPU by default; nothing moves by itself.
struct Device {
  int cuda_index = -1;  // -1: the CPU
  bool is_cpu() const { return cuda_index < 0; }
  friend bool operator==(Device, Device) = default;
  friend std::ostream& operator<<(std::ostream& o, Device d) { return d.is_cpu() ? o << "cpu" : o << "cuda:" << d.cuda_index; }
};

// How many CUDA devices this build and this machine offer.
int cuda_device_count();
// Why there is none: "no CUDA driver is installed".
std::string why_no_cuda();
// "cpu", "cuda", "cuda:1" or "auto" (the first CUDA device, else the CPU).
Device parse_device(const std::string&);
Cuda current_stream(Device);

// Calls f(Cpu{}) or f(Cuda{stream}). The only branch over devices.
template <class F>
decltype(auto) on_device(Device d, F&& f) {
  if constexpr (kCuda) {
    if (!d.is_cpu()) return f(current_stream(d));
  }
  if (!d.is_cpu()) fail("device ", d, ": this build of voxgrad has no CUDA");
  return f(Cpu{});
}

}  // namespace voxgrad
