#pragma once
#include "core/dtype.h"

namespace voxgrad {

// What a kernel sees of a tensor: where it starts and what it holds. No ownership, no strides. Null data: an absent tensor.
struct View {
  void* data = nullptr;
  DType dtype = DType::f32;
  template <class T>
  VOXGRAD_HD T* as() const {
    return static_cast<T*>(data);
  }
  VOXGRAD_HD explicit operator bool() const { return data != nullptr; }
};

}  // namespace voxgrad
