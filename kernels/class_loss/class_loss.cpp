#include "kernels/class_loss/class_loss.h"

#include "core/autograd.h"
#include "core/device/recorded_step.h"
#include "kernels/class_loss/class_loss_kernels.h"

namespace voxgrad {
namespace {

Tensor loss_of(const Op& op, ClassLoss p, const Tensor& logits, const Tensor& targets, const Tensor& class_weights) {
  p.classes = logits.dim(-1);
  p.rows = logits.count() / p.classes;
  check(!class_weights || class_weights.shape() == Shape{p.classes}, op.name, ": the class weights are ", class_weights, " for ", p.classes,
        " classes");
  const DType accum = accum_of(logits.dtype());
  const Tensor weights = class_weights.detach().to(accum).to(logits.device());
  const Tensor loss = Tensor::empty({}, accum, logits.device()), divisor = Tensor::empty({}, accum, logits.device());
  const int64_t bad = on_device(logits.device(), [&](auto on) {
    return class_loss(on, p, logits.view(), targets.view(), weights.view(), loss.view(), divisor.view());
  });
  say_found(bad, [name = op.name, classes = p.classes](int64_t found) {
    check(found == kNoBadClass, name, ": a label is ", found, ", the logits have ", classes, " classes");
  });
  return record(op, {logits, targets}, loss,
                [p, weights, divisor, logits = logits.detach(), targets = targets.detach()](const Tensor& seed, Needs needs) {
                  Grads g(2);
                  if (needs[0]) g[0] = Tensor::empty_like(logits);
                  if (needs[1]) g[1] = Tensor::empty_like(targets);
                  on_device(logits.device(), [&](auto on) {
                    class_loss_backward(on, p, logits.view(), targets.view(), weights.view(), divisor.view(), seed.view(), g[0].view(),
                                        g[1].view());
                  });
                  return g;
                });
}

void check_logits(const char* op, const Tensor& logits) {
  check(logits && is_floating(logits.dtype()) && logits.shape().rank >= 1 && logits.count() > 0, op,
        ": floating logits {.., K} are wanted, not ", logits);
}

}  // namespace

Tensor soft_cross_entropy(const Tensor& logits, const Tensor& targets, const SoftCrossEntropyOptions& o) {
  check_logits("soft_cross_entropy", logits);
  check(targets && targets.info() == logits.info(), "soft_cross_entropy: the targets are ", targets.info(), ", beside logits of ",
        logits.info());
  check(o.label_smoothing >= 0 && o.label_smoothing <= 1, "soft_cross_entropy: a label smoothing of ", o.label_smoothing,
        ", from 0 to 1 is possible");
  return loss_of({"soft_cross_entropy", {{"label_smoothing", o.label_smoothing}}}, {.soft = true, .smoothing = o.label_smoothing}, logits,
                 targets, o.class_weights);
}

Tensor focal_loss(const Tensor& logits, const Tensor& label, const FocalOptions& o) {
  check_logits("focal_loss", logits);
  Shape wanted = logits.shape();
  wanted.dims[--wanted.rank] = 0;
  check(label && label.shape() == wanted && !is_floating(label.dtype()) && label.device() == logits.device(), "focal_loss: the label is ",
        label.info(), ", beside logits of ", logits.info(), " wanted are integers ", wanted);
  check(o.gamma >= 0, "focal_loss: gamma is ", o.gamma, ", not negative is wanted");
  return loss_of({"focal_loss", {{"gamma", o.gamma}, {"ignore_label", o.ignore_label}}},
                 {.soft = false, .gamma = o.gamma, .ignore = o.ignore_label}, logits, label.detach().to(DType::i64), o.class_weights);
}

}  // namespace voxgrad
