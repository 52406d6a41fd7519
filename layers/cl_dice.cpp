#include "layers/cl_dice.h"

#include "core/error.h"
#include "kernels/binary/binary.h"
#include "kernels/max_pool3d/max_pool3d.h"
#include "kernels/pointwise/pointwise.h"
#include "kernels/reduce/reduce.h"

namespace voxgrad {
namespace {

Tensor largest_of(const Tensor& x, const Int3& window) {
  return max_pool3d(x, {.kernel = window, .stride = {1, 1, 1}, .padding = {window.d / 2, window.h / 2, window.w / 2}});
}
Tensor eroded_softly(const Tensor& x) {
  const Tensor y = x * -1;
  return maximum(maximum(largest_of(y, {3, 1, 1}), largest_of(y, {1, 3, 1})), largest_of(y, {1, 1, 3})) * -1;
}

}  // namespace

Tensor soft_skeleton(const Tensor& x, int iterations) {
  Tensor image = x, smaller = eroded_softly(x);
  Tensor out = relu(image - largest_of(smaller, {3, 3, 3}));
  for (int i = 0; i < iterations; ++i) {
    image = smaller;
    smaller = eroded_softly(image);
    const Tensor more = relu(image - largest_of(smaller, {3, 3, 3}));
    out = out + relu(more - out * more);
  }
  return out;
}

Tensor soft_cl_dice_loss(const Tensor& x, const Tensor& y, const SoftClDiceOptions& o) {
  check(x.shape().rank == 5 && x.shape() == y.shape() && x.dtype() == y.dtype(), "soft_cl_dice_loss: probabilities {N, D, H, W, C} and ",
        "what they should be are wanted, not ", x, " and ", y);
  const auto part_in = [&o](const Tensor& line, const Tensor& other) {
    const std::vector<int> axes = {1, 2, 3, 4};
    return (sum(line * other, axes) + o.smooth) / (sum(line, axes) + o.smooth);
  };
  const Tensor precision = part_in(soft_skeleton(x, o.iterations), y), recall = part_in(soft_skeleton(y, o.iterations), x);
  return mean(precision * recall * -2 / (precision + recall + o.smooth_last)) + 1;
}

}  // namespace voxgrad
