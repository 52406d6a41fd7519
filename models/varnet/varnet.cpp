#include "models/varnet/varnet.h"

#include <algorithm>

#include "core/autograd.h"
#include "kernels/binary/binary.h"
#include "kernels/complex/complex.h"
#include "kernels/concat/concat.h"
#include "kernels/expand/expand.h"
#include "kernels/fft/fft.h"
#include "kernels/pad/pad.h"
#include "kernels/permute/permute.h"
#include "kernels/reduce/reduce.h"
#include "kernels/slice/slice.h"
#include "kernels/statistics/statistics.h"
#include "layers/init.h"
#include "layers/mri/coils.h"
#include "layers/mri/espirit.h"

namespace voxgrad {
namespace {

constexpr double kStartOfLambda = -2.97;  // softplus of it is 0.05
constexpr int64_t kMostOfMiddle = 24;     // columns and rows that ESPIRiT learns from: more make it slower, not better
// Added to both sides of the quotients of conjugate gradients: in parts of |A' k0|^2, so that gradients of a solution that is already exact
// stay finite, and for slices without a signal.
constexpr double kConverged = 1e-10, kTiny = 1e-15;

// Sensitivities {N, 1, H, W, 2 coils} from the middle of each sample, of as many rows as of columns where all rows are measured; constants.
Tensor estimated(const Tensor& kspace, const Tensor& mask, bool by_espirit) {
  const Unrecorded quiet;
  std::vector<Tensor> samples;
  const Tensor here = mask.to(Device{});
  for (int64_t n = 0; n < kspace.dim(0); ++n) {
    const Tensor one = kspace.rows(n, n + 1);
    const CentreOfKspace c = centre_of(here.rows(n, n + 1), by_espirit ? kMostOfMiddle : std::max(mask.dim(2), mask.dim(3)));
    const int64_t rows = c.rows + 1 < mask.dim(2) ? c.rows : 0;
    samples.push_back(by_espirit ? espirit_sensitivities(one, {.columns = c.columns, .rows = c.rows})
                                 : estimate_sensitivities(one, {.columns = c.columns, .rows = rows}));
  }
  return samples.size() == 1 ? samples[0] : concat(samples, 0);
}

// The same, each coil refined by a U-Net of its own call: coils are samples to it.
Tensor refined(const NormUNet& net, const Tensor& s) {
  const int64_t n = s.dim(0), h = s.dim(2), w = s.dim(3), coils = s.dim(4) / 2;
  const Tensor apart = permute(s.reshape({n, h, w, coils, 2}), {0, 3, 1, 2, 4}).reshape({n * coils, 1, h, w, 2});
  const Tensor better = permute((apart + net(apart)).reshape({n, coils, h, w, 2}), {0, 2, 3, 1, 4}).reshape(s.shape());
  return better / (root_sum_of_squares(better) + 1e-12);
}

UNetConfig flat_unet(int features, int stages) {
  UNetConfig c = UNetConfig::plain({.in_channels = 2, .classes = 2, .stages = stages, .base_features = features});
  c.deep_supervision = false;
  for (int s = 0; s < stages; ++s) {
    c.kernels[size_t(s)].d = 1;
    c.strides[size_t(s)].d = 1;
  }
  return c;
}

}  // namespace

NormUNet::NormUNet(int features, int stages, Rng& rng) : net(flat_unet(features, stages), rng) {
  for (Conv3d& head : net.heads) head.weight = scaled_parameter(head.weight, 0.01);
}

Tensor NormUNet::operator()(const Tensor& x) const {
  const Tensor middle = mean(x, {1, 2, 3}, {.keep = true}), deviation = stddev(x, {1, 2, 3}, {.keep = true}) + 1e-20;
  const Int3 size = x.shape().spatial(), divisor = net.config.divisor();
  const Int3 before{0, (divisor.h - size.h % divisor.h) % divisor.h / 2, (divisor.w - size.w % divisor.w) % divisor.w / 2};
  const Int3 after{0, (divisor.h - size.h % divisor.h) % divisor.h - before.h, (divisor.w - size.w % divisor.w) % divisor.w - before.w};
  const Tensor y = net(pad3d((x - middle) / deviation, before, after)).at(0);
  return crop3d(y, before, size) * deviation;
}

VarNetCascade::VarNetCascade(const VarNetConfig& c, Rng& rng)
    : strength(constant_parameter({1}, c.consistency == "gradient" ? 1 : kStartOfLambda)), regularizer(c.features, c.stages, rng) {}

Tensor VarNetCascade::of_kspace(const Tensor& k, const MeasuredKspace& m) const {
  const Tensor image = combine_coils(k, m.sensitivities);
  return k - (k - m.kspace) * m.mask * strength - fft(complex_mul(regularizer(image), m.sensitivities));
}

Tensor VarNetCascade::of_image(const Tensor& x, const MeasuredKspace& m, int iterations) const {
  const LinearMap a = coil_map(m.sensitivities, m.mask);
  const Tensor lambda = softplus(strength);
  const auto normal = [&](const Tensor& p) { return a.adjoint(a.forward(p)) + p * lambda; };
  const auto product = [](const Tensor& p, const Tensor& q) { return sum(p * q, {1, 2, 3, 4}, {.keep = true}); };
  const Tensor seen = a.adjoint(m.kspace).detach(), tiny = product(seen, seen) * kConverged + kTiny;
  const auto squares = [&](const Tensor& p, const Tensor& q) { return product(p, q) + tiny; };
  // From z on: what is left to explain is A'(k0 - A z).
  const Tensor z = x - regularizer(x);
  Tensor y = z, residual = a.adjoint(m.kspace - a.forward(z)), p = residual, size = squares(residual, residual);
  for (int i = 0; i < iterations; ++i) {
    const Tensor q = normal(p), step = size / squares(p, q);
    y = y + p * step;
    if (i + 1 == iterations) break;
    residual = residual - q * step;
    const Tensor next = squares(residual, residual);
    p = residual + p * (next / size);
    size = next;
  }
  return y;
}

VarNet::VarNet(const VarNetConfig& c, Rng& rng) : config(c) {
  validate(c);
  check(c.in_channels == 1 && c.out_channels == 1, "VarNet: reconstructs images of one channel, not ", c.in_channels, " to ",
        c.out_channels);
  for (int i = 0; i < c.cascades; ++i) cascades.emplace_back(c, rng);
  if (c.sensitivities == "learned") sensitivity.emplace(c.sensitivity_features, c.stages, rng);
}

Tensor VarNet::operator()(const Tensor& x) const {
  check(x && x.shape().rank == 5 && x.dim(4) >= 3 && x.dim(4) % 2 == 1, "VarNet: k-space of coils and its mask, ",
        "{N, D, H, W, 2 coils + 1}, are wanted, not ", x);
  const int64_t n = x.dim(0) * x.dim(1), h = x.dim(2), w = x.dim(3), parts = x.dim(4) - 1;
  const Tensor slices = x.reshape({n, 1, h, w, parts + 1});
  MeasuredKspace m{slice(slices, 4, 0, parts), slice(slices, 4, parts, parts + 1), {}};
  m.sensitivities = estimated(m.kspace, m.mask, config.sensitivities == "espirit");
  if (sensitivity) m.sensitivities = refined(*sensitivity, m.sensitivities);
  const bool of_kspace = config.consistency == "gradient";
  Tensor now = of_kspace ? m.kspace : combine_coils(m.kspace, m.sensitivities);
  for (const VarNetCascade& c : cascades) {
    const auto step = [&c, m, of_kspace, iterations = config.iterations](const Tensor& before) {
      return of_kspace ? c.of_kspace(before, m) : c.of_image(before, m, iterations);
    };
    now = config.recompute && !sensitivity ? checkpoint(step, now) : step(now);
  }
  return hooked(*this, root_sum_of_squares(of_kspace ? ifft(now) : now).reshape({x.dim(0), x.dim(1), h, w, 1}));
}

Tensor undersampled_input(const Tensor& kspace, const Tensor& mask) {
  return concat({kspace * mask, expand(mask, kspace.shape().with(4, 1))}, 4);
}

}  // namespace voxgrad
