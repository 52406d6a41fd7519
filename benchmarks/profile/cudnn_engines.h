#pragma once
#include "benchmarks/layers.h"
#include "benchmarks/profile/best_engine.h"

namespace voxgrad::bench {

// Gives the plans that cuDNN's heuristics offer for a pass of a layer, best first, of up to `workspace` bytes, until `take` returns false:
// on tensors of the activations' dtype, without casts of the weight. None in builds without cuDNN.
void for_cudnn_offers(const Layer&, Pass, const LayerTensors&, int64_t workspace, const std::function<bool(const CudnnOffer&)>& take);

}  // namespace voxgrad::bench
