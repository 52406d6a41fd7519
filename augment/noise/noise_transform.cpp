#include "augment/noise/noise.h"
#include "augment/noise/noise_kernels.h"
#include "augment/transform.h"
#include "core/device/parallel.h"

namespace voxgrad {

void add_gaussian_noise(const Tensor& image, double sigma, Rng rng) {
  check_image("add_gaussian_noise", image);
  check(sigma >= 0, "add_gaussian_noise: sigma ", sigma, " is negative");
  float* x = image.view().as<float>();
  const uint64_t key = rng.split().key();
  parallel_chunks(image.count(), 1 << 14, [&](int64_t, int64_t b, int64_t e) { add_noise(x, b, e, float(sigma), key); });
}

namespace {

struct Noise {
  double sigma;
  Rng rng;
};

void add_keys(ConfigTable& t, NoiseOptions& o) {
  t.number("noise", o.probability, 0, 1, "probability of Gaussian noise");
  t.range("noise_sigma", o.sigma, 0, 100, "its standard deviation, in those of the image");
}

std::optional<Noise> draw(const NoiseOptions& o, const PatchFacts&, Rng rng) {
  if (!rng.coin(o.probability)) return {};
  const double sigma = draw_from(o.sigma, rng);
  return Noise{sigma, rng.split()};
}

void apply(const Tensor& image, const Noise& n) { add_gaussian_noise(image, n.sigma, n.rng); }

void apply_cuda([[maybe_unused]] Cuda on, [[maybe_unused]] const BatchImage& image, const std::vector<const Noise*>& samples) {
  std::vector<BatchNoise> per_sample;
  for (const Noise* n : samples) {
    Rng rng = n ? n->rng : Rng();
    per_sample.push_back({rng.split().key(), n ? float(n->sigma) : 0});
  }
  if constexpr (kCuda) batch_noise(on, image, per_sample.data());
}

}  // namespace

TransformEntry noise_transform() {
  return IntensityTransform<NoiseOptions, Noise>{.name = "noise",
                                                 .summary = "adds Gaussian noise",
                                                 .keys = add_keys,
                                                 .draw = draw,
                                                 .apply = apply,
                                                 .apply_cuda = apply_cuda,
                                                 .stream = 2};
}

}  // namespace voxgrad
