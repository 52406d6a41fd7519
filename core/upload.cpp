#include "core/upload.h"

#include <cstring>

#ifdef VOXGRAD_CUDA
#include "core/cuda/runtime.h"
#endif

namespace voxgrad {

#ifdef VOXGRAD_CUDA
struct Upload::Lane {
  Lane(int device, size_t bytes) : stream(device), copied(device), used(device), pinned(cuda::allocate_pinned(bytes)) {
    check(pinned, "upload: there is no room for ", bytes, " bytes of pinned memory");
  }
  ~Lane() { cuda::release_pinned(pinned); }

  cuda::Stream stream;
  cuda::Event copied, used;
  void* pinned;
};

Upload::Upload(const Shape& s, DType t, Device d) : tensor_(Tensor::empty(s, t, d)) {
  if (d.is_cpu()) return;
  lane_ = std::make_unique<Lane>(d.cuda_index, tensor_.bytes());
  done();
}
Upload::~Upload() {
  try {
    if (lane_) cuda::synchronize(lane_->stream.on());
  } catch (const std::exception&) {  // of a device in an error state, which reports it where its results are read
  }
}

void Upload::send(const Tensor& from) {
  check(from.shape() == tensor_.shape() && from.dtype() == tensor_.dtype() && from.device().is_cpu(), "upload: ", from, " on ",
        from.device(), " does not fit ", tensor_);
  if (!lane_) return tensor_.copy_from(from);
  lane_->copied.synchronize();
  std::memcpy(lane_->pinned, from.view().data, from.bytes());
  const Cuda on = lane_->stream.on();
  lane_->used.hold(on);
  cuda::copy(on, tensor_.view().data, lane_->pinned, from.bytes());
  lane_->copied.record(on);
}
const Tensor& Upload::arrived() const {
  if (lane_) lane_->copied.hold(current_stream(tensor_.device()));
  return tensor_;
}
void Upload::done() {
  if (lane_) lane_->used.record(current_stream(tensor_.device()));
}
#else
struct Upload::Lane {};

Upload::Upload(const Shape& s, DType t, Device d) : tensor_(Tensor::empty(s, t, d)) {}
Upload::~Upload() = default;
void Upload::send(const Tensor& from) { tensor_.copy_from(from); }
const Tensor& Upload::arrived() const { return tensor_; }
void Upload::done() {}
#endif

}  // namespace voxgrad
