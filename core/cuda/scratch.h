#pragma once
#include <cstdint>

#include "core/execution.h"

namespace voxgrad {

// Device memory for the time of one host function: what the stream is given before the end of its scope may use it.
class Scratch {
 public:
  Scratch(Cuda on, int64_t bytes);
  ~Scratch();
  Scratch(const Scratch&) = delete;
  template <class T>
  T* as() const {
    return static_cast<T*>(data_);
  }

 private:
  Cuda on_;
  int64_t bytes_;
  void* data_;
};

}  // namespace voxgrad
