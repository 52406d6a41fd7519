// Which lines a profile has, and in which order.
#include "benchmarks/profile/lines.h"

#include <algorithm>

namespace voxgrad::bench {
namespace {

bool has(const Layer& l, const char* tag) { return std::find(l.tags.begin(), l.tags.end(), tag) != l.tags.end(); }

// A network's first layer computes no gradient of its input.
bool is_wanted(const Layer& l, Pass pass) {
  return !(has(l, "bandwidth") && l.p.groups == 1 && l.p.c <= 4) || pass != Pass::input_gradient;
}

}  // namespace

std::vector<ProfileLine> profile_lines(const Sizes& sizes) {
  std::vector<ProfileLine> lines;
  const std::vector<Layer> bars = bar_layers(sizes), networks = network_layers(sizes);
  const auto add = [&](const std::vector<Layer>& layers, const char* tag, std::initializer_list<DType> dtypes) {
    for (const DType t : dtypes)
      for (const Layer& l : layers)
        if (!*tag || has(l, tag))
          for (const Pass pass : kPasses)
            if (is_wanted(l, pass)) lines.push_back({l, pass, t});
  };
  add(bars, "bar", {DType::bf16, DType::f32});
  add(bars, "bandwidth", {DType::bf16, DType::f32});
  add(bars, "shape", {DType::bf16});
  add(bars, "f16", {DType::f16});
  add(bars, "exact", {DType::f32});
  add(networks, "", {DType::bf16, DType::f32});
  return lines;
}

}  // namespace voxgrad::bench
