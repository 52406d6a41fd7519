#include "kernels/dice_cross_entropy/dice_cross_entropy.h"

#include "core/autograd.h"
#include "kernels/dice_cross_entropy/loss_call.h"

namespace voxgrad {
namespace {

// Of the parts that count.
Op described(const SegmentationLoss& p) {
  Op op = {p.op, {{"ignore_label", p.ignore_label}}};
  if (p.dice_weight != 0) {
    op.add("dice_weight", p.dice_weight);
    op.add("batch_dice", p.batch_dice);
    op.add("include_background", p.include_background);
    op.add("smooth", p.smooth);
  }
  if (p.cross_entropy_weight != 0) {
    op.add("cross_entropy_weight", p.cross_entropy_weight);
    op.add("label_smoothing", p.smoothing);
  }
  return op;
}

}  // namespace

Tensor segmentation_loss(const char* op, const Tensor& logits, const Tensor& label, const DiceCrossEntropyOptions& o) {
  check(logits && is_floating(logits.dtype()) && logits.shape().rank >= 2 && logits.count() > 0, op,
        ": floating logits {N, .., K} with elements are wanted, not ", logits);
  Shape wanted = logits.shape();
  --wanted.rank;
  wanted.dims[wanted.rank] = 0;
  check(label && label.shape() == wanted && !is_floating(label.dtype()), op, ": the label is ", label, ", beside logits of ",
        logits.shape(), " wanted are integers ", wanted);
  check(label.device() == logits.device(), op, ": the label is on ", label.device(), ", the logits are on ", logits.device());
  const int64_t channels = logits.dim(-1), samples = logits.dim(0);
  const CrossEntropyOptions& ce = o.cross_entropy;
  check(o.dice_weight == 0 || o.cross_entropy_weight == 0 || o.dice.ignore_label == ce.ignore_label, op, ": the Dice ignores label ",
        o.dice.ignore_label, ", the cross-entropy ", ce.ignore_label);
  check(!ce.class_weights || ce.class_weights.shape() == Shape{channels}, op, ": the class weights are ", ce.class_weights, " for ",
        channels, " classes");
  check(ce.label_smoothing >= 0 && ce.label_smoothing <= 1, op, ": a label smoothing of ", ce.label_smoothing, ", from 0 to 1 is possible");
  check(o.dice_weight == 0 || o.dice.include_background || channels > 1, op, ": one class without the background leaves none");
  check(o.dice.smooth >= 0, op, ": smooth is ", o.dice.smooth, ", not negative is wanted");
  const SegmentationLoss p = {.op = op,
                              .samples = samples,
                              .voxels = logits.count() / (samples * channels),
                              .channels = channels,
                              .ignore_label = o.cross_entropy_weight != 0 ? ce.ignore_label : o.dice.ignore_label,
                              .dice_weight = o.dice_weight,
                              .cross_entropy_weight = o.cross_entropy_weight,
                              .smoothing = ce.label_smoothing,
                              .batch_dice = o.dice.batch_dice,
                              .include_background = o.dice.include_background,
                              .smooth = o.dice.smooth};
  const DType accum = accum_of(logits.dtype());
  const Tensor labels = label.dtype() == DType::i64 ? label.detach().to(DType::i32) : label.detach();
  const Tensor weights = ce.class_weights.detach().to(accum).to(logits.device());
  const Tensor slopes = Tensor::empty({1 + 2 * samples * channels}, accum, logits.device());
  Tensor loss = Tensor::empty({}, accum, logits.device());
  on_device(logits.device(),
            [&](auto on) { loss_forward(on, p, logits.view(), labels.view(), weights.view(), loss.view(), slopes.view()); });
  return record(described(p), {logits}, loss, [p, slopes, weights, logits = logits.detach(), labels](const Tensor& seed, Needs) {
    Tensor g = Tensor::empty_like(logits);
    on_device(g.device(),
              [&](auto on) { loss_backward(on, p, logits.view(), labels.view(), weights.view(), slopes.view(), seed.view(), g.view()); });
    return Grads{g};
  });
}

Tensor dice_cross_entropy(const Tensor& logits, const Tensor& label, const DiceCrossEntropyOptions& o) {
  return segmentation_loss("dice_cross_entropy", logits, label, o);
}

}  // namespace voxgrad
