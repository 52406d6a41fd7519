#pragma once
#include <memory>

#include "core/tensor.h"

namespace voxgrad {

// A tensor on a device that the host fills again and again: through pinned memory, on a stream of its own, so that the copy runs beside
// what the device computes.
class Upload {
 public:
  Upload(const Shape&, DType, Device);
  ~Upload();

  // Copies a tensor on the CPU into it, behind the work that done() closed; returns when `from` may be changed. From any thread, one at a
  // time.
  void send(const Tensor& from);
  // The tensor as it was sent last, for work given to the device from now on.
  const Tensor& arrived() const;
  // Work given to the device so far is the last to use what was sent.
  void done();

 private:
  struct Lane;
  Tensor tensor_;
  std::unique_ptr<Lane> lane_;
};

}  // namespace voxgrad
