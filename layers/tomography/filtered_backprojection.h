#pragma once
#include "kernels/projection/projection.h"
#include "layers/inverse/linear_map.h"

namespace voxgrad {

// The map of a projector, for the solvers of layers/inverse.
LinearMap projection_map(const Projector&);

// What the ramp filter |f| is multiplied with, f in cycles per detector column (Kak and Slaney 1988; scikit-image's filters):
// 1, sin(pi f) / (pi f), cos(pi f), 0.54 + 0.46 cos(2 pi f), (1 + cos(2 pi f)) / 2.
enum class RampWindow { ramp, shepp_logan, cosine, hamming, hann };

// Each detector row of projections {N, rows, views, columns, C} convolved with the filtered ramp of its spacing, or of the spacing that a
// flat detector of a fan or a cone has where it is moved to the axis. The ramp is sampled in space, so that its mean is right.
// Differentiable.
Tensor filter_projections(const Tensor& projections, const ProjectionGeometry&, RampWindow = RampWindow::ramp);

// An image of the density that these are the line integrals of, by filtered back-projection; of fans and cones with the weights of
// Feldkamp, Davis and Kress (1984). Views are equally spaced over half a turn or a multiple (parallel), over whole turns (fan, cone).
Tensor filtered_backprojection(const Tensor& projections, const ProjectionGeometry&, RampWindow = RampWindow::ramp);

}  // namespace voxgrad
