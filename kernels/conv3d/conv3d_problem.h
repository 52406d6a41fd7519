#pragma once
#include "core/op.h"
#include "kernels/conv3d/conv3d.h"
#include "kernels/conv3d/conv3d_kernels.h"

namespace voxgrad {

// The checked problem of a convolution of an input of the shape `in` {N, D, H, W, C}, whose dtype, rank and device are those of x.
Conv3dProblem conv3d_problem(const Shape& in, const Tensor& x, const Tensor& w, const Tensor& b, const Conv3dOptions&);

// `wanted` gets room for the statistics of y where kernels take them.
WrittenStatistics written_statistics(const Conv3dProblem&, const Tensor& y, ConvStatistics* wanted);

// Within a backward: what others have given to input `input` of the op already (take_given_gradient), where kernels add it to the gradient
// that they write, on CUDA in the same memory if nobody else has it; else none.
Tensor given_gradient(const Conv3dProblem&, Device, size_t input);

// Within a backward of an op whose input 0 is convolved with w: the gradient of that input, what others have given it included.
Tensor gradient_of_first_input(const Conv3dProblem&, const Tensor& gy, const Tensor& w);
Tensor gradient_of_weight(const Conv3dProblem&, const Tensor& x, const Tensor& gy);
Tensor gradient_of_bias(const Conv3dProblem&, const Tensor& gy);

// What a recorded convolution tells of its options.
std::vector<Attribute> attributes_of(const Conv3dOptions&);

// Where the CPU kernel of a problem with inputs x keeps what it makes of the weight, while there is an Inference scope; else null.
std::shared_ptr<void>* kept_weight(const Conv3dProblem&, DType x, const Tensor& w);

}  // namespace voxgrad
