#include "core/device/device.h"

#include <cstring>

#include "core/memory/allocator.h"
#ifdef VOXGRAD_CUDA
#include "core/cuda/memory.h"
#include "core/cuda/runtime.h"
#endif

namespace voxgrad {

#ifdef VOXGRAD_CUDA
int cuda_device_count() { return cuda::device_count(); }

void* allocate(Device d, size_t bytes) { return d.is_cpu() ? cpu::allocate(bytes) : cuda::take(current_stream(d), bytes); }
void release(Device d, void* p, size_t bytes) noexcept {
  d.is_cpu() ? cpu::release(p, bytes) : cuda::give_back(d.cuda_index, p, bytes);
}
void trim_memory(Device d) { d.is_cpu() ? cpu::trim_memory() : cuda::trim_memory(d.cuda_index); }
MemoryStats memory_stats(Device d) { return d.is_cpu() ? cpu::memory_stats() : cuda::memory_stats(d.cuda_index); }
size_t free_memory(Device d) { return d.is_cpu() ? 0 : cuda::free_memory(d.cuda_index); }
std::string why_no_cuda() { return cuda::why_no_device(); }
void reset_peak_memory(Device d) { d.is_cpu() ? cpu::reset_peak() : cuda::reset_peak(d.cuda_index); }
void copy_bytes(Device to, void* dst, Device from, const void* src, size_t bytes) {
  if (bytes == 0) return;
  if (to.is_cpu() && from.is_cpu()) std::memcpy(dst, src, bytes);
  else cuda::copy_bytes(to, dst, from, src, bytes);
}
void check_red_zones() {
  cpu::check_red_zones();
  cuda::check_red_zones();
}
#else
namespace {
void only_cpu(Device d) { check(d.is_cpu(), "device ", d, ": this build of voxgrad has no CUDA"); }
}  // namespace

int cuda_device_count() { return 0; }
std::string why_no_cuda() { return "this build of voxgrad has no CUDA"; }
size_t free_memory(Device) { return 0; }
Cuda current_stream(Device d) { fail("device ", d, ": this build of voxgrad has no CUDA"); }

void* allocate(Device d, size_t bytes) {
  only_cpu(d);
  return cpu::allocate(bytes);
}
void release(Device, void* p, size_t bytes) noexcept { cpu::release(p, bytes); }
void trim_memory(Device d) {
  only_cpu(d);
  cpu::trim_memory();
}
MemoryStats memory_stats(Device d) {
  only_cpu(d);
  return cpu::memory_stats();
}
void reset_peak_memory(Device d) {
  only_cpu(d);
  cpu::reset_peak();
}
void copy_bytes(Device to, void* dst, Device from, const void* src, size_t bytes) {
  only_cpu(to), only_cpu(from);
  if (bytes) std::memcpy(dst, src, bytes);
}
void check_red_zones() { cpu::check_red_zones(); }
#endif

Device parse_device(const std::string& text) {
  if (text == "cpu") return {};
  if (text == "auto") return {cuda_device_count() > 0 ? 0 : -1};
  int index = 0;
  const bool numbered =
      text.rfind("cuda:", 0) == 0 && text.size() > 5 && text.size() < 9 && text.find_first_not_of("0123456789", 5) == text.npos;
  if (numbered) index = std::stoi(text.substr(5));
  check(text == "cuda" || numbered, "device \"", text, "\" is none of cpu, cuda, cuda:N, auto");
  const int count = cuda_device_count();
  check(index < count, "device ", text, ": this machine has ", count, " CUDA devices", count ? "" : ": ", count ? "" : why_no_cuda());
  return {index};
}

}  // namespace voxgrad
