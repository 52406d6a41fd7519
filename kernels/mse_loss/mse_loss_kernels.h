#pragma once
#include <cstdint>

#include "core/device/execution.h"
#include "core/view.h"

namespace voxgrad {

// Over n elements. squares: (a - b)^2, else |a - b|. mean {} of accum_of(a) is assigned.
struct DifferenceLoss {
  int64_t n;
  bool squares;
};
void difference_loss(Cpu, const DifferenceLoss&, View a, View b, View mean);
void difference_loss(Cuda, const DifferenceLoss&, View a, View b, View mean);
// ga = seed {} times the derivative by a, gb = -ga; null ones are not computed.
void difference_loss_backward(Cpu, const DifferenceLoss&, View a, View b, View seed, View ga, View gb);
void difference_loss_backward(Cuda, const DifferenceLoss&, View a, View b, View seed, View ga, View gb);

}  // namespace voxgrad
