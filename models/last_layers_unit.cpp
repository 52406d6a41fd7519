#include "models/last_layers.h"

#include "core/config/json_values.h"
#include "tests/catch.h"
#include "tests/network_helpers.h"

namespace voxgrad {
namespace {

// Names of what changed, and whether all of it is a hundredth of what it was.
std::vector<std::string> scaled_in(const char* config, const Int3& extents) {
  Network net = network_of(config), before = net.clone();
  scale_last_layers(net, extents, 0.01);
  std::vector<std::string> out;
  const std::vector<Parameter> now = parameters(net), then = parameters(before);
  for (size_t i = 0; i < now.size(); ++i) {
    const std::vector<double> a = now[i].tensor.values(), b = then[i].tensor.values();
    if (a == b) continue;
    out.push_back(now[i].name);
    for (size_t k = 0; k < a.size(); ++k) CHECK(std::abs(a[k] - 0.01 * b[k]) <= 1e-8 * std::abs(b[k]));
  }
  return out;
}

}  // namespace

TEST_CASE("the last layers of a network are found by what they compute") {
  using Names = std::vector<std::string>;
  CHECK(scaled_in(R"({"in_channels": 1, "classes": 1, "features": [4, 8], "kernels": [[3, 3, 3], [3, 3, 3]],
                      "strides": [[1, 1, 1], [2, 2, 2]], "encoder_depth": [1, 1], "decoder_depth": [1], "deep_supervision": false})",
                  {8, 8, 8}) == Names{"heads.0.weight"});
  CHECK(scaled_in(R"({"kind": "dncnn", "features": 4, "depth": 3})", {6, 6, 6}) == Names{"head.weight"});
}

}  // namespace voxgrad
