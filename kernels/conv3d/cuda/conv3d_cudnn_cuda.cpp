// Convolutions by cuDNN (version 9, its graph interface), beside the kernels of this folder.
#include <cudnn.h>

#include <map>
#include <memory>

#include "core/cuda/runtime.h"
#include "core/cuda/scratch.h"
#include "core/memory/memory_kernels.h"
#include "kernels/binary/binary_kernels.h"
#include "kernels/conv3d/cuda/conv3d_cudnn_kernels.h"
#include "kernels/conv3d/cuda/conv3d_cudnn_plan.h"

namespace voxgrad {
namespace {

// A handle per thread and device, which may serve one thread at a time, and the plans that were made with it.
struct Context {
  cudnnHandle_t handle = nullptr;
  std::map<std::vector<int64_t>, CudnnPlan> plans;
  explicit Context(int device) {
    cuda::select(device);
    check_cudnn(cudnnCreate(&handle), "cudnnCreate");
  }
  Context(const Context&) = delete;
  ~Context() {
    plans.clear();
    cudnnDestroy(handle);
  }
};
Context& context_of(int device) {
  thread_local std::map<int, std::unique_ptr<Context>> contexts;
  auto& c = contexts[device];
  if (!c) c = std::make_unique<Context>(device);
  return *c;
}

std::vector<int64_t> key_of(const CudnnConvolution& c) {
  const Conv3dProblem& p = c.p;
  std::vector<int64_t> key{int64_t(c.pass), int64_t(c.dtype), c.alignment, p.n, p.c, p.k, p.groups, p.exact_f32};
  for (const Int3& v : {p.in, p.out, p.kernel, p.stride, p.padding, p.dilation}) key.insert(key.end(), {v.d, v.h, v.w});
  return key;
}

void convolve(Cuda on, const Conv3dProblem& p, CudnnPass pass, View x, View w, View y) {
  const auto address = [](View v) { return reinterpret_cast<uintptr_t>(v.data); };
  const bool aligned = (address(x) | address(w) | address(y)) % 16 == 0;
  const CudnnConvolution c{.p = p, .pass = pass, .dtype = x.dtype, .alignment = aligned ? 16 : int64_t(size_of(x.dtype))};
  Context& context = context_of(cuda::device_of(on));
  check_cudnn(cudnnSetStream(context.handle, on.stream), "cudnnSetStream");
  auto found = context.plans.find(key_of(c));
  if (found == context.plans.end()) found = context.plans.emplace(key_of(c), CudnnPlan({.handle = context.handle}, c)).first;
  const Scratch workspace(on, found->second.workspace());
  found->second.run(context.handle, x.data, w.data, y.data, workspace.as<void>());
}

// The f32 weight w in the dtype of the activations: w itself or a copy.
struct RoundedWeight {
  std::unique_ptr<Scratch> copy;
  View view;
  RoundedWeight(Cuda on, const Conv3dProblem& p, View w, DType t) : view(w) {
    if (t == w.dtype) return;
    copy = std::make_unique<Scratch>(on, p.weights() * int64_t(size_of(t)));
    view = {copy->as<void>(), t};
    cast(on, p.weights(), w, view);
  }
};

void add_bias(Cuda on, int64_t rows, int64_t channels, View b, View y) {
  if (b) binary_forward(on, {.op = BinaryOp::add, .count = rows * channels, .columns = channels}, y, b, y);
}

}  // namespace

void cudnn_forward(Cuda on, const Conv3dProblem& p, View x, View w, View b, View y) {
  const RoundedWeight rounded(on, p, w, x.dtype);
  convolve(on, p, CudnnPass::forward, x, rounded.view, y);
  add_bias(on, p.out_voxels(), p.k, b, y);
}

void cudnn_input_gradient(Cuda on, const Conv3dProblem& p, View gy, View w, View b, View gx) {
  const RoundedWeight rounded(on, p, w, gy.dtype);
  convolve(on, p, CudnnPass::input_gradient, gx, rounded.view, gy);
  add_bias(on, p.in_voxels(), p.c, b, gx);
}

void cudnn_weight_gradient(Cuda on, const Conv3dProblem& p, View x, View gy, View gw) {
  if (x.dtype == gw.dtype) return convolve(on, p, CudnnPass::weight_gradient, x, gw, gy);
  const Scratch result(on, p.weights() * int64_t(size_of(x.dtype)));
  const View low{result.as<void>(), x.dtype};
  convolve(on, p, CudnnPass::weight_gradient, x, low, gy);
  cast(on, p.weights(), low, gw);
}

}  // namespace voxgrad
