#include "core/device/side_work.h"

#ifdef VOXGRAD_CUDA
#include "core/cuda/runtime.h"
#endif

namespace voxgrad {

#ifdef VOXGRAD_CUDA
struct SideWork::Lane {
  explicit Lane(int device) : stream(device), made(device), used(device) {}
  cuda::Stream stream;
  cuda::Event made, used;
};

SideWork::SideWork(Device d) : device_(d), lane_(std::make_unique<Lane>(d.cuda_index)) { done(); }
SideWork::~SideWork() {
  try {
    wait();
  } catch (const std::exception&) {  // of a device in an error state, which reports it where its results are read
  }
}

void SideWork::give(const std::function<void(Cuda)>& f) {
  const Cuda on = lane_->stream.on();
  cuda::select(device_.cuda_index);
  lane_->used.hold(on);
  f(on);
  lane_->made.record(on);
}
void SideWork::arrived() const { lane_->made.hold(current_stream(device_)); }
void SideWork::done() { lane_->used.record(current_stream(device_)); }
void SideWork::wait() const { cuda::synchronize(lane_->stream.on()); }
#else
struct SideWork::Lane {};

SideWork::SideWork(Device d) : device_(d) { current_stream(d); }  // fails
SideWork::~SideWork() = default;
void SideWork::give(const std::function<void(Cuda)>&) {}
void SideWork::arrived() const {}
void SideWork::done() {}
void SideWork::wait() const {}
#endif

}  // namespace voxgrad
