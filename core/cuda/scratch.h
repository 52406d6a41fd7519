#pragma once
#include <cstdint>

#include "core/memory/asker.h"
#include "core/device/execution.h"

namespace voxgrad {

// Device memory for the time of one host function: what the stream is given before the end of its scope may use it.
class Scratch {
 public:
  Scratch(Cuda on, int64_t bytes, Asker by = {__builtin_FILE(), __builtin_FUNCTION()});
  Scratch(Cuda on, const void* from, int64_t bytes, Asker by = {__builtin_FILE(), __builtin_FUNCTION()});  // a copy of memory of the host
  ~Scratch();
  Scratch(const Scratch&) = delete;
  template <class T>
  T* as() const {
    return static_cast<T*>(data_);
  }

  // Copies the first bytes to the host, once all work given to the stream is done.
  void read(void* into, int64_t bytes) const;

 private:
  Cuda on_;
  int64_t bytes_;
  void* data_;
};

}  // namespace voxgrad
