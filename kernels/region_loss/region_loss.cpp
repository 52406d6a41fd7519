#include "kernels/region_loss/region_loss.h"

#include "kernels/binary/binary.h"
#include "kernels/compare/compare.h"
#include "kernels/one_hot/one_hot_call.h"
#include "kernels/reduce/reduce.h"
#include "kernels/slice/slice.h"
#include "kernels/softmax/softmax.h"
#include "kernels/squeeze/squeeze.h"
#include "kernels/where/where.h"

namespace voxgrad {
namespace {

// The index of each sample and class, {N or 1, K}.
Tensor tversky_index(const Tensor& p, const Tensor& t, double alpha, double beta, double smooth, bool batch) {
  std::vector<int> axes;
  for (int k = batch ? 0 : 1; k + 1 < p.shape().rank; ++k) axes.push_back(k);
  const Tensor both = sum(p * t, axes);
  return (both + smooth) / (both * (1 - alpha - beta) + sum(p, axes) * alpha + sum(t, axes) * beta + smooth);
}

Tensor loss_of(const Tensor& index, double exponent) {
  const Tensor miss = 1 - index;
  // The power's derivative needs what is above 0.
  return exponent == 1 ? mean(miss) : mean(power(clamp(miss, 1e-7, 1), exponent));
}

void check_logits(const char* op, const Tensor& logits) {
  check(logits && is_floating(logits.dtype()) && logits.shape().rank >= 2 && logits.count() > 0, op,
        ": floating logits {N, .., K} are wanted, not ", logits);
}
void check_target(const char* op, const Tensor& logits, const Tensor& target) {
  check_logits(op, logits);
  check(target && target.shape() == logits.shape() && target.device() == logits.device(), op, ": the target is ", target.info(),
        ", beside logits of ", logits.info());
}
void check_options(const char* op, const TverskyOptions& o) {
  check(o.alpha >= 0 && o.beta >= 0 && o.exponent > 0 && o.smooth > 0, op, ": alpha ", o.alpha, ", beta ", o.beta, ", exponent ",
        o.exponent, " and smooth ", o.smooth, ": none may be negative, the last two not 0");
}

}  // namespace

Tensor tversky_loss(const Tensor& logits, const Tensor& label, const TverskyOptions& o) {
  check_logits("tversky_loss", logits);
  check_options("tversky_loss", o);
  Shape wanted = logits.shape();
  wanted.dims[--wanted.rank] = 0;
  const int64_t classes = logits.dim(-1);
  check(label && label.shape() == wanted && !is_floating(label.dtype()) && label.device() == logits.device(), "tversky_loss: the label is ",
        label.info(), ", beside logits of ", logits.info(), " wanted are integers ", wanted);
  check(o.include_background || classes > 1, "tversky_loss: one class without the background leaves none");
  const DType accum = accum_of(logits.dtype());
  Tensor p = softmax(logits.to(accum)), y = label.detach().to(DType::i64), kept;
  if (o.ignore_label >= 0 || label.dtype() != DType::u8) {
    const Tensor ignored = equal(y, o.ignore_label);
    kept = unsqueeze(logical_not(ignored), -1).to(accum);
    y = where(ignored, 0, y);
    p = p * kept;
  }
  Tensor t = one_hot_call("tversky_loss", y, classes, accum);
  if (kept) t = t * kept;
  const Tensor index = tversky_index(p, t, o.alpha, o.beta, o.smooth, o.batch);
  return loss_of(o.include_background ? index : slice(index, -1, 1, classes), o.exponent);
}

Tensor sigmoid_tversky_loss(const Tensor& logits, const Tensor& target, const TverskyOptions& o) {
  check_target("sigmoid_tversky_loss", logits, target);
  check_options("sigmoid_tversky_loss", o);
  const DType accum = accum_of(logits.dtype());
  return loss_of(tversky_index(sigmoid(logits.to(accum)), target.to(accum), o.alpha, o.beta, o.smooth, o.batch), o.exponent);
}

Tensor sigmoid_dice_loss(const Tensor& logits, const Tensor& target, const SigmoidDiceOptions& o) {
  check_target("sigmoid_dice_loss", logits, target);
  check(o.smooth > 0, "sigmoid_dice_loss: smooth is ", o.smooth, ", a positive one is wanted");
  const DType accum = accum_of(logits.dtype());
  return -mean(tversky_index(sigmoid(logits.to(accum)), target.to(accum), 0.5, 0.5, o.smooth / 2, o.batch));
}

}  // namespace voxgrad
