// An op of your own with its gradient, on the CPU and, in custom_op_cuda.cu, on a GPU. Its formulas are in custom_op_kernels.h.
#include "custom_op_kernels.h"

#include <voxgrad/voxgrad.h>

#include <cstdio>

using namespace voxgrad;

void soft_clip_kernel(Cpu, double limit, int64_t n, View x, View y) {
  on_dtype(x.dtype, [&]<class T>() {  // f64, f32, bf16 or f16; computed in f64 or f32
    using S = accum_t<T>;
    parallel_for(n, 1 << 14, [&](int64_t i) { y.as<T>()[i] = T(soft_clip(S(x.as<T>()[i]), S(limit))); });
  });
}

void soft_clip_gradient_kernel(Cpu, double limit, int64_t n, View x, View gy, View gx) {
  on_dtype(x.dtype, [&]<class T>() {
    using S = accum_t<T>;
    parallel_for(n, 1 << 14, [&](int64_t i) { gx.as<T>()[i] = T(soft_clip_gradient(S(x.as<T>()[i]), S(gy.as<T>()[i]), S(limit))); });
  });
}

// y = x / (1 + |x| / limit): intensities pressed into (-limit, limit). Any shape and device; saves x.
Tensor soft_clip(const Tensor& x, double limit) {
  check(x && is_floating(x.dtype()) && limit > 0, "soft_clip: given ", x, " and ", limit, ", a floating tensor and a limit > 0 are wanted");
  const Tensor y = Tensor::empty_like(x);
  on_device(x.device(), [&](auto on) { soft_clip_kernel(on, limit, x.count(), x.view(), y.view()); });
  return record({"soft_clip", {{"limit", limit}}}, {x}, y, [limit, x = x.detach()](const Tensor& gy, Needs) {
    const Tensor gx = Tensor::empty_like(x);
    on_device(x.device(), [&](auto on) { soft_clip_gradient_kernel(on, limit, x.count(), x.view(), gy.view(), gx.view()); });
    return Grads{gx};
  });
}

// The values of y and of the gradient of sum(y^2) for x from -5 to 5, there.
std::vector<double> results(Device device) {
  Tensor x = ((Tensor::arange(101) - 50) / 10).to(device);
  x.require_grad();
  const Tensor y = soft_clip(x, 2);
  backward(sum(square(y)));
  std::vector<double> out = y.values();
  for (double g : x.grad().values()) out.push_back(g);
  return out;
}

int main() {
  Tensor x = Tensor::from({-3, -0.5, 0.25, 2}, {4}, DType::f64);
  const double error = gradient_error([](const std::vector<Tensor>& in) { return soft_clip(in[0], 2); }, {x});
  std::printf("%serror of the gradient against finite differences: %.1e\n", describe_graph(soft_clip(x.require_grad(), 2)).c_str(), error);
  bool right = error < 1e-6 && soft_clip(Tensor::scalar(2), 2).item() == 1;

  if (cuda_device_count() > 0) {
    const auto on_cpu = results({}), on_cuda = results(parse_device("cuda"));
    double difference = 0;
    for (size_t i = 0; i < on_cpu.size(); ++i) difference = std::max(difference, std::abs(on_cpu[i] - on_cuda[i]));
    std::printf("largest difference between CPU and CUDA: %.1e\n", difference);
    right = right && difference < 1e-6;
  }
  return right ? 0 : 1;
}
