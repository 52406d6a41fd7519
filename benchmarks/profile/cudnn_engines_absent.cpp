// Builds without cuDNN.
#include "benchmarks/profile/cudnn_engines.h"

namespace voxgrad::bench {
void for_cudnn_offers(const Layer&, Pass, const LayerTensors&, int64_t, const std::function<bool(const CudnnOffer&)>&) {}
}  // namespace voxgrad::bench
