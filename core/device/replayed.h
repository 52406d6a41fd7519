#pragma once
#include <functional>
#include <memory>

#include "core/tensor.h"

namespace voxgrad {

// f(x) for many x of one shape. On CUDA what f launches is recorded at the second call with the shape of the first, and later calls
// replay it: the same bits in one launch. f must do the same for all x, and without waiting for the device; where it does wait, where
// there is no room for a recording and with VOXGRAD_CUDA_WAIT set, it is called every time. Tensors that f captures must outlive this
// and stay as they are.
class Replayed {
 public:
  Replayed(std::function<Tensor(const Tensor&)> f, Device);
  ~Replayed();
  // f(x.to(device)), on the device. The next call may overwrite it.
  Tensor operator()(const Tensor& x);
  bool is_recorded() const;

 private:
  struct Recorded;
  void try_recording();

  std::function<Tensor(const Tensor&)> f_;
  Device device_;
  Tensor in_, out_;  // of the first call, then of the recorded ones
  bool wanted_;
  std::unique_ptr<Recorded> recorded_;
};

}  // namespace voxgrad
