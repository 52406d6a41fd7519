#include "kernels/region_dice_bce/region_dice_bce.h"

#include "kernels/binary/binary.h"
#include "kernels/compare/compare.h"
#include "kernels/index_select/index_select.h"
#include "kernels/pointwise_loss/pointwise_loss.h"
#include "kernels/reduce/reduce.h"
#include "kernels/softmax/softmax.h"
#include "kernels/squeeze/squeeze.h"

namespace voxgrad {

Tensor region_dice_bce(const Tensor& logits, const Tensor& label, const Tensor& members, const RegionDiceBceOptions& o) {
  const char* op = "region_dice_bce";
  check(logits && is_floating(logits.dtype()) && logits.shape().rank >= 2 && logits.count() > 0, op,
        ": floating logits {N, .., R} are wanted, not ", logits);
  Shape of_label = logits.shape();
  of_label.dims[--of_label.rank] = 0;
  check(label && label.shape() == of_label && label.dtype() == DType::u8 && label.device() == logits.device(), op, ": the label is ",
        label.info(), ", beside logits of ", logits.info(), " wanted is u8 ", of_label);
  check(members && members.shape() == Shape{256, logits.dim(-1)} && members.device() == logits.device(), op, ": members are ",
        members.info(), ", beside logits of ", logits.info(), " wanted are ", Shape{256, logits.dim(-1)});
  check(o.smooth > 0, op, ": smooth is ", o.smooth, ", a positive one is wanted");
  const DType accum = accum_of(logits.dtype());
  const Tensor x = logits.to(accum);
  Tensor p = sigmoid(x), t = embedding(members.detach().to(accum), label.detach()), kept;
  if (o.ignore_label >= 0) {
    kept = unsqueeze(logical_not(equal(label.detach(), o.ignore_label)), -1).to(accum);
    p = p * kept;
    t = t * kept;
  }
  std::vector<int> axes;
  for (int a = o.batch_dice ? 0 : 1; a + 1 < x.shape().rank; ++a) axes.push_back(a);
  const Tensor dice = mean((sum(p * t, axes) * 2 + o.smooth) / (sum(p, axes) + sum(t, axes) + o.smooth));
  const Tensor bce = bce_with_logits(x, t, {.weight = kept, .reduction = Reduction::sum});
  // What is counted stays on the device.
  const Tensor each = kept ? bce / maximum(sum(kept) * double(x.dim(-1)), Tensor::full({}, 1, accum, x.device()))
                           : bce * (1 / double(x.count()));
  return each * o.cross_entropy_weight - dice * o.dice_weight;
}

}  // namespace voxgrad
