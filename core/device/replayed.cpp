#include "core/device/replayed.h"

#include <cstdlib>
#include <utility>

#ifdef VOXGRAD_CUDA
#include "core/cuda/runtime.h"
#endif

namespace voxgrad {

#ifdef VOXGRAD_CUDA
struct Replayed::Recorded {
  cuda::Recording work;
};

void Replayed::try_recording() try {
  trim_memory(device_);  // recorded work has memory of its own
  recorded_.reset(new Recorded{{current_stream(device_), [&] {
                                  const Tensor y = f_(in_);
                                  check(y && y.shape() == out_.shape() && y.dtype() == out_.dtype(), "replayed: a call gave ", y,
                                        " after one that gave ", out_);
                                  out_.copy_from(y);
                                }}});
} catch (const cuda::NotRecordable&) { wanted_ = false; }

Tensor Replayed::operator()(const Tensor& x) {
  const bool fits = wanted_ && in_ && x.shape() == in_.shape() && x.dtype() == in_.dtype();
  if (!fits) {
    const Tensor on_device = x.to(device_), y = f_(on_device);
    if (wanted_ && !in_) in_ = Tensor::empty_like(on_device), out_ = Tensor::empty_like(y);
    return y;
  }
  in_.copy_from(x);
  if (!recorded_) try_recording();
  if (recorded_ && !recorded_->work.replay(current_stream(device_))) recorded_.reset(), wanted_ = false;
  if (recorded_) return out_;
  const Tensor y = f_(std::exchange(in_, {}));
  out_ = {};
  return y;
}
#else
struct Replayed::Recorded {};

Tensor Replayed::operator()(const Tensor& x) { return f_(x.to(device_)); }
#endif

Replayed::Replayed(std::function<Tensor(const Tensor&)> f, Device device)
    : f_(std::move(f)),
      device_(device),
      wanted_(!device.is_cpu() && !std::getenv("VOXGRAD_CUDA_WAIT")) {}
Replayed::~Replayed() = default;
bool Replayed::is_recorded() const { return recorded_ != nullptr; }

}  // namespace voxgrad
