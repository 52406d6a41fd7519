#include "infer/predict.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "augment/sample.h"
#include "core/autograd.h"
#include "infer/fitting.h"
#include "kernels/flip/flip.h"
#include "kernels/pad/pad.h"
#include "kernels/slice/slice.h"

namespace voxgrad {

Int3 patch_of(const ModelDescription& d, const PredictOptions& o) {
  if (o.patch == Int3{0, 0, 0}) return d.patch;
  const Int3 divisor = d.traits.divisor;
  for (int a = 0; a < 3; ++a)
    check(o.patch[a] > 0 && o.patch[a] % divisor[a] == 0, "predict: the patch ", o.patch, " is not a multiple of ", divisor,
          ", the strides of the network");
  return o.patch;
}

namespace {

SlidingWindowOptions window_options(const ModelDescription& d, const PredictOptions& o) {
  const Int3 patch = patch_of(d, o);
  check(o.shift >= 0, "predict: an image moved by ", o.shift, " voxels, 0 and more are wanted");
  for (int a = 0; a < 3 && o.shift > 0; ++a)
    check(patch[a] == 1 || o.shift < patch[a], "predict: an image moved by ", o.shift, " voxels leaves the patch ", patch);
  return {.patch = patch,
          .overlap = o.overlap,
          .places = d.tile_places == "stepped" ? TilePlaces::stepped : TilePlaces::spread,
          .weights = d.tile_weights == "floored"    ? TileWeights::floored
                     : d.tile_weights == "constant" ? TileWeights::constant
                                                    : TileWeights::gaussian,
          .margin = {patch.d > 1 ? o.margin : 0, patch.h > 1 ? o.margin : 0, patch.w > 1 ? o.margin : 0},
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

// {1, patch, C}: what of the image {D, H, W, C} lies in the patch that begins at a voxel, among zeros where the image ends.
Tensor patch_at(const Tensor& image, const Int3& begin, const Int3& patch) {
  const Tensor x = image.reshape({1, image.dim(0), image.dim(1), image.dim(2), image.dim(3)});
  Int3 first, size, before, after;
  for (int a = 0; a < 3; ++a) {
    first[a] = std::max(0, begin[a]);
    size[a] = std::min(int(image.dim(a)), begin[a] + patch[a]) - first[a];
    before[a] = first[a] - begin[a];
    after[a] = patch[a] - size[a] - before[a];
  }
  return pad3d(crop3d(x, first, size), before, after);
}

// Axes of x {1, D, H, W, C} to be mirrored, each combination.
std::vector<std::vector<int>> mirror_poses(const Tensor& x, const std::array<bool, 3>& mirror) {
  std::vector<std::vector<int>> poses = {{}};
  for (int a = 0; a < 3; ++a) {
    if (!mirror[size_t(a)] || x.dim(a + 1) == 1) continue;
    for (size_t i = 0, n = poses.size(); i < n; ++i) {
      poses.push_back(poses[i]);
      poses.back().push_back(a + 1);
    }
  }
  return poses;
}

std::array<std::vector<int64_t>, 3> starts_of(const Int3& image, const SlidingWindowOptions& w) {
  std::array<std::vector<int64_t>, 3> out;
  for (int a = 0; a < 3; ++a)
    out[size_t(a)] = image[a] > w.patch[a] ? tile_starts(image[a], w.patch[a], w.overlap, w.places)
                                           : std::vector<int64_t>{middle_begin(image[a], w.patch[a])};
  return out;
}

// Mean of the outputs over the mirror images of a patch.
std::vector<double> mean_values(const Net& run, const Tensor& x, const SlidingWindowOptions& w) {
  const auto poses = mirror_poses(x, w.mirror);
  std::vector<double> sum;
  for (auto& axes : poses) {
    const std::vector<double> y = run((axes.empty() ? x : flip(x, axes)).to(w.device)).values();
    sum.resize(y.size());
    for (size_t k = 0; k < y.size(); ++k) {
      check(std::isfinite(y[k]), "predict: the network gave values that are not finite; its weights or the image may be damaged");
      sum[k] += y[k] / double(poses.size());
    }
  }
  return sum;
}

// Where patches begin that see the middle of an image, and it moved.
std::vector<Int3> middle_places(const Tensor& image, const Int3& patch, int shift) {
  Int3 middle;
  for (int a = 0; a < 3; ++a) middle[a] = middle_begin(int(image.dim(a)), patch[a]);
  std::vector<Int3> out = {middle};
  for (int a = 0; a < 3 && shift > 0; ++a)
    for (const int way : {-shift, shift}) {
      if (patch[a] == 1) continue;
      out.push_back(middle);
      out.back()[a] += way;
    }
  return out;
}

void check_unmoved(const PredictOptions& o) {
  check(o.shift == 0, "predict: images are moved (shift ", o.shift, ") where a network sees one patch in their middle, not tiles of them");
}

// Outputs {places, K} of the patches that begin there.
Tensor values_at(const Network& net, const ModelDescription& d, const Tensor& image, const SlidingWindowOptions& w,
                 const std::vector<Int3>& places) {
  const Net run = net_of(net, d);
  std::vector<double> all;
  for (const Int3& begin : places) {
    const std::vector<double> y = mean_values(run, patch_at(image, begin, w.patch), w);
    all.insert(all.end(), y.begin(), y.end());
    if (w.progress) w.progress(int64_t(all.size() / y.size()), int64_t(places.size()));
  }
  return Tensor::from(all, {int64_t(places.size()), int64_t(all.size() / places.size())});
}

}  // namespace

PredictOptions predict_options(const ModelDescription& d) { return {.overlap = d.overlap, .mirror = d.mirror}; }

Tensor predict_volume(const Network& net, const ModelDescription& d, const Tensor& image, const PredictOptions& o) {
  check_dense(net, true);
  check_unmoved(o);
  return with_advice(net, d, o, [&](const SlidingWindowOptions& w) { return sliding_window(net_of(net, d), image, w); });
}

void predict_rows(const Network& net, const ModelDescription& d, const Tensor& image, const PredictOptions& o, const RowSink& sink) {
  check_dense(net, true);
  check_unmoved(o);
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

int middle_begin(int extent, int patch) { return extent >= patch ? (extent - patch) / 2 : -((patch - extent) / 2); }

Tensor predict_values(const Network& net, const ModelDescription& d, const Tensor& image, const PredictOptions& o) {
  check_dense(net, false);
  const Inference quiet;
  return with_advice(net, d, o, [&](const SlidingWindowOptions& w) {
    const std::vector<Int3> places = middle_places(image, w.patch, o.shift);
    const std::vector<double> rows = values_at(net, d, image, w, places).values();
    std::vector<double> mean(rows.size() / places.size());
    for (size_t i = 0; i < rows.size(); ++i) mean[i % mean.size()] += rows[i] / double(places.size());
    return Tensor::from(mean, {int64_t(mean.size())});
  });
}

Tensor predict_tile_values(const Network& net, const ModelDescription& d, const Tensor& image, const PredictOptions& o) {
  check_dense(net, false);
  check_unmoved(o);
  const Inference quiet;
  return with_advice(net, d, o, [&](const SlidingWindowOptions& w) {
    const auto starts = starts_of(volume_size(image), w);
    std::vector<Int3> places;
    for (int64_t z : starts[0])
      for (int64_t y : starts[1])
        for (int64_t x : starts[2]) places.push_back({int(z), int(y), int(x)});
    return values_at(net, d, image, w, places);
  });
}

std::array<std::vector<int64_t>, 3> tile_places(const ModelDescription& d, const Int3& image, const PredictOptions& o) {
  return starts_of(image, window_options(d, o));
}

void predict_tiles(const Network& net, const ModelDescription& d, const Tensor& image, const PredictOptions& o,
                   const std::function<void(const std::vector<Tensor>&, const SeenTile&)>& f) {
  check_dense(net, true);
  check_unmoved(o);
  const Inference quiet;
  with_advice(net, d, o, [&](const SlidingWindowOptions& w) {
    const auto starts = starts_of(volume_size(image), w);
    int64_t number = 0, count = int64_t(starts[0].size() * starts[1].size() * starts[2].size());
    for (int64_t z : starts[0])
      for (int64_t y : starts[1])
        for (int64_t x : starts[2]) {
          const Int3 begin = {int(z), int(y), int(x)};
          const Tensor tile = patch_at(image, begin, w.patch);
          const auto poses = mirror_poses(tile, w.mirror);
          for (auto& axes : poses) {
            f(net((axes.empty() ? tile : flip(tile, axes)).to(w.device).to(activation_dtype(d))),
              {begin, axes, number++, count * int64_t(poses.size())});
            if (w.progress) w.progress(number, count * int64_t(poses.size()));
          }
        }
  });
}

}  // namespace voxgrad
