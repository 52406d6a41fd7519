#pragma once
#include "benchmarks/layers.h"

namespace voxgrad::bench {

struct ProfileLine {
  Layer layer;
  Pass pass;
  DType dtype;
  std::string title() const { return "layers/" + layer.name + "/" + name_of(pass); }
};
// What there is to profile, what is needed most first: the layers of the bars (bar_layers) in bf16, then in f32; those whose bar is the
// rate of copies; one of each other class of shapes; the layers of all networks.
std::vector<ProfileLine> profile_lines(const Sizes&);

}  // namespace voxgrad::bench
