#pragma once
#include <cstdint>

#include "core/device/execution.h"
#include "core/view.h"

namespace voxgrad {

struct DifferencesProblem {
  int64_t extent[5] = {1, 1, 1, 1, 1};  // of x
  int axes = 2;
};
void forward_differences(Cpu, const DifferencesProblem&, View x, View y);
void forward_differences(Cuda, const DifferencesProblem&, View x, View y);
void differences_back(Cpu, const DifferencesProblem&, View y, View x);
void differences_back(Cuda, const DifferencesProblem&, View y, View x);

// Element (voxel, channel c): `at` along each axis and the distance to its neighbour in x and, times `axes`, in y.
struct DifferencePlace {
  int64_t at[3], step[3];
};
VOXGRAD_HD inline DifferencePlace difference_place(const DifferencesProblem& p, int64_t voxel) {
  const int64_t* const e = p.extent;
  return {{voxel / (e[2] * e[3]) % e[1], voxel / e[3] % e[2], voxel % e[3]}, {e[2] * e[3], e[3], 1}};
}

// y at a voxel, {axes, C}
template <class T>
VOXGRAD_HD inline void differences_at(const DifferencesProblem& p, int64_t voxel, const T* x, T* y) {
  const DifferencePlace place = difference_place(p, voxel);
  const int64_t channels = p.extent[4];
  for (int a = 0; a < p.axes; ++a) {
    const int k = 3 - p.axes + a;
    const bool inside = place.at[k] + 1 < p.extent[1 + k];
    for (int64_t c = 0; c < channels; ++c) {
      const T* const from = x + voxel * channels + c;
      y[(voxel * p.axes + a) * channels + c] = inside ? from[place.step[k] * channels] - from[0] : T(0);
    }
  }
}
// x at a voxel, {C}
template <class T>
VOXGRAD_HD inline void differences_back_at(const DifferencesProblem& p, int64_t voxel, const T* y, T* x) {
  const DifferencePlace place = difference_place(p, voxel);
  const int64_t channels = p.extent[4];
  for (int64_t c = 0; c < channels; ++c) {
    T sum = 0;
    for (int a = 0; a < p.axes; ++a) {
      const int k = 3 - p.axes + a;
      const T* const from = y + (voxel * p.axes + a) * channels + c;
      if (place.at[k] + 1 < p.extent[1 + k]) sum -= from[0];
      if (place.at[k] > 0) sum += from[-place.step[k] * p.axes * channels];
    }
    x[voxel * channels + c] = sum;
  }
}

}  // namespace voxgrad
