#pragma once
#include <voxgrad/core/tensor.h>

// y = x / (1 + e^(-beta x)), of any shape, f32 or f64, on the CPU. Ramachandran et al. 2017. Saves x.
voxgrad::Tensor swish(const voxgrad::Tensor& x, double beta);
