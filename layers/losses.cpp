#include "layers/losses.h"

#include "kernels/binary/binary.h"
#include "kernels/interpolate3d/interpolate3d.h"

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

}  // namespace voxgrad
