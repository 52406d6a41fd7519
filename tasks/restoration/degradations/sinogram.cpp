#include "tasks/restoration/degradations/sinogram.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/autograd.h"
#include "kernels/binary/binary.h"
#include "layers/tomography/filtered_backprojection.h"

namespace voxgrad {

Sinogram sinogram_of(const Tensor& image, int64_t views, double start) {
  const Unrecorded quiet;
  const int64_t d = image.dim(0), h = image.dim(1), w = image.dim(2);
  if (views == 0) views = std::max<int64_t>(1, int64_t(std::ceil(double(std::max(h, w)) * std::numbers::pi / 2)));
  Sinogram out{.geometry = parallel_geometry(h, w, views, d), .lines = {}};
  out.geometry.angles = equal_angles(views, std::numbers::pi, start);
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
