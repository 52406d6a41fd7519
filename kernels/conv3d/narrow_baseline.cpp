#include <immintrin.h>

#include <type_traits>
#include <utility>

#include "kernels/conv3d/narrow_isa.h"

namespace voxgrad::narrow_baseline {
#include "kernels/simd/lanes.h"

#include "kernels/conv3d/winograd_axis.h"

#include "kernels/conv3d/narrow_tiles.h"

#include "kernels/conv3d/lane_sums.h"

#include "kernels/conv3d/narrow_lanes.h"

template <class A>
NarrowIsa<A> kernels() {
  return {kOutputs,
          {kGroups<A>[0], kGroups<A>[1]},
          load_lanes<A>,
          store_lanes<A>,
          transform_inputs<A>,
          transform_gradients<A>,
          add_outputs<A>,
          multiply<A>,
          outer<A>};
}
template NarrowIsa<float> kernels<float>();
template NarrowIsa<double> kernels<double>();
}  // namespace voxgrad::narrow_baseline
