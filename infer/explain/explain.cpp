#include "infer/explain/explain.h"

#include <algorithm>
#include <cmath>

#include "core/autograd.h"
#include "core/error.h"
#include "core/module.h"
#include "infer/explain/score.h"
#include "kernels/binary/binary.h"
#include "kernels/compare/compare.h"
#include "kernels/interpolate3d/interpolate3d.h"
#include "kernels/pad/pad.h"
#include "kernels/reduce/reduce.h"
#include "kernels/slice/slice.h"

namespace voxgrad {
namespace {

// f32 {D, H, W} of one channel, on the CPU.
Tensor as_map(const Tensor& t) { return t.detach().to(Device{}).to(DType::f32).reshape({t.dim(1), t.dim(2), t.dim(3)}); }

struct LayerShape {
  std::string name;
  Shape shape;
};

// With places, of the one image.
bool extended(const Shape& s) { return s.rank == 5 && s[0] == 1 && s[1] * s[2] * s[3] > 1; }

// The last layer with a place in it, before what gives the outputs themselves.
std::string last_layer(const std::vector<LayerShape>& layers, const Shape& output) {
  for (auto l = layers.rbegin(); l != layers.rend(); ++l)
    if (!l->name.empty() && extended(l->shape) && l->shape != output) return l->name;
  fail("explain: no layer of the network has an extent above 1");
}

Explanation grad_cam(Network& net, const ExplainScore& score, const Tensor& x, const ExplainOptions& o) {
  std::vector<LayerShape> layers;
  Shape output;
  {
    const Inference quiet;
    const ForwardHooks scope(net, [&](const LayerOutput& l) { layers.push_back({l.name, l.output.shape()}); });
    output = net(x)[0].shape();
  }
  Explanation out;
  out.layer = o.layer.empty() ? last_layer(layers, output) : o.layer;
  std::string known;
  bool found = false;
  for (const LayerShape& l : layers)
    if (extended(l.shape)) known += (known.empty() ? "" : ", ") + l.name, found |= l.name == out.layer;
  check(found, "explain: no layer \"", out.layer, "\" with an extent above 1; there are ", known);
  Tensor features;
  Tensor s;
  {
    const ForwardHooks scope(net, [&](const LayerOutput& l) {
      return l.name == out.layer && !features ? features = l.output.detach().require_grad() : Tensor{};
    });
    s = score(net(x)[0]);
  }
  out.score = s.item();
  backward(s);
  const Tensor gradient = features.grad();
  check(bool(gradient), "explain: the score does not depend on the layer ", out.layer);
  const Inference quiet;
  const Tensor weights = mean(gradient.to(DType::f32), {1, 2, 3}, {.keep = true});
  const Tensor map = relu(sum(features.detach().to(DType::f32) * weights, {4}, {.keep = true}));
  out.map = as_map(interpolate3d(map, {int(x.dim(1)), int(x.dim(2)), int(x.dim(3))}, {.mode = Interpolation::trilinear}));
  return out;
}

Explanation integrated_gradients(Network& net, const ExplainScore& score, const Tensor& x, const ExplainOptions& o) {
  check(o.steps >= 1, "explain: ", o.steps, " steps, at least 1 is wanted");
  Explanation out;
  std::vector<double> sum(size_t(x.count()));
  for (int i = 0; i < o.steps; ++i) {
    const Tensor at = affine(x, (i + 0.5) / o.steps, 0).detach().require_grad();
    backward(score(net(at)[0]));
    const std::vector<double> g = at.grad().values();
    for (size_t k = 0; k < sum.size(); ++k) sum[k] += g[k] / o.steps;
    if (o.progress) o.progress(i + 1, o.steps);
  }
  const std::vector<double> values = x.values();
  const size_t channels = size_t(x.dim(4));
  std::vector<double> map(sum.size() / channels);
  double all = 0;
  for (size_t k = 0; k < sum.size(); ++k) map[k / channels] += sum[k] * values[k], all += sum[k] * values[k];
  const Inference quiet;
  out.score = score(net(x)[0]).item();
  out.baseline = score(net(affine(x, 0, 0))[0]).item();
  out.completeness = all - (out.score - out.baseline);
  out.map = Tensor::from(map, {x.dim(1), x.dim(2), x.dim(3)});
  return out;
}

std::vector<int> places(int extent, int box, int stride) {
  std::vector<int> out;
  for (int at = 0;; at += stride) {
    out.push_back(std::min(at, extent - box));
    if (at + box >= extent) return out;
  }
}

Explanation occlusion(Network& net, const ExplainScore& score, const Tensor& x, const ExplainOptions& o) {
  const Inference quiet;
  const Int3 size = {int(x.dim(1)), int(x.dim(2)), int(x.dim(3))};
  Int3 box, stride;
  for (int a = 0; a < 3; ++a) {
    box[a] = o.box[a] > 0 ? std::min(o.box[a], size[a]) : std::max(1, size[a] / 4);
    stride[a] = o.stride[a] > 0 ? o.stride[a] : std::max(1, box[a] / 2);
  }
  Explanation out{.map = Tensor::zeros({size.d, size.h, size.w}), .score = score(net(x)[0]).item()};
  std::vector<double> fall(size_t(out.map.count())), covered(fall.size());
  const std::vector<int> ds = places(size.d, box.d, stride.d), hs = places(size.h, box.h, stride.h), ws = places(size.w, box.w, stride.w);
  const Tensor host = x.to(Device{});
  const int64_t channels = x.dim(4), total = int64_t(ds.size() * hs.size() * ws.size());
  int64_t done = 0;
  for (int d : ds)
    for (int h : hs)
      for (int w : ws) {
        const Tensor hidden = host.clone();
        float* values = hidden.mutable_data<float>().data();
        const auto in_box = [&](auto&& f) {
          for (int i = d; i < d + box.d; ++i)
            for (int j = h; j < h + box.h; ++j)
              for (int k = w; k < w + box.w; ++k) f((int64_t(i) * size.h + j) * size.w + k);
        };
        in_box([&](int64_t at) { std::fill_n(values + at * channels, channels, float(o.fill)); });
        const double change = out.score - score(net(hidden.to(x.device()))[0]).item();
        in_box([&](int64_t at) { fall[size_t(at)] += change, covered[size_t(at)] += 1; });
        if (o.progress) o.progress(++done, total);
      }
  for (size_t i = 0; i < fall.size(); ++i) fall[i] /= covered[i];
  out.map = Tensor::from(fall, out.map.shape());
  return out;
}

}  // namespace

ExplainScore::ExplainScore(const Network& net, const Tensor& x, int output) : output_(output) {
  const Inference quiet;
  const Tensor y = net(x)[0];
  const int64_t channels = y.dim(-1);
  check(output >= 0 && output < channels, "explain: there is no output ", output, " of ", channels);
  if (y.shape().rank != 5) return;
  const Tensor winner = argmax_channels(y.to(DType::f32));
  voxels_ = equal(winner.to(DType::f32), double(output)).to(DType::f32).reshape({y.dim(0), y.dim(1), y.dim(2), y.dim(3), 1});
}

Tensor ExplainScore::operator()(const Tensor& y) const {
  const Tensor one = slice(y.to(DType::f32), -1, output_, output_ + 1);
  return sum(voxels_ ? one * voxels_ : one);
}

Explanation explain(Network& net, const Tensor& given, ExplainMethod method, const ExplainOptions& o) {
  check(given && given.shape().rank == 5 && given.dim(0) == 1 && given.dtype() == DType::f32, "explain: the image is ", given,
        ", wanted is f32 {1, D, H, W, C}");
  freeze(net);
  eval(net);
  const Tensor x = given.to(o.device);
  const ExplainScore score(net, x, o.output);
  switch (method) {
    case ExplainMethod::grad_cam: return grad_cam(net, score, x, o);
    case ExplainMethod::integrated_gradients: return integrated_gradients(net, score, x, o);
    default: return occlusion(net, score, x, o);
  }
}

Explanation explain_middle(Network& net, const ModelDescription& d, const Tensor& image, ExplainMethod method, const ExplainOptions& o) {
  const Tensor x = image.reshape({1, image.dim(0), image.dim(1), image.dim(2), image.dim(3)});
  Int3 begin, size, before, after;
  for (int a = 0; a < 3; ++a) {
    const int extent = int(image.dim(a)), patch = d.patch[a];
    begin[a] = std::max(0, (extent - patch) / 2);
    size[a] = std::min(extent, patch);
    before[a] = (patch - size[a]) / 2;
    after[a] = patch - size[a] - before[a];
  }
  Explanation out = explain(net, pad3d(crop3d(x, begin, size), before, after), method, o);
  const Inference quiet;
  const Tensor map = crop3d(out.map.reshape({1, d.patch.d, d.patch.h, d.patch.w, 1}), before, size);
  Int3 behind;
  for (int a = 0; a < 3; ++a) behind[a] = int(image.dim(a)) - begin[a] - size[a];
  out.map = as_map(pad3d(map, begin, behind));
  return out;
}

}  // namespace voxgrad
