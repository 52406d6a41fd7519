#include "tasks/reconstruction/untrained.h"

#include <algorithm>
#include <cmath>

#include "core/autograd.h"
#include "kernels/binary/binary.h"
#include "kernels/complex/complex.h"
#include "kernels/concat/concat.h"
#include "kernels/fft/fft.h"
#include "kernels/permute/permute.h"
#include "kernels/reduce/reduce.h"
#include "kernels/slice/slice.h"
#include "layers/inverse/solvers.h"
#include "layers/mri/coils.h"
#include "layers/mri/espirit.h"
#include "tasks/reconstruction/measurement.h"

namespace voxgrad {
namespace {

constexpr int64_t kMostCalibration = 24;  // rows and columns in the middle that sensitivities are from

// k-space {1, 1, H, W, 2 coils}
Tensor slice_of(const Tensor& kspace, const UntrainedOptions& o) {
  const Tensor zero_image = zero_filled(kspace);
  const double most = max(zero_image).item();
  if (o.method == "zero_filled" || most <= 0) return zero_image;
  const Tensor data = measured_in(kspace).data, mask = slice(data, 4, data.dim(4) - 1, data.dim(4));
  const CentreOfKspace c = centre_of(mask, kMostCalibration);
  const Tensor coils = o.sensitivities == "espirit" ? espirit_sensitivities(kspace, {.columns = c.columns, .rows = c.rows})
                                                    : estimate_sensitivities(kspace, {.columns = c.columns, .rows = c.rows});
  const LinearMap a = coil_map(coils, mask);
  const Tensor k = kspace * (1 / most);
  const double weight = o.weight >= 0 ? o.weight : o.method == "sense" ? 0.01 : 0.002;
  const Tensor x = o.method == "sense"             ? cgls(a, k, {.iterations = o.iterations, .regularization = weight})
                   : o.method == "total_variation" ? total_variation(a, k, {.weight = weight, .iterations = o.iterations})
                                                   : wavelet_sparse(a, k, {.weight = weight, .iterations = o.iterations});
  return root_sum_of_squares(x) * most;
}

// Refuses k-space {D, H, W, 2 coils} with values that are not finite, without any, or with slices whose middle was not measured.
void check_kspace(const Tensor& kspace, const std::string& name) {
  const int64_t h = kspace.dim(1), w = kspace.dim(2), parts = kspace.dim(3), slice = h * w * parts, middle = (h / 2 * w + w / 2) * parts;
  const auto values = kspace.data<float>();
  const auto measured = [](float v) { return v != 0; };
  bool any = false;
  for (int64_t d = 0; d < kspace.dim(0); ++d) {
    const auto of_slice = values.subspan(size_t(d * slice), size_t(slice)), of_middle = of_slice.subspan(size_t(middle), size_t(parts));
    check(std::all_of(of_slice.begin(), of_slice.end(), [](float v) { return std::isfinite(v); }), name, ": the slice ", d,
          " of its k-space has values that are not finite");
    const bool here = std::any_of(of_slice.begin(), of_slice.end(), measured);
    check(!here || std::any_of(of_middle.begin(), of_middle.end(), measured), name, ": of the slice ", d, " of its k-space {", h, ", ", w,
          "} the middle (", h / 2, ", ", w / 2, ") was not measured; frequency 0 is wanted there");
    any |= here;
  }
  check(any, name, ": its k-space is 0 everywhere");
}

}  // namespace

Tensor reconstruct_untrained(const Tensor& kspace, const UntrainedOptions& o) {
  check(kspace && kspace.shape().rank == 4 && kspace.dim(3) >= 2 && kspace.dim(3) % 2 == 0 && kspace.dtype() == DType::f32,
        "reconstruct_untrained: k-space f32 {D, H, W, 2 coils} is wanted, not ", kspace);
  check(o.method == "zero_filled" || o.method == "sense" || o.method == "total_variation" || o.method == "wavelets",
        "reconstruct_untrained: there is no method \"", o.method, "\"; zero_filled, sense, total_variation, wavelets are there");
  check(o.sensitivities == "espirit" || o.sensitivities == "estimated", "reconstruct_untrained: sensitivities are \"", o.sensitivities,
        "\", espirit or estimated is wanted");
  const Unrecorded quiet;
  const Shape s = kspace.shape();
  std::vector<Tensor> slices;
  for (int64_t d = 0; d < s[0]; ++d) slices.push_back(slice_of(kspace.rows(d, d + 1).reshape({1, 1, s[1], s[2], s[3]}), o));
  return concat(slices, 0).reshape({s[0], s[1], s[2], 1});
}

Volume kspace_of(const Volume& v, const std::string& name) {
  const Shape& s = v.data.shape();
  check(v.data.dtype() == DType::f32 && s.rank == 4 && s[3] % 2 == 0, name,
        ": k-space is complex numbers {coils, H, W} or {slices, coils, H, W}, not ", v.data);
  check(v.kspace_planes >= 1, name, ": has real numbers, k-space is complex ones {coils, H, W} or {slices, coils, H, W}");
  const int64_t coils = s[0], rows = s[1], columns = s[2], slices = s[3] / 2, planes = v.kspace_planes;
  const Tensor apart = v.data.reshape({coils, rows, columns, slices, 2});
  const auto checked = [&](const Tensor& kspace, const Affine& affine) -> Volume {
    check_kspace(kspace, name);
    return {kspace, affine};
  };
  if (planes == 1) return checked(permute(apart, {3, 1, 2, 0, 4}).reshape({slices, rows, columns, 2 * coils}), v.affine);
  // {volumes, planes, columns, rows, 2 coils}: places along the readout are slices, each with a k-space of its own.
  const Tensor whole = permute(apart, {3, 2, 1, 0, 4}).reshape({slices / planes, planes, columns, rows, 2 * coils});
  const auto [between_planes, between_rows, between_columns] = v.spacing();
  return checked(permute(ifft(whole, 1), {0, 3, 1, 2, 4}).reshape({slices / planes * rows, planes, columns, 2 * coils}),
                 Affine::scaling({between_rows, between_planes, between_columns}));
}

}  // namespace voxgrad
