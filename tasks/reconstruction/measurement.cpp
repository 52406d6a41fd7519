#include "tasks/reconstruction/measurement.h"

#include <algorithm>
#include <cmath>

#include "core/autograd.h"
#include "kernels/binary/binary.h"
#include "kernels/concat/concat.h"
#include "kernels/random/random.h"
#include "kernels/reduce/reduce.h"
#include "kernels/slice/slice.h"
#include "io/image.h"
#include "layers/mri/coils.h"
#include "layers/mri/poisson_disc.h"
#include "layers/mri/simulation.h"
#include "layers/tomography/filtered_backprojection.h"
#include "models/learned_primal_dual/learned_primal_dual.h"
#include "models/varnet/varnet.h"

namespace voxgrad {
namespace {

constexpr uint64_t kMaskStream = 1, kCoilStream = 2, kNoiseStream = 3;  // of a slice

Tensor mask_in(const std::string& file, int64_t h, int64_t w) {
  const Volume v = read_volume(file);
  check(v.data.count() == h * w && v.data.dim(1) == h && v.data.dim(2) == w, "reconstruction.mask_file: ", file, " is ", v.data,
        ", slices have ", h, " x ", w, " places; {H, W} of as many is wanted (train.patch says how many slices of training have)");
  std::vector<float> mask;
  for (const double x : v.data.values()) {
    check(std::isfinite(x), "reconstruction.mask_file: ", file, " has a value that is not finite");
    mask.push_back(x != 0 ? 1.0f : 0.0f);
  }
  check(std::find(mask.begin(), mask.end(), 1.0f) != mask.end(), "reconstruction.mask_file: ", file, " is 0 everywhere");
  return Tensor::from(mask, {1, 1, h, w, 1});
}

// {1, 1, 1 or H, W, 1}: what is measured of a slice, as it is drawn.
Tensor drawn_mask(int64_t h, int64_t w, const MeasurementOptions& o, const Rng& rng) {
  if (o.mask != "poisson_disc")
    return mask_tensor(
        sampling_mask(w, {.kind = sampling_of(o.mask), .centre_fraction = o.centre_fraction, .acceleration = o.acceleration}, rng));
  const auto places = poisson_disc_mask(h, w, {.centre_fraction = o.centre_fraction, .acceleration = o.acceleration}, rng);
  return Tensor::from(std::vector<float>(places.begin(), places.end()), {1, 1, h, w, 1});
}

Measurement measured_kspace(const Tensor& slices, const MeasurementOptions& o, const Rng& rng, int64_t first) {
  const CoilSimulation simulation{.coils = o.coils, .phase = o.phase, .noise = o.noise};
  const int64_t h = slices.dim(2), w = slices.dim(3);
  const Tensor given = o.mask_file.empty() ? Tensor{} : mask_in(o.mask_file, h, w);
  std::vector<Tensor> data;
  for (int64_t n = 0; n < slices.dim(0); ++n) {
    const Rng own = rng.at(uint64_t(first + n));
    const Tensor kspace = simulated_kspace(slices.rows(n, n + 1), simulation, own.at(kCoilStream));
    data.push_back(undersampled_input(kspace, given ? given : drawn_mask(h, w, o, own.at(kMaskStream))));
  }
  const Tensor all = concat(data, 0);
  return {all, zero_filled(slice(all, 4, 0, all.dim(4) - 1))};
}

Measurement measured_projections(const Tensor& slices, const MeasurementOptions& o, const Rng& rng, int64_t first) {
  check(slices.dim(2) == slices.dim(3), "measured: slices that are projected are square, not ", slices);
  const ProjectionGeometry g = square_geometry(slices.dim(2), o.views);
  Tensor y = Projector(g)(slices);
  std::vector<Tensor> noise;
  for (int64_t n = 0; n < slices.dim(0) && o.projection_noise > 0; ++n) {
    const double sigma = o.projection_noise * mean(y.rows(n, n + 1)).item();
    noise.push_back(randn(y.rows(n, n + 1).shape(), rng.at(uint64_t(first + n)).at(kNoiseStream), {.deviation = sigma}));
  }
  if (!noise.empty()) y = y + concat(noise, 0);
  return {y, filtered_backprojection(y, g, RampWindow::hann)};
}

}  // namespace

Sampling sampling_of(const std::string& mask) {
  return mask == "random" ? Sampling::random : mask == "equispaced" ? Sampling::equispaced : mask == "magic" ? Sampling::magic
                                                                                          : Sampling::equispaced_fraction;
}

Measurement measured(const Tensor& slices, const MeasurementOptions& o, const Rng& rng, int64_t first) {
  check(slices && slices.shape().rank == 5 && slices.dim(1) == 1 && slices.dim(4) == 1 && slices.dtype() == DType::f32,
        "measured: slices f32 {N, 1, H, W, 1} are wanted, not ", slices);
  const Unrecorded quiet;
  return o.kind == "kspace" ? measured_kspace(slices, o, rng, first) : measured_projections(slices, o, rng, first);
}

Measurement measured_in(const Tensor& kspace) {
  check(kspace && kspace.shape().rank == 5 && kspace.dim(1) == 1 && kspace.dtype() == DType::f32 && kspace.device().is_cpu(),
        "measured_in: k-space f32 {N, 1, H, W, 2 coils} is wanted, not ", kspace);
  const int64_t parts = kspace.dim(4);
  std::vector<float> mask;
  const auto values = kspace.data<float>();
  for (size_t i = 0; i < values.size(); i += size_t(parts))
    mask.push_back(std::any_of(values.begin() + int64_t(i), values.begin() + int64_t(i) + parts, [](float v) { return v != 0; }));
  return {undersampled_input(kspace, Tensor::from(mask, kspace.shape().with(4, 1))), zero_filled(kspace)};
}

}  // namespace voxgrad
