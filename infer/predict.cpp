#include "infer/predict.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "core/autograd.h"
#include "infer/fitting.h"
#include "kernels/flip/flip.h"
#include "kernels/pad/pad.h"
#include "kernels/slice/slice.h"

namespace voxgrad {
namespace {

Int3 patch_of(const ModelDescription& d, const PredictOptions& o) {
  if (o.patch == Int3{0, 0, 0}) return d.patch;
  const Int3 divisor = d.traits.divisor;
  for (int a = 0; a < 3; ++a)
    check(o.patch[a] > 0 && o.patch[a] % divisor[a] == 0, "predict: the patch ", o.patch, " is not a multiple of ", divisor,
          ", the strides of the network");
  return o.patch;
}

SlidingWindowOptions window_options(const ModelDescription& d, const PredictOptions& o) {
  return {.patch = patch_of(d, o),
          .overlap = o.overlap,
          .places = d.tile_places == "stepped" ? TilePlaces::stepped : TilePlaces::spread,
          .weights = d.tile_weights == "floored"    ? TileWeights::floored
                     : d.tile_weights == "constant" ? TileWeights::constant
                                                    : TileWeights::gaussian,
          .batch = o.batch,
          .mirror = {o.mirror && d.mirror_axes[0], o.mirror && d.mirror_axes[1], o.mirror && d.mirror_axes[2]},
          .skip_empty = o.skip_empty,
          .device = o.device,
          .progress = o.progress};
}

Net net_of(const Network& net, const ModelDescription& d) {
  const DType t = activation_dtype(d);
  const auto whole = [&net, t](const Tensor& x) { return net(x.to(t))[0].to(DType::f32); };
  if (!net.has_slabs()) return whole;
  return {whole, [&net, t](const Tensor& x) { return net.in_slabs(x.to(t)); }};
}

// f(options); where memory runs out, the error says which patch would fit.
template <class F>
auto with_advice(const Network& net, const ModelDescription& d, const PredictOptions& o, F&& f) {
  const SlidingWindowOptions w = window_options(d, o);
  std::string what;
  try {
    return f(w);
  } catch (const OutOfMemory& e) { what = e.what(); }
  const Inference quiet;
  const Net run = net_of(net, d);
  fail_with_what_fits("predict: " + what, "--patch", o.device, {w.batch, w.patch}, d.traits.divisor, [&](const Workload& l) {
    run(Tensor::zeros({l.batch, l.patch.d, l.patch.h, l.patch.w, d.traits.in_channels}, DType::f32, o.device)).to(Device{});
  });
}

void check_dense(const Network& net, bool dense) {
  check(net.traits().dense == dense, "predict: the network gives ", net.traits().dense ? "a value per voxel" : "values per image",
        ", not what is asked of it");
}

// {1, patch, C}: the middle of the image {D, H, W, C}, among zeros where it is smaller.
Tensor middle_of(const Tensor& image, const Int3& patch) {
  Tensor x = image.reshape({1, image.dim(0), image.dim(1), image.dim(2), image.dim(3)});
  Int3 begin, size = patch, before, after;
  for (int a = 0; a < 3; ++a) {
    const int extent = int(image.dim(a));
    begin[a] = std::max(0, (extent - patch[a]) / 2);
    size[a] = std::min(extent, patch[a]);
    before[a] = (patch[a] - size[a]) / 2;
    after[a] = patch[a] - size[a] - before[a];
  }
  return pad3d(crop3d(x, begin, size), before, after);
}

}  // namespace

PredictOptions predict_options(const ModelDescription& d) { return {.overlap = d.overlap, .mirror = d.mirror}; }

Tensor predict_volume(const Network& net, const ModelDescription& d, const Tensor& image, const PredictOptions& o) {
  check_dense(net, true);
  return with_advice(net, d, o, [&](const SlidingWindowOptions& w) { return sliding_window(net_of(net, d), image, w); });
}

void predict_rows(const Network& net, const ModelDescription& d, const Tensor& image, const PredictOptions& o, const RowSink& sink) {
  check_dense(net, true);
  using Clock = std::chrono::steady_clock;
  const auto seconds = [](Clock::time_point since) { return std::chrono::duration<double>(Clock::now() - since).count(); };
  const Clock::time_point start = Clock::now();
  double in_sink = 0;
  const RowSink timed = [&](int64_t first, int64_t rows, const float* values, int64_t channels) {
    const Clock::time_point before = Clock::now();
    sink(first, rows, values, channels);
    in_sink += seconds(before);
  };
  with_advice(net, d, o, [&](const SlidingWindowOptions& w) { sliding_window_rows(net_of(net, d), image, w, timed); });
  if (!o.times) return;
  o.times->rows += in_sink;
  o.times->outputs += seconds(start) - in_sink;
}

Tensor predict_values(const Network& net, const ModelDescription& d, const Tensor& image, const PredictOptions& o) {
  check_dense(net, false);
  const Inference quiet;
  return with_advice(net, d, o, [&](const SlidingWindowOptions& w) {
    const Net run = net_of(net, d);
    const Tensor x = middle_of(image, w.patch);
    const int poses = o.mirror ? 8 : 1;
    std::vector<double> sum(size_t(d.traits.out_channels));
    for (int pose = 0; pose < poses; ++pose) {
      std::vector<int> axes;
      for (int a = 0; a < 3; ++a)
        if (pose >> a & 1) axes.push_back(a + 1);
      const std::vector<double> y = run((axes.empty() ? x : flip(x, axes)).to(o.device)).values();
      for (size_t k = 0; k < sum.size(); ++k) {
        check(std::isfinite(y[k]), "predict: the network gave values that are not finite; its weights or the image may be damaged");
        sum[k] += y[k] / poses;
      }
      if (o.progress) o.progress(pose + 1, poses);
    }
    return Tensor::from(sum, {int64_t(sum.size())});
  });
}

}  // namespace voxgrad
