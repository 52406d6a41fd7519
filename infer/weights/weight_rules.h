#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/config/json.h"
#include "io/checkpoint.h"
#include "io/weights/weights.h"

namespace voxgrad {

// How the tensors of one program are those of another: a list, of which the first rule that fits a name says what becomes of it. As JSON:
//   [{"from": "encoder.stages.*.0.convs.*.conv.*", "to": "encoder.$1.blocks.$2.conv.$3", "layout": "channels_last"},
//    {"from": "**.num_batches_tracked", "skip": "a count that is not used"}]
// from: * stands for letters without a point, ** for any letters, at least one each; what they stand for is $1 to $9 in "to".
// to: a name, or a list of names that all get the tensor.
// Then, in this order, what is done to its axes:
//   squeeze   [axes]: of extent 1, removed
//   unsqueeze [axes]: of extent 1, inserted; numbers of the result
//   permute   [axes]: axis i of the result is the axis [i]
//   flip      [axes]
//   layout    "channels_last": {K, C, T, R, S} to {K, T, R, S, C}, convolutions of 2 axes and of 1 get axes of extent 1 in front
//             "channels_first": its reverse, with "axes" 1 to 3 (3): how many spatial ones the result has
//             Tensors with fewer than three axes have no layout and stay.
struct WeightRule {
  std::string from, skip;  // skip: why it is left out; empty where it is not
  std::vector<std::string> to;
  std::vector<int> squeeze = {}, unsqueeze = {}, permute = {}, flip = {};
  std::string layout = {};
  int axes = 3;
};
// Errors name `who` and the rule.
std::vector<WeightRule> weight_rules(const Json&, const std::string& who);

// Whether a name fits a pattern; then what its stars stand for.
bool fits(std::string_view pattern, std::string_view name, std::vector<std::string>& stars);

struct WeightMap {
  Checkpoint weights;                                        // renamed, in their new layout
  std::vector<std::pair<std::string, std::string>> skipped;  // and why
  std::vector<std::string> unmatched;                        // by any rule
};
// The tensors that a rule names, read; what is skipped or unmatched is not. Two that get one name are an Error.
WeightMap map_weights(const Weights&, const std::vector<WeightRule>&);
// The same of tensors whose names are said apart: load(i) reads the one of names[i].
WeightMap map_weights(const std::vector<std::string>& names, const std::vector<WeightRule>&, const std::string& who,
                      const std::function<Tensor(size_t)>& load);
// The same of tensors in memory.
WeightMap map_weights(const Checkpoint&, const std::vector<WeightRule>&, const std::string& who);

// "120 loaded; 60 skipped: 40 a duplicate, 20 ..; 3 without a rule: a, b, c".
std::string describe(const WeightMap&);

}  // namespace voxgrad
