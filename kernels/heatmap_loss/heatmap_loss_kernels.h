#pragma once
#include <cstdint>

#include "core/device/execution.h"
#include "core/view.h"

namespace voxgrad {

// Over n logits. loss {} and centres {}, the number of targets 1 but 1 at the least, of accum_of(logits) are assigned.
struct HeatmapLoss {
  int64_t n;
  double alpha, beta;
};
void heatmap_loss(Cpu, const HeatmapLoss&, View logits, View target, View loss, View centres);
void heatmap_loss(Cuda, const HeatmapLoss&, View logits, View target, View loss, View centres);
void heatmap_loss_backward(Cpu, const HeatmapLoss&, View logits, View target, View centres, View seed, View gx);
void heatmap_loss_backward(Cuda, const HeatmapLoss&, View logits, View target, View centres, View seed, View gx);

}  // namespace voxgrad
