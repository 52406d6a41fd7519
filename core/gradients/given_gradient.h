#pragma once
#include "core/tensor.h"

namespace voxgrad {

// Within a backward: the gradient that other ops have given so far to input `input` of the op whose backward this is, or none. It is the
// taker's to add to what it returns for that input, as it is stored and with the rounding of a sum of tensors: then no pass over memory
// does. Of a leaf, whose gradient is its owner's, there is none.
Tensor take_given_gradient(size_t input);

}  // namespace voxgrad
