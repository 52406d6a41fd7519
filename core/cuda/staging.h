#pragma once
#include <cstddef>

#include "core/device/execution.h"

namespace voxgrad::cuda {

// Pinned memory of the host for the way of something to a device: written, then copied by work given to the stream before the end of its
// scope. It is kept, and handed out again once that work is done.
class Staging {
 public:
  Staging(Cuda, size_t bytes);
  ~Staging();
  Staging(const Staging&) = delete;
  template <class T>
  T* as() const {
    return static_cast<T*>(data_);
  }

  struct Block;

 private:
  Cuda on_;
  Block* block_;
  void* data_;
};

}  // namespace voxgrad::cuda
