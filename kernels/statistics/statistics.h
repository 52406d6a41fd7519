#pragma once
#include <vector>

#include "core/tensor.h"

namespace voxgrad {

// Statistics over a set of axes (negative ones count from the end; without a list over all) of a floating tensor, in accum_of(dtype).
// Sums are taken in blocks whose results are added in f64, as in reduce.h. Where the axes are not neighbours, x is permuted first.
struct StatisticOptions {
  bool keep = false;  // the axes stay, with extent 1
};
struct VarianceOptions {
  bool keep = false;
  int correction = 1;  // sums of squares are divided by n - correction: 1 for the estimate from a sample (Bessel), 0 for the population
};

// sum (x - mean)^2 / (n - correction), the mean taken first. Error where n <= correction. Saves x and the mean.
Tensor var(const Tensor& x);
Tensor var(const Tensor& x, const std::vector<int>& axes, const VarianceOptions& options = {});
// The square root of that; its gradient at 0 is 0. Saves x, the mean and the result.
Tensor stddev(const Tensor& x);
Tensor stddev(const Tensor& x, const std::vector<int>& axes, const VarianceOptions& options = {});

// l1: sum |x|. l2: sqrt(sum x^2), whose gradient at 0 is 0; x^2 must be finite in accum_of. inf: the largest |x|, whose gradient equal
// elements share. l1 saves x, l2 x and the result.
enum class VectorNorm { l1, l2, inf };
Tensor vector_norm(const Tensor& x, VectorNorm kind = VectorNorm::l2);
Tensor vector_norm(const Tensor& x, const std::vector<int>& axes, VectorNorm kind = VectorNorm::l2, const StatisticOptions& options = {});

// m + ln sum e^(x - m), m the largest element: no overflow. -inf where all elements are, or none is. Saves x and the result.
Tensor logsumexp(const Tensor& x, const std::vector<int>& axes, const StatisticOptions& options = {});

// The product of the elements, taken in f64. Its gradient, the product of all others, is right beside zeros. Saves x.
Tensor prod(const Tensor& x);
Tensor prod(const Tensor& x, const std::vector<int>& axes, const StatisticOptions& options = {});

}  // namespace voxgrad
