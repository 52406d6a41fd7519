#pragma once
#include <vector>

#include "core/op.h"
#include "core/tensor.h"

// Linear maps of volumes that are a product of one sparse matrix per spatial axis: trilinear interpolation, average pooling, and the
// gradients of these and of gathers along axes. The gradient of such a map is the map of the transposed matrices.
namespace voxgrad {

struct Tap {
  int index;
  double weight;
};

// A sparse matrix of one axis: row o lists the inputs of output o.
struct AxisMatrix {
  int inputs = 0;
  std::vector<std::vector<Tap>> rows;
};
AxisMatrix transposed(const AxisMatrix&);

// Row o of the matrix is f(o), a vector of taps, for o < outputs.
template <class F>
AxisMatrix axis_matrix(int inputs, int outputs, F&& f) {
  AxisMatrix m{.inputs = inputs};
  for (int o = 0; o < outputs; ++o) m.rows.push_back(f(o));
  return m;
}
// Row o takes map[o] with weight 1.
AxisMatrix axis_gather(int inputs, const std::vector<int>& map);

struct SeparableMap {
  AxisMatrix axis[3];
};
SeparableMap transposed(const SeparableMap&);

// {N, D, H, W, C} to {N, D', H', W', C} of the same dtype. Not recorded.
Tensor apply(const SeparableMap&, const Tensor& x);
// The same of one volume {D, H, W, C}.
Tensor apply_to_volume(const SeparableMap&, const Tensor& x);
// The same, recorded as `op`. Saves the matrices alone.
Tensor apply_recorded(const Op& op, SeparableMap, const Tensor& x);

// x[n, map_d[d], map_h[h], map_w[w], :], of any dtype, recorded as `op`.
Tensor gather_recorded(const Op& op, const Tensor& x, const std::vector<int> (&map)[3]);

}  // namespace voxgrad
