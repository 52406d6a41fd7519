#include "kernels/heatmap_loss/heatmap_loss.h"

#include "core/autograd.h"
#include "kernels/heatmap_loss/heatmap_loss_kernels.h"

namespace voxgrad {

Tensor heatmap_loss(const Tensor& x, const Tensor& t, const HeatmapLossOptions& o) {
  check(x && t && is_floating(x.dtype()) && x.count() > 0 && t.shape() == x.shape() && t.dtype() == accum_of(x.dtype()) &&
            t.device() == x.device(),
        "heatmap_loss: logits and targets of their shape and of ", name_of(accum_of(x.dtype())), " are wanted, not ", x, " and ", t);
  check(o.alpha >= 0 && o.beta >= 0, "heatmap_loss: alpha is ", o.alpha, " and beta ", o.beta, ", from 0 is wanted");
  const HeatmapLoss p = {x.count(), o.alpha, o.beta};
  Tensor loss = Tensor::empty({}, t.dtype(), x.device()), centres = Tensor::empty_like(loss);
  on_device(x.device(), [&](auto on) { heatmap_loss(on, p, x.view(), t.view(), loss.view(), centres.view()); });
  return record({"heatmap_loss", {{"alpha", o.alpha}, {"beta", o.beta}}}, {x}, loss,
                [p, x = x.detach(), t = t.detach(), centres](const Tensor& seed, Needs) {
                  Tensor gx = Tensor::empty_like(x);
                  on_device(x.device(), [&](auto on) {
                    heatmap_loss_backward(on, p, x.view(), t.view(), centres.view(), seed.view(), gx.view());
                  });
                  return Grads{gx};
                });
}

}  // namespace voxgrad
