// core/cuda/runtime.h over the CUDA runtime.
#include "core/cuda/runtime.h"

#include <cuda_runtime_api.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <map>
#include <source_location>
#include <vector>

#include "core/cuda/launch_checks.h"
#include "core/error.h"

namespace voxgrad {
namespace {
// The text of the latest launch of the process: what a fault that shows later is most likely about.
std::atomic<const char*> last_kernel{nullptr};
std::atomic<int64_t> wait_count{0};

[[noreturn]] void cuda_failed(cudaError_t e, std::source_location at) {
  const char* kernel = last_kernel;
  if (int device = 0, major = 0, minor = 0; kernel && e == cudaErrorNoKernelImageForDevice && cudaGetDevice(&device) == cudaSuccess) {
    cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device);
    cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device);
    detail::fail_without_code(kernel, major, minor);
  }
  const std::string name = kernel ? detail::kernel_name(kernel) : "";
  fail("CUDA: ", cudaGetErrorString(e), " in ", at.function_name(), kernel ? "; the latest kernel was " : "", name,
       e == cudaErrorNoKernelImageForDevice ? "; this build of voxgrad has no code for this GPU" : "");
}
void check_cuda(cudaError_t e, std::source_location at = std::source_location::current()) {
  if (e != cudaSuccess) [[unlikely]]
    cuda_failed(e, at);
}
cudaMemPool_t pool_of(int device) {
  cudaMemPool_t pool;
  check_cuda(cudaDeviceGetDefaultMemPool(&pool, device));
  return pool;
}
}  // namespace

struct cuda::Recording::State {
  cudaStream_t stream;
  int device;
  cudaGraphExec_t graph = nullptr;
  std::map<void*, size_t> taken;  // meanwhile, and not yet given back; bytes
  std::vector<void*> held;        // released meanwhile, but taken before
  std::vector<std::vector<char>> sources;

  ~State() {
    if (graph) cudaGraphExecDestroy(graph);
    for (void* p : held) cudaFreeAsync(p, stream);
  }
  bool has_taken(const void* p) const {
    auto after = taken.upper_bound(const_cast<void*>(p));
    return after != taken.begin() && static_cast<const char*>(p) < static_cast<const char*>((--after)->first) + after->second;
  }
};
namespace cuda {
namespace {
thread_local Recording::State* recording = nullptr;
// What the thread records from this stream, or null.
Recording::State* recorded_on(Cuda on) { return recording && recording->stream == on.stream ? recording : nullptr; }
void check_unrecorded(Cuda on, const char* what) {
  if (recorded_on(on)) throw NotRecordable(std::string("CUDA: ") + what + " while work is recorded");
}
}  // namespace
}  // namespace cuda

void detail::check_launch(const char* kernel, Cuda on) {
  static const bool wait = std::getenv("VOXGRAD_CUDA_WAIT") != nullptr;
  last_kernel = kernel;
  check_cuda(cudaGetLastError());
  if (wait && !cuda::recorded_on(on)) check_cuda(cudaStreamSynchronize(on.stream));
}
void detail::allow_shared(const char* kernel, const void* function, int64_t bytes) {
  last_kernel = kernel;
  check_cuda(cudaFuncSetAttribute(function, cudaFuncAttributeMaxDynamicSharedMemorySize, int(bytes)));
}

int detail::blocks_per_multiprocessor(const void* function, int threads, int64_t shared) {
  int blocks = 0;
  check_cuda(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, function, threads, size_t(shared)));
  return blocks;
}

