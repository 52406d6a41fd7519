#pragma once
#include <vector>

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
// Feldkamp, Davis and Kress (1984). Views are equally spaced over half a turn or a multiple (parallel), over whole turns or a part of one
// (fan, cone). What a part of a turn shows twice gets the weights of Parker (1982, Med Phys 9:254), whose smooth steps are as wide as the
// part allows (Silver 2000): half of a turn and the angle of the fan in which the object lies are wanted.
Tensor filtered_backprojection(const Tensor& projections, const ProjectionGeometry&, RampWindow = RampWindow::ramp);

// Whether the views of a fan or a cone are spread over less than a turn. Error where they are spread over less than half of one.
bool is_short_scan(const ProjectionGeometry&);
// Parker's weights of a short scan, {views, columns}: those of two rays that run along one line in both directions have the sum 1.
std::vector<double> parker_weights(const ProjectionGeometry&);

}  // namespace voxgrad
