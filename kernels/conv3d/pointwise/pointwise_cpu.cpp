#include "kernels/conv3d/pointwise/pointwise.h"

#include "core/device/parallel.h"
#include "kernels/conv3d/pointwise/pointwise_isa.h"

namespace voxgrad {
namespace {

constexpr int64_t kRows = 1024;  // of a task

template <class T>
bool has_loops(const ConvGather& g) {
  const int64_t lanes = pointwise_isa<T>().lanes, few = std::min<int64_t>(kFewChannels, lanes);
  return (g.outputs <= few && g.inputs % lanes == 0) || (g.inputs <= few && g.outputs % lanes == 0);
}

template <class T>
void run(const ConvGather& g, View x, View w, View bias, View y) {
  using A = accum_t<T>;
  const PointwiseIsa<T> isa = pointwise_isa<T>();
  const bool to_few = g.outputs <= kFewChannels && g.inputs % isa.lanes == 0;
  std::vector<A> weights(size_t(g.inputs * g.outputs)), biases(size_t(g.outputs));
  for (int64_t k = 0; k < g.outputs; ++k) {
    if (bias) biases[size_t(k)] = bias.as<A>()[k];
    for (int64_t c = 0; c < g.inputs; ++c)
      weights[size_t(to_few ? k * g.inputs + c : c * g.outputs + k)] = w.as<A>()[k * g.w_output + c * g.w_input];
  }
  const int64_t rows = g.n * g.in.d * g.in.h * g.in.w;
  const bool stream = !to_few && goes_past_caches(g, y, isa.lanes);
  parallel_for(chunk_count(rows, kRows), 4, [&](int64_t i) {
    PointwiseRows<T> r{.inputs = g.inputs, .outputs = g.outputs, .w = weights.data(), .bias = biases.data(), .stream = stream};
    r.rows = std::min(kRows, rows - i * kRows);
    r.x = x.as<T>() + i * kRows * g.inputs;
    r.y = y.as<T>() + i * kRows * g.outputs;
    to_few ? isa.few_outputs(r) : isa.few_inputs(r);
  });
}

}  // namespace

bool is_few_pointwise(const ConvGather& g, const ConvInput& x) {
  if (g.slices != 1 || g.depthwise || !x.whole()) return false;
  for (int a = 0; a < 3; ++a) {
    const auto& phases = g.axes[size_t(a)];
    if (phases.size() != 1 || phases[0].offset != std::vector<int64_t>{0} || g.in_step[a] != 1 || g.in[a] != g.out[a]) return false;
  }
  return x.dtype() == DType::f64 ? has_loops<double>(g) : has_loops<float>(g);
}

void pointwise_gather(const ConvGather& g, View x, View w, View bias, View y) {
  on_dtype(x.dtype, [&]<class T>() { run<T>(g, x, w, bias, y); });
}

}  // namespace voxgrad
