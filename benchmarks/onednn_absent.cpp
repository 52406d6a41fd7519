// Builds without oneDNN have no peer inside the process.
#include "benchmarks/layers.h"

namespace voxgrad::bench {

std::function<void()> onednn_layer(const Layer&, Pass, const Setting&) { return {}; }
std::string onednn_version() { return {}; }

}  // namespace voxgrad::bench
