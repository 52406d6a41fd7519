#include "kernels/pointwise_loss/pointwise_loss.h"

#include "core/autograd.h"
#include "kernels/expand/expand.h"
#include "kernels/pointwise_loss/pointwise_loss_kernels.h"

namespace voxgrad {
namespace {

struct LossCall {
  LossFormula formula;
  double a = 0, b = 0, scale = 1;
  Reduction reduction;
  Tensor weight = {}, positive = {};
};

Tensor loss_of(const Op& op, const Tensor& x, const Tensor& target, const LossCall& call) {
  check(x && target && is_floating(x.dtype()) && target.info() == x.info() && x.count() > 0, op.name,
        ": two floating tensors of one shape, dtype and device, with elements, are wanted, not ", x.info(), " and ", target.info());
  const Reduction r = call.reduction;
  check(r != Reduction::batch_mean || x.shape().rank > 0, op.name, ": a scalar has no samples");
  check(!call.weight || broadcasts_to(call.weight.shape(), x.shape()), op.name, ": the weight is ", call.weight, ", beside ", x,
        ": its extents are those, 1 or absent");
  const double divisor = r == Reduction::mean ? double(x.count()) : r == Reduction::batch_mean ? double(x.dim(0)) : 1;
  const DType accum = accum_of(x.dtype());
  const Tensor weight = call.weight ? expand(call.weight.detach().to(accum), x.shape()).detach() : Tensor{};
  const Tensor positive = call.positive.detach().to(accum);
  const PointwiseLoss p = {.formula = call.formula,
                           .a = call.a,
                           .b = call.b,
                           .n = x.count(),
                           .channels = positive ? positive.count() : 1,
                           .reduced = r != Reduction::none,
                           .scale = call.scale / divisor};
  const Tensor y = p.reduced ? Tensor::empty({}, accum, x.device()) : Tensor::empty_like(x);
  on_device(x.device(), [&](auto on) { pointwise_loss(on, p, x.view(), target.view(), weight.view(), positive.view(), y.view()); });
  return record(op, {x, target}, y, [p, weight, positive, x = x.detach(), t = target.detach()](const Tensor& gy, Needs needs) {
    Grads g(2);
    for (int k = 0; k < 2; ++k)
      if (needs[k]) g[size_t(k)] = Tensor::empty_like(x);
    on_device(x.device(), [&](auto on) {
      pointwise_loss_backward(on, p, x.view(), t.view(), weight.view(), positive.view(), gy.view(), g[0].view(), g[1].view());
    });
    return g;
  });
}

const char* name_of(Reduction r) {
  constexpr const char* names[] = {"mean", "sum", "none", "batch_mean"};
  return names[int(r)];
}

}  // namespace

Tensor bce_with_logits(const Tensor& x, const Tensor& target, const BceOptions& o) {
  const int64_t channels = x && x.shape().rank > 0 ? x.dim(-1) : 1;
  check(!o.pos_weight || o.pos_weight.shape() == Shape{channels} || o.pos_weight.shape() == Shape{1}, "bce_with_logits: the pos_weight is ",
        o.pos_weight, ", beside ", x);
  check((!o.weight || o.weight.device() == x.device()) && (!o.pos_weight || o.pos_weight.device() == x.device()),
        "bce_with_logits: weights on another device than ", x.info());
  return loss_of({"bce_with_logits", {{"reduction", name_of(o.reduction)}}}, x, target,
                 {.formula = LossFormula::bce, .reduction = o.reduction, .weight = o.weight, .positive = o.pos_weight});
}

Tensor sigmoid_focal_loss(const Tensor& x, const Tensor& target, const SigmoidFocalOptions& o) {
  check(o.gamma >= 0 && o.alpha <= 1, "sigmoid_focal_loss: gamma is ", o.gamma, ", alpha ", o.alpha, "; from 0, and up to 1, are possible");
  return loss_of({"sigmoid_focal_loss", {{"gamma", o.gamma}, {"alpha", o.alpha}, {"reduction", name_of(o.reduction)}}}, x, target,
                 {.formula = LossFormula::focal, .a = o.gamma, .b = o.alpha, .reduction = o.reduction});
}

Tensor huber_loss(const Tensor& x, const Tensor& target, const HuberOptions& o) {
  check(o.delta > 0, "huber_loss: delta is ", o.delta, ", a positive one is wanted");
  return loss_of({"huber_loss", {{"delta", o.delta}, {"reduction", name_of(o.reduction)}}}, x, target,
                 {.formula = LossFormula::huber, .a = o.delta, .reduction = o.reduction});
}

Tensor smooth_l1_loss(const Tensor& x, const Tensor& target, const SmoothL1Options& o) {
  check(o.beta > 0, "smooth_l1_loss: beta is ", o.beta, ", a positive one is wanted");
  return loss_of({"smooth_l1_loss", {{"beta", o.beta}, {"reduction", name_of(o.reduction)}}}, x, target,
                 {.formula = LossFormula::huber, .a = o.beta, .scale = 1 / o.beta, .reduction = o.reduction});
}

Tensor kl_div(const Tensor& x, const Tensor& target, const KlDivOptions& o) {
  return loss_of({"kl_div", {{"log_target", o.log_target}, {"reduction", name_of(o.reduction)}}}, x, target,
                 {.formula = o.log_target ? LossFormula::kl_log : LossFormula::kl, .reduction = o.reduction});
}

}  // namespace voxgrad