namespace cuda {

// Without a driver or a GPU the count is an error, which here means none.
int device_count() {
  static const int count = [] {
    int n = 0;
    if (cudaGetDeviceCount(&n) != cudaSuccess) n = 0;
    (void)cudaGetLastError();
    return n;
  }();
  return count;
}

std::string why_no_device() {
  if (device_count() > 0) return "";
  int driver = 0, n = 0;
  const cudaError_t e = cudaGetDeviceCount(&n);
  (void)cudaDriverGetVersion(&driver);
  (void)cudaGetLastError();
  const auto number = [](int v) { return std::to_string(v / 1000) + "." + std::to_string(v % 1000 / 10); };
  if (driver == 0) return "no CUDA driver is installed";
  if (e == cudaErrorInsufficientDriver)
    return "its driver is for CUDA " + number(driver) + ", this build of voxgrad for " + number(CUDART_VERSION);
  return e == cudaSuccess || e == cudaErrorNoDevice ? "no GPU is there" : cudaGetErrorString(e);
}

DeviceInfo device_info(int device) {
  select(device);
  cudaDeviceProp p;
  check_cuda(cudaGetDeviceProperties(&p, device));
  DeviceInfo info{.name = p.name, .major = p.major, .minor = p.minor, .multiprocessors = p.multiProcessorCount};
  check_cuda(cudaMemGetInfo(&info.free_memory, &info.memory));
  return info;
}

Chip chip_of(Cuda on) {
  const int device = device_of(on);
  const auto value = [&](cudaDeviceAttr attribute) {
    int v = 0;
    check_cuda(cudaDeviceGetAttribute(&v, attribute, device));
    return v;
  };
  return {.architecture = value(cudaDevAttrComputeCapabilityMajor) * 10 + value(cudaDevAttrComputeCapabilityMinor),
          .multiprocessors = value(cudaDevAttrMultiProcessorCount)};
}

void select(int device) {
  thread_local int current = -1;
  if (current == device) return;
  check_cuda(cudaSetDevice(device));
  current = device;
}

Stream::Stream(int device) {
  select(device);
  // The pool keeps what is released: asking the driver again costs more than most kernels.
  uint64_t keep = UINT64_MAX;
  check_cuda(cudaMemPoolSetAttribute(pool_of(device), cudaMemPoolAttrReleaseThreshold, &keep));
  check_cuda(cudaStreamCreateWithFlags(&handle_, cudaStreamNonBlocking));
}
Stream::~Stream() { cudaStreamDestroy(handle_); }
// CUDA does not tell the device of a stream that is recorded.
int device_of(Cuda on) {
  if (const Recording::State* s = recorded_on(on)) return s->device;
  int device = 0;
  check_cuda(cudaStreamGetDevice(on.stream, &device));
  return device;
}
void synchronize(Cuda on) {
  check_unrecorded(on, "a stream is waited for");
  ++wait_count;
  check_cuda(cudaStreamSynchronize(on.stream));
}
int64_t waits() { return wait_count; }

Event::Event(int device) {
  select(device);
  check_cuda(cudaEventCreateWithFlags(&handle_, cudaEventDisableTiming));
}
Event::~Event() { cudaEventDestroy(handle_); }
void Event::record(Cuda on) {
  check_unrecorded(on, "streams wait for each other");
  check_cuda(cudaEventRecord(handle_, on.stream));
}
void Event::hold(Cuda on) const {
  check_unrecorded(on, "streams wait for each other");
  check_cuda(cudaStreamWaitEvent(on.stream, handle_, 0));
}
void Event::synchronize() const {
  ++wait_count;
  check_cuda(cudaEventSynchronize(handle_));
}
bool Event::reached() const {
  const cudaError_t e = cudaEventQuery(handle_);
  if (e == cudaErrorNotReady) return false;
  check_cuda(e);
  return true;
}

Recording::Recording(Cuda on, const std::function<void()>& work) : state_(new State{.stream = on.stream, .device = device_of(on)}) {
  if (recording) throw NotRecordable("CUDA: work is recorded while other work is");
  select(device_of(on));
  // Other threads may go on asking for memory.
  check_cuda(cudaStreamBeginCapture(on.stream, cudaStreamCaptureModeThreadLocal));
  cudaGraph_t graph = nullptr;
  recording = state_.get();
  const auto end = [&] {
    recording = nullptr;
    return cudaStreamEndCapture(on.stream, &graph);
  };
  try {
    work();
  } catch (const std::exception& e) {
    const bool invalid = end() != cudaSuccess;
    if (graph) cudaGraphDestroy(graph);
    (void)cudaGetLastError();
    if (invalid) throw NotRecordable(e.what());  // CUDA refused something, which ended the capture
    throw;
  }
  cudaError_t e = end();
  const bool kept = !state_->taken.empty();
  if (e == cudaSuccess && !kept) e = cudaGraphInstantiateWithFlags(&state_->graph, graph, 0);
  if (graph) cudaGraphDestroy(graph);
  check(!kept, "recording: memory was taken and is not given back by the end");
  if (e != cudaSuccess) {
    (void)cudaGetLastError();
    throw NotRecordable(std::string("CUDA: ") + cudaGetErrorString(e) + " when recording work");
  }
}
Recording::~Recording() = default;
bool is_recorded(Cuda on) { return recorded_on(on) != nullptr; }
bool Recording::replay(Cuda on) const {
  last_kernel = "a recorded one (VOXGRAD_CUDA_WAIT=1 launches each by itself)";
  const cudaError_t e = cudaGraphLaunch(state_->graph, on.stream);
  if (e == cudaErrorMemoryAllocation) {
    (void)cudaGetLastError();
    return false;
  }
  check_cuda(e);
  return true;
}

void* allocate(Cuda on, size_t bytes) {
  void* p = nullptr;
  const cudaError_t e = cudaMallocAsync(&p, std::max<size_t>(bytes, 1), on.stream);
  if (e == cudaErrorMemoryAllocation) {
    (void)cudaGetLastError();
    return nullptr;
  }
  check_cuda(e);
  if (Recording::State* s = recorded_on(on)) s->taken[p] = std::max<size_t>(bytes, 1);
  return p;
}
void release(Cuda on, void* p) noexcept {
  if (Recording::State* s = recorded_on(on); s && s->taken.erase(p) == 0) return s->held.push_back(p);
  cudaFreeAsync(p, on.stream);
}
// Memory of recorded work is in a pool of its own.
void trim(int device) {
  check_cuda(cudaMemPoolTrimTo(pool_of(device), 0));
  check_cuda(cudaDeviceGraphMemTrim(device));
}
size_t reserved_bytes(int device) {
  uint64_t bytes = 0;
  check_cuda(cudaMemPoolGetAttribute(pool_of(device), cudaMemPoolAttrReservedMemCurrent, &bytes));
  uint64_t recorded = 0;
  check_cuda(cudaDeviceGetGraphMemAttribute(device, cudaGraphMemAttrReservedMemCurrent, &recorded));
  return bytes + recorded;
}

void* allocate_pinned(size_t bytes) {
  void* p = nullptr;
  const cudaError_t e = cudaHostAlloc(&p, std::max<size_t>(bytes, 1), cudaHostAllocPortable);
  if (e == cudaErrorMemoryAllocation) {
    (void)cudaGetLastError();
    return nullptr;
  }
  check_cuda(e);
  return p;
}
void release_pinned(void* p) noexcept { cudaFreeHost(p); }

void copy(Cuda on, void* into, const void* from, size_t bytes) {
  select(device_of(on));
  if (Recording::State* s = recorded_on(on)) {
    const auto ordinary = [s](const void* p) {  // to CUDA, memory of the recording is unregistered as well
      cudaPointerAttributes a;
      check_cuda(cudaPointerGetAttributes(&a, p));
      return a.type == cudaMemoryTypeUnregistered && !s->has_taken(p);
    };
    if (ordinary(into)) throw NotRecordable("CUDA: a copy to ordinary memory of the host is recorded");
    if (ordinary(from)) from = s->sources.emplace_back(static_cast<const char*>(from), static_cast<const char*>(from) + bytes).data();
  }
  check_cuda(cudaMemcpyAsync(into, from, bytes, cudaMemcpyDefault, on.stream));
}
void fill_bytes(Cuda on, void* into, unsigned char value, size_t bytes) {
  check_cuda(cudaMemsetAsync(into, value, bytes, on.stream));
}

}  // namespace cuda
}  // namespace voxgrad
