#pragma once
#include "kernels/norm/norm.h"
#include "kernels/norm/norm_kernels.h"

namespace voxgrad {

// One use of the norm kernels, recorded. `problem` has eps, slope and, as asked for by the op, groups; the extents follow from `over`.
struct NormCall {
  enum class Over { sample, batch, voxel } over = Over::sample;
  NormProblem problem;
  RunningStatistics running = {};
  double momentum = 0;
  Tensor stats = {};  // if they are known already, with the problem's eps
};
Tensor norm_call(const char* op, const Tensor& x, const Tensor& scale, const Tensor& shift, const Tensor& skip, NormCall);

// The problem with its extents; an Error that names the op where the tensors do not fit each other.
NormProblem norm_problem(const char* op, const Tensor& x, const Tensor& scale, const Tensor& shift, const Tensor& skip, const NormCall&);

}  // namespace voxgrad
