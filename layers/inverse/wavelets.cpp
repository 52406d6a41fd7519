#include "layers/inverse/wavelets.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/autograd.h"
#include "core/rng.h"
#include "kernels/binary/binary.h"
#include "kernels/complex/complex.h"
#include "kernels/random/random.h"
#include "kernels/roll/roll.h"
#include "kernels/stack/stack.h"
#include "kernels/strided_slice/strided_slice.h"
#include "layers/inverse/solvers.h"

namespace voxgrad {
namespace {

// Taps of the coarse half and, in the other order with changing signs, of the details.
const std::vector<double>& coarse_taps() {
  static const std::vector<double> taps = [] {
    const double r = std::sqrt(3.0), s = 4 * std::sqrt(2.0);
    return std::vector<double>{(1 + r) / s, (3 + r) / s, (3 - r) / s, (1 - r) / s};
  }();
  return taps;
}
double tap(bool details, int k) { return details ? (k % 2 == 0 ? 1 : -1) * coarse_taps()[size_t(3 - k)] : coarse_taps()[size_t(k)]; }

// y[i] = sum_k tap[k] x[2 i + k]
Tensor half_of(const Tensor& x, int axis, bool details) {
  Tensor y;
  for (int k = 0; k < 4; ++k) {
    const Tensor part = slice(k == 0 ? x : roll(x, {-k}, {axis}), {{.axis = axis, .begin = 0, .step = 2}}) * tap(details, k);
    y = y ? y + part : part;
  }
  return y;
}
Tensor joined(const Tensor& coarse, const Tensor& details, int axis) {
  Tensor x;
  for (const bool fine : {false, true}) {
    const Tensor& half = fine ? details : coarse;
    Shape with_gaps = half.shape();
    with_gaps[axis] *= 2;
    const Tensor wide = stack({half, Tensor::zeros(half.shape(), half.dtype(), half.device())}, axis + 1).reshape(with_gaps);
    for (int k = 0; k < 4; ++k) {
      const Tensor part = (k == 0 ? wide : roll(wide, {k}, {axis})) * tap(fine, k);
      x = x ? x + part : part;
    }
  }
  return x;
}

std::vector<int> axes_to_halve(const Shape& s, int axes) {
  std::vector<int> out;
  for (int k = 4 - axes; k < 4; ++k)
    if (s[k] % 2 == 0) out.push_back(k);
  return out;
}

// Coefficients shrunk by `threshold`, those of pairs of channels by their common magnitude.
Tensor shrunk(const Tensor& x, double threshold) {
  const bool pairs = x.dim(4) % 2 == 0;
  const Tensor v = pairs ? x.reshape({x.dim(0), x.dim(1), x.dim(2) * x.dim(3), x.dim(4) / 2, 2}) : x;
  const Tensor size = pairs ? root_sum_of_squares(v) : abs(v);
  const double most = std::numeric_limits<float>::max();
  return (v * (clamp(size - threshold, 0, most) / clamp(size, 1e-30, most))).reshape(x.shape());
}

}  // namespace

WaveletBands wavelet_transform(const Tensor& x, int levels, int axes) {
  check(x && x.shape().rank == 5 && axes >= 1 && axes <= 3 && levels >= 1, "wavelet_transform: ", levels, " levels along ", axes,
        " axes of ", x);
  WaveletBands out{.bands = {}, .shape = x.shape(), .axes = axes, .levels = levels};
  std::vector<Tensor> fine;
  Tensor coarse = x;
  for (int level = 0; level < levels; ++level)
    for (int axis : axes_to_halve(coarse.shape(), axes)) {
      fine.push_back(half_of(coarse, axis, true));
      coarse = half_of(coarse, axis, false);
    }
  out.bands.push_back(coarse);
  out.bands.insert(out.bands.end(), fine.begin(), fine.end());
  return out;
}

Tensor wavelet_inverse(const WaveletBands& w) {
  std::vector<int> halved;
  Shape s = w.shape;
  for (int level = 0; level < w.levels; ++level)
    for (int axis : axes_to_halve(s, w.axes)) {
      halved.push_back(axis);
      s[axis] /= 2;
    }
  check(w.bands.size() == halved.size() + 1, "wavelet_inverse: ", w.bands.size(), " bands, ", halved.size() + 1, " are wanted");
  Tensor x = w.bands[0];
  for (size_t i = halved.size(); i-- > 0;) x = joined(x, w.bands[i + 1], halved[i]);
  return x;
}

Tensor wavelet_sparse(const LinearMap& a, const Tensor& given, const WaveletOptions& o) {
  check(o.iterations >= 1 && o.weight > 0, "wavelet_sparse: ", o.iterations, " iterations with a weight of ", o.weight);
  const Unrecorded quiet;
  const Tensor back = a.adjoint(given);
  // A little more than the norm, which power iterations approach from below.
  const double norm = 1.02 * norm_of(a, rand(back.shape(), Rng(1), {.dtype = back.dtype(), .device = back.device()}));
  check(norm > 0, "wavelet_sparse: the measurement is 0 for every image");
  Rng rng(o.seed);
  Tensor x = Tensor::zeros(back.shape(), back.dtype(), back.device()), ahead = x;
  double pace = 1;
  for (int i = 0; i < o.iterations; ++i) {
    const Tensor gradient = a.adjoint(a.forward(ahead) - given) * (1 / (norm * norm));
    std::vector<int64_t> shifts, unshifts;
    std::vector<int> axes;
    for (int k = 4 - o.axes; k < 4; ++k) {
      axes.push_back(k);
      shifts.push_back(int64_t(rng.below(uint32_t(std::min<int64_t>(x.dim(k), 1 << o.levels)))));
      unshifts.push_back(-shifts.back());
    }
    WaveletBands w = wavelet_transform(roll(ahead - gradient, shifts, axes), o.levels, o.axes);
    for (size_t band = 1; band < w.bands.size(); ++band) w.bands[band] = shrunk(w.bands[band], o.weight);
    const Tensor next = roll(wavelet_inverse(w), unshifts, axes);
    const double following = (1 + std::sqrt(1 + 4 * pace * pace)) / 2;
    ahead = next + (next - x) * ((pace - 1) / following);
    x = next;
    pace = following;
  }
  return x;
}

}  // namespace voxgrad
