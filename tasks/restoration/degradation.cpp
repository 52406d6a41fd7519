#include "tasks/restoration/degradation.h"

#include <algorithm>
#include <cmath>

#include "augment/blur/blur.h"
#include "augment/noise/noise.h"
#include "augment/sample.h"
#include "core/config/config_table.h"
#include "core/config/json_values.h"
#include "core/device/parallel.h"
#include "data/resample/resample_nnunet.h"
#include "kernels/separable/separable.h"

namespace voxgrad {
namespace {

constexpr int64_t kAtOnce = 1 << 12;

// x = f(x, source), where the source of voxel i is its own.
template <class F>
void each_with_random(const Tensor& image, const Rng& rng, F&& f) {
  float* x = image.view().as<float>();
  parallel_for(image.count(), kAtOnce, [&](int64_t i) {
    Rng own = rng.at(uint64_t(i));
    x[i] = f(std::max(x[i], 0.f), own);
  });
}

// A Poisson number with that mean: by counting up to 64 on average, beyond by the normal distribution of the same mean and variance, whose
// quantiles are then within a hundredth of a standard deviation.
double poisson(double mean, Rng& rng) {
  if (mean > 64) return std::max(0.0, std::round(mean + std::sqrt(mean) * rng.normal()));
  const double u = rng.uniform();
  double p = std::exp(-mean), sum = p;
  int k = 0;
  for (; sum < u && k < 1000; ++k) sum += p *= mean / (k + 1);
  return k;
}

// Output o is the mean over [o, o + 1) n / m voxels.
AxisMatrix box_means(int n, int m) {
  const double width = double(n) / m;
  return axis_matrix(n, m, [&](int o) {
    std::vector<Tap> taps;
    const double from = o * width, to = (o + 1) * width;
    for (int i = int(from); i < std::min(n, int(std::ceil(to - 1e-9))); ++i) {
      const double part = std::min(to, i + 1.0) - std::max(from, double(i));
      if (part > 1e-9) taps.push_back({i, part / width});
    }
    return taps;
  });
}

Tensor with_low_resolution(const Tensor& image, double factor, const std::vector<int>& axes) {
  const Int3 size = volume_size(image);
  Int3 low = size;
  for (const int a : axes) low[a] = std::max(1, int(std::lround(size[a] / factor)));
  if (low == size) return image;
  const SeparableMap down = {{box_means(size.d, low.d), box_means(size.h, low.h), box_means(size.w, low.w)}};
  return resample_nnunet(apply_to_volume(down, image), size, {});
}

Tensor worse(const Tensor& image, const Degradation& d, double s, const Rng& rng) {
  if (d.kind == "low_resolution") return with_low_resolution(image, s, d.axes);
  const Tensor out = image.clone();
  if (d.kind == "gaussian") add_gaussian_noise(out, s, rng);
  if (d.kind == "rician")
    each_with_random(out, rng, [s](float x, Rng& r) {
      const double real = x + s * r.normal(), imaginary = s * r.normal();
      return float(std::sqrt(real * real + imaginary * imaginary));
    });
  if (d.kind == "poisson") each_with_random(out, rng, [s](float x, Rng& r) { return float(poisson(s * x, r) / s); });
  if (d.kind == "speckle") each_with_random(out, rng, [s](float x, Rng& r) { return float(x + s * x * r.normal()); });
  if (d.kind == "blur") {
    Double3 sigma = {0, 0, 0};
    for (const int a : d.axes) sigma[size_t(a)] = s;
    for (int c = 0; c < image.dim(3); ++c) gaussian_blur(out, c, sigma);
  }
  return out;
}

template <class Strength>
Tensor each_in_turn(const Tensor& image, const std::vector<Degradation>& all, const Rng& rng, Strength&& strength) {
  check(image && image.dtype() == DType::f32 && image.shape().rank == 4, "degraded: an image f32 {D, H, W, C} is wanted, not ", image);
  Tensor out = image;
  for (size_t i = 0; i < all.size(); ++i) {
    Rng draw = rng.at(i, 0);
    out = worse(out, all[i], strength(all[i].strength, draw), rng.at(i, 1));
  }
  return out;
}

}  // namespace

Tensor degraded(const Tensor& image, const std::vector<Degradation>& all, Rng rng) {
  return each_in_turn(image, all, rng, [](const Range& r, Rng& draw) { return draw.uniform(r.low, r.high); });
}
Tensor degraded_in_the_middle(const Tensor& image, const std::vector<Degradation>& all, Rng rng) {
  return each_in_turn(image, all, rng, [](const Range& r, Rng&) { return (r.low + r.high) / 2; });
}

std::vector<Degradation> degradations_from(const Json& j) {
  check(j.is_array(), "a list of objects is wanted, such as {\"kind\": \"rician\", \"strength\": [0.05, 0.1]}");
  std::vector<Degradation> out;
  for (size_t i = 0; i < j.size(); ++i) {
    const std::string where = "number " + std::to_string(i);
    check(j[i].is_object(), where, ": an object is wanted");
    Degradation d;
    ConfigTable t;
    t.choice("kind", d.kind, {"gaussian", "rician", "poisson", "speckle", "blur", "low_resolution"}, "");
    t.range("strength", d.strength, 0, 1e6, "");
    t.integers("axes", d.axes, 0, 2, "");
    for (auto& [name, value] : j[i].items()) set_key(t.keys, name, value, where);
    check(d.kind != "poisson" || d.strength.low > 0, where, ": strength of poisson is the counts where the image is 1, above 0");
    check(d.kind != "low_resolution" || d.strength.low >= 1, where, ": strength of low_resolution is a factor, from 1");
    out.push_back(d);
  }
  return out;
}

Json json_of(const std::vector<Degradation>& all) {
  Json out = Json::array();
  for (const Degradation& d : all) out.push_back({{"kind", d.kind}, {"strength", {d.strength.low, d.strength.high}}, {"axes", d.axes}});
  return out;
}

}  // namespace voxgrad
