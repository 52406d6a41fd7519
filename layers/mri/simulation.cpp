#include "layers/mri/simulation.h"

#include <cmath>
#include <numbers>

#include "core/autograd.h"
#include "kernels/binary/binary.h"
#include "kernels/complex/complex.h"
#include "kernels/concat/concat.h"
#include "kernels/fft/fft.h"
#include "kernels/random/random.h"

namespace voxgrad {
namespace {

constexpr double kTurn = 2 * std::numbers::pi;

// A loop beside the slice, in units of half of the field of view: where, how far it reaches, and the phase at the middle and along y and x.
struct Coil {
  double y, x, reach, phase, slope_y, slope_x;
};
std::vector<Coil> drawn_coils(int count, Rng& rng) {
  std::vector<Coil> out;
  const double start = rng.uniform(0, kTurn), reach = rng.uniform(0.6, 1.1);
  for (int c = 0; c < count; ++c) {
    const double angle = start + kTurn * (c + rng.uniform(-0.2, 0.2)) / count, distance = rng.uniform(0.8, 1.3);
    out.push_back({distance * std::sin(angle), distance * std::cos(angle), reach * rng.uniform(0.85, 1.15), rng.uniform(0, kTurn),
                   rng.uniform(-0.8, 0.8), rng.uniform(-0.8, 0.8)});
  }
  return out;
}

// A phase of low frequencies: exp(i phi) as {1, 1, H, W, 2}.
Tensor smooth_phase(int64_t h, int64_t w, double size, Rng& rng) {
  struct Wave {
    double y, x, phase, weight;
  };
  std::vector<Wave> waves;
  for (int k = 0; k < 4; ++k)
    waves.push_back({rng.uniform(-3, 3), rng.uniform(-3, 3), rng.uniform(0, kTurn), rng.normal() * size / std::sqrt(2.0)});
  const double whole = rng.uniform(0, kTurn);
  std::vector<float> out;
  for (int64_t i = 0; i < h; ++i)
    for (int64_t j = 0; j < w; ++j) {
      double phi = size > 0 ? whole : 0;
      for (const Wave& a : waves) phi += a.weight * std::cos(a.y * double(i) / double(h) + a.x * double(j) / double(w) + a.phase);
      out.push_back(float(std::cos(phi)));
      out.push_back(float(std::sin(phi)));
    }
  return Tensor::from(out, {1, 1, h, w, 2});
}

}  // namespace

Tensor simulated_sensitivities(const Shape& image, int coils, Rng rng) {
  check(image.rank == 5 && coils >= 1, "simulated_sensitivities: ", coils, " coils for ", image);
  const int64_t h = image[2], w = image[3];
  const std::vector<Coil> drawn = drawn_coils(coils, rng);
  std::vector<float> plane;
  plane.reserve(size_t(h * w * coils * 2));
  for (int64_t i = 0; i < h; ++i)
    for (int64_t j = 0; j < w; ++j) {
      const double y = (2 * double(i) + 1) / double(h) - 1, x = (2 * double(j) + 1) / double(w) - 1;
      const size_t begin = plane.size();
      double sum = 0;
      for (const Coil& c : drawn) {
        const double away = ((y - c.y) * (y - c.y) + (x - c.x) * (x - c.x)) / (2 * c.reach * c.reach), size = std::exp(-away) + 1e-6;
        const double phase = c.phase + c.slope_y * y + c.slope_x * x;
        plane.push_back(float(size * std::cos(phase)));
        plane.push_back(float(size * std::sin(phase)));
        sum += size * size;
      }
      for (size_t k = begin; k < plane.size(); ++k) plane[k] = float(plane[k] / std::sqrt(sum));
    }
  const Tensor one = Tensor::from(plane, {1, 1, h, w, 2 * coils});
  return image[1] == 1 ? one : concat(std::vector<Tensor>(size_t(image[1]), one), 1);
}

Tensor simulated_kspace(const Tensor& images, const CoilSimulation& o, const Rng& rng) {
  check(images && images.shape().rank == 5 && images.dim(4) == 1 && images.dtype() == DType::f32 && images.device().is_cpu(),
        "simulated_kspace: images f32 {N, D, H, W, 1} on the CPU are wanted, not ", images);
  const Unrecorded quiet;
  std::vector<Tensor> samples;
  for (int64_t n = 0; n < images.dim(0); ++n) {
    Rng source = rng.at(uint64_t(n));
    const Tensor image = images.rows(n, n + 1);
    const Shape& s = image.shape();
    const Tensor complex = smooth_phase(s[2], s[3], o.phase, source) * image;
    const Tensor kspace = fft(complex_mul(complex, simulated_sensitivities(s, o.coils, source.split())));
    double square = 0;
    for (double v : image.values()) square += v * v;
    const double sigma = o.noise * std::sqrt(square / double(image.count()));
    samples.push_back(sigma > 0 ? kspace + randn(kspace.shape(), source.split(), {.deviation = sigma}) : kspace);
  }
  return concat(samples, 0);
}

}  // namespace voxgrad
