#pragma once
#include <cstdint>
#include <vector>

#include "core/rng.h"

namespace voxgrad {

// Which places of k-space {H, W} are measured where both axes are phase encodings, by their Rng at random and nowhere close together: a
// Poisson disc whose distances grow from the middle on, so that the density falls with the distance (Vasanawala et al. 2011; Lustig's and
// SigPy's masks).
struct PoissonDiscOptions {
  double centre_fraction = 0.08;  // of rows and of columns: the middle of so many is measured without a gap
  double acceleration = 4;        // all places over those measured, within 2 %, or as near as the middle and the grid let it be
};
// {H W}: 1 for each place that is measured, else 0. Places are visited in a random order, and those taken that have none nearer than the
// larger of 1 and g (1/2 + |r|), r being the place in units of half of the extents and g what gives the acceleration. Error for an
// acceleration below 1 or a fraction beyond [0, 1].
std::vector<uint8_t> poisson_disc_mask(int64_t rows, int64_t columns, const PoissonDiscOptions&, Rng);

}  // namespace voxgrad
