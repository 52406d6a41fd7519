#pragma once
#include "core/tensor.h"

namespace voxgrad {

// Labels {..} of any integer dtype give {.., classes} of `dtype`: 1 at the label, 0 elsewhere. Not differentiable. A label beyond the
// classes is an Error, for which CUDA waits for the stream.
Tensor one_hot(const Tensor& label, int64_t classes, DType dtype = DType::f32);

}  // namespace voxgrad
