#include "layers/losses.h"

#include "kernels/binary/binary.h"
#include "kernels/cross_entropy/cross_entropy.h"
#include "kernels/interpolate3d/interpolate3d.h"
#include "kernels/masked_fill/masked_fill.h"
#include "kernels/matmul/matmul.h"
#include "kernels/pointwise/pointwise.h"
#include "kernels/reduce/reduce.h"

namespace voxgrad {

std::vector<double> deep_supervision_weights(size_t n) {
  check(n > 0, "deep_supervision_weights: no outputs");
  std::vector<double> w(n);
  double sum = 0;
  for (size_t i = 0; i < n; ++i) sum += w[i] = i > 0 && i + 1 == n ? 0 : 1 / double(uint64_t(1) << i);
  for (double& v : w) v /= sum;
  return w;
}

Tensor downsample_label(const Tensor& label, const Int3& size) {
  check(label && label.shape().rank == 4, "downsample_label: a label {N, D, H, W} is wanted, not ", label);
  const Shape& s = label.shape();
  if (s[1] == size.d && s[2] == size.h && s[3] == size.w) return label;
  const Tensor small = interpolate3d(label.reshape({s[0], s[1], s[2], s[3], 1}), size, {.mode = Interpolation::nearest_exact});
  return small.reshape({s[0], size.d, size.h, size.w});
}

namespace {

constexpr double kLeastSquare = 1e-12;  // of a norm, so that no embedding divides by 0
constexpr double kNever = -1e9;         // a similarity that takes no part

template <class Loss>
Tensor weighted_losses(const std::vector<Tensor>& outputs, const Tensor& label, Loss&& loss) {
  const std::vector<double> weights = deep_supervision_weights(outputs.size());
  Tensor total;
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (weights[i] == 0) continue;
    check(outputs[i] && outputs[i].shape().rank == 5, "deep_supervision_loss: output ", i, " is ", outputs[i], ", not {N, D, H, W, K}");
    const Tensor part = affine(loss(outputs[i], downsample_label(label, outputs[i].shape().spatial())), weights[i], 0);
    total = total ? add(total, part) : part;
  }
  return total;
}

}  // namespace

Tensor deep_supervision_loss(const std::vector<Tensor>& outputs, const Tensor& label, const DiceCrossEntropyOptions& o) {
  return weighted_losses(outputs, label, [&](const Tensor& y, const Tensor& at_y) { return dice_cross_entropy(y, at_y, o); });
}

Tensor deep_supervision_loss(const std::vector<Tensor>& outputs, const Tensor& label, const Tensor& members,
                             const RegionDiceBceOptions& o) {
  return weighted_losses(outputs, label, [&](const Tensor& y, const Tensor& at_y) { return region_dice_bce(y, at_y, members, o); });
}

Tensor nt_xent(const Tensor& z, double temperature) {
  check(z && z.shape().rank == 2 && z.dim(0) >= 4 && z.dim(0) % 2 == 0, "nt_xent: the embeddings are ", z,
        ", {2 B, C} with B >= 2 is wanted");
  check(temperature > 0, "nt_xent: the temperature is ", temperature, ", a positive one is wanted");
  const int64_t n = z.dim(0);
  const Tensor all = z.to(accum_of(z.dtype()));
  const Tensor unit = mul(all, rsqrt(affine(sum(square(all), {1}, {.keep = true}), 1, kLeastSquare)));
  const Tensor itself = Tensor::zeros({n, n}, DType::u8), other = Tensor::zeros({n}, DType::i64);
  for (int64_t i = 0; i < n; ++i) {
    itself.view().as<uint8_t>()[i * n + i] = 1;
    other.view().as<int64_t>()[i] = i ^ 1;
  }
  const Tensor similarity = affine(matmul(unit, unit, {.transpose_b = true}), 1 / temperature, 0);
  return cross_entropy(masked_fill(similarity, itself.to(z.device()), kNever), other.to(z.device()));
}

}  // namespace voxgrad
