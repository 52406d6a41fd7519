// The plans of cuDNN, its engines that do not repeat their bits among them: the peer at its best.
#include <cudnn.h>

#include <memory>

#include "benchmarks/profile/cudnn_engines.h"
#include "core/cuda/runtime.h"
#include "kernels/conv3d/cuda/conv3d_cudnn_plan.h"

namespace voxgrad::bench {
namespace {

struct Handle {
  cudnnHandle_t handle = nullptr;
  explicit Handle(Cuda on) {
    check_cudnn(cudnnCreate(&handle), "cudnnCreate");
    check_cudnn(cudnnSetStream(handle, on.stream), "cudnnSetStream");
  }
  Handle(const Handle&) = delete;
  ~Handle() { cudnnDestroy(handle); }
};

}  // namespace

void for_cudnn_offers(const Layer& layer, Pass pass, const LayerTensors& t, int64_t workspace,
                      const std::function<bool(const CudnnOffer&)>& take) {
  const Device device = t.x.device();
  const DType dtype = t.x.dtype();
  const Cuda on = current_stream(device);
  cuda::select(device.cuda_index);
  const Handle context(on);
  const Tensor &in = layer.transposed ? t.y : t.x, &out = layer.transposed ? t.x : t.y, w = t.w.to(dtype);
  const bool by_forward = layer.transposed ? pass == Pass::input_gradient : pass == Pass::forward;
  const CudnnConvolution c{.p = layer.p,
                           .pass = pass == Pass::weight_gradient ? CudnnPass::weight_gradient
                                   : by_forward                  ? CudnnPass::forward
                                                                 : CudnnPass::input_gradient,
                           .dtype = dtype};
  for_cudnn_plans({.handle = context.handle}, c, false, [&](CudnnPlan plan) {
    if (plan.workspace() > workspace) return true;
    const Tensor scratch = Tensor::empty({std::max<int64_t>(plan.workspace(), 1)}, DType::u8, device);
    const auto run = [&] { plan.run(context.handle, in.view().data, w.view().data, out.view().data, scratch.view().data); };
    const bool more = take({.engine = plan.engine(), .repeats = plan.repeats(), .workspace = plan.workspace(), .run = run});
    cuda::synchronize(on);
    return more;
  });
}

}  // namespace voxgrad::bench
