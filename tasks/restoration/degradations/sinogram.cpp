#include "tasks/restoration/degradations/sinogram.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/autograd.h"
#include "kernels/binary/binary.h"
#include "layers/tomography/filtered_backprojection.h"

namespace voxgrad {
namespace {

constexpr double kMostColumns = 20000;

}  // namespace

Sinogram sinogram_of(const Tensor& image, const Vec3& spacing, int64_t views, double start) {
  const Unrecorded quiet;
  const int64_t d = image.dim(0), h = image.dim(1), w = image.dim(2);
  const double high = double(h) * spacing[1], wide = double(w) * spacing[2], closest = std::min(spacing[1], spacing[2]);
  check(std::hypot(high, wide) <= kMostColumns * closest, "degradations of CT: slices of ", h, " x ", w, " voxels of ", spacing[1], " x ",
        spacing[2], " mm would take more than ", kMostColumns, " columns of a detector");
  if (views == 0) views = std::max<int64_t>(1, int64_t(std::ceil(std::max(high, wide) / closest * std::numbers::pi / 2)));
  Sinogram out{.geometry = {.volume = {int(d), int(h), int(w)},
                            .voxel = {spacing[0], spacing[1], spacing[2]},
                            .angles = equal_angles(views, std::numbers::pi, start),
                            .columns = int64_t(std::ceil(std::hypot(high, wide) / closest)),
                            .column_spacing = closest},
               .lines = {}};
  out.lines = Projector(out.geometry)(relu(image.reshape({1, d, h, w, image.dim(3)})));
  return out;
}

Tensor back_projected(const Tensor& lines, const ProjectionGeometry& g) {
  return filtered_backprojection(lines, g).reshape({g.volume.d, g.volume.h, g.volume.w, lines.dim(4)});
}

Tensor with_measured(const Tensor& image, const Sinogram& s, const Tensor& measured) {
  const Unrecorded quiet;
  return image + back_projected(measured - s.lines, s.geometry);
}

}  // namespace voxgrad
