#pragma once
#include "core/rng.h"
#include "core/tensor.h"

namespace voxgrad {

// f32 normal numbers of deviation sqrt(2 / ((1 + slope^2) fan_in)) (He et al. 2015, for leaky_relu(slope); 0.01 as nnU-Net), a parameter.
Tensor he_normal(const Shape&, int64_t fan_in, Rng&, double slope = 0.01);

// A parameter of the same values times a number: what is to begin near 0.
Tensor scaled_parameter(const Tensor&, double scale);

// A parameter of one value throughout.
inline Tensor constant_parameter(const Shape& s, double value) { return Tensor::full(s, value).require_grad(); }

}  // namespace voxgrad
