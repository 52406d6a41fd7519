#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/cuda/chip.h"
#include "core/error.h"
#include "core/device/execution.h"

struct CUevent_st;

// All that the host side asks of CUDA: core/cuda/runtime_cuda.cpp over the CUDA runtime or, in a build with VOXGRAD_EMULATE_CUDA,
// tests/emulator/runtime.cpp. Errors of CUDA are thrown as Error with the name of the kernel launched last.
namespace voxgrad::cuda {

// 0 where there is no driver or no GPU.
int device_count();
// Which of the two it is, in words.
std::string why_no_device();

struct DeviceInfo {
  std::string name;
  int major = 0, minor = 0;  // compute capability
  int multiprocessors = 0;
  size_t memory = 0, free_memory = 0;  // bytes
};
DeviceInfo device_info(int device);
// The device that the calling thread launches on.
void select(int device);

// A queue of work that runs in order and beside other streams.
class Stream {
 public:
  explicit Stream(int device);
  ~Stream();
  Stream(const Stream&) = delete;
  Cuda on() const { return {handle_}; }

 private:
  CUstream_st* handle_ = nullptr;
};
int device_of(Cuda);
// Returns when all work given to the stream so far is done.
void synchronize(Cuda);
// How often the host has waited for a stream or an event so far.
int64_t waits();

// A mark in a stream that others can wait for.
class Event {
 public:
  explicit Event(int device);
  ~Event();
  Event(const Event&) = delete;
  void record(Cuda);
  // Work given to the stream from now on starts after the mark.
  void hold(Cuda) const;
  void synchronize() const;
  bool reached() const;

 private:
  CUevent_st* handle_ = nullptr;
};

// Work that cannot be recorded: it waits for the device or for other streams.
struct NotRecordable : Error {
  using Error::Error;
};

// What a function gives to a stream, recorded and not run, to be given to streams as a whole again and again (a CUDA graph). It reads and
// writes the same memory every time: what was there before must outlive this, and is kept if it is released meanwhile; memory that is
// taken meanwhile exists during a replay only, and must be released meanwhile. Sources in ordinary memory of the host are copied once.
class Recording {
 public:
  Recording(Cuda, const std::function<void()>& work);
  ~Recording();
  Recording(const Recording&) = delete;
  // False where the device has no room for it; nothing was done then.
  bool replay(Cuda) const;

  struct State;

 private:
  std::unique_ptr<State> state_;
};
// Whether this work is given to a recording.
bool is_recorded(Cuda);

// Memory of the stream's device, in the order of the stream: usable by work given to it after allocate and before release. Null where
// there is no room. What is released is kept for the next allocate, until trim.
void* allocate(Cuda, size_t bytes);
void release(Cuda, void*) noexcept;
void trim(int device);
// Bytes held from the driver, handed out or kept.
size_t reserved_bytes(int device);

// Memory of the host that devices reach directly: copies from and to it run beside the host.
void* allocate_pinned(size_t bytes);
void release_pinned(void*) noexcept;

// Queued copies and fills. A source in ordinary memory of the host may be changed on return; one in pinned memory and any destination
// may be touched once the stream was synchronized.
void copy(Cuda, void* into, const void* from, size_t bytes);
void fill_bytes(Cuda, void* into, unsigned char value, size_t bytes);

}  // namespace voxgrad::cuda
