#include "kernels/region_dice_bce/region_dice_bce.h"

#include <cmath>

#include "tests/op_case.h"
#include "tests/reference.h"

using namespace voxgrad;

namespace {

// Values 1 and 2 are region 0, 2 alone is region 1, 1 and 3 are region 2.
const std::vector<std::vector<int>> kRegions = {{1, 2}, {2}, {1, 3}};
bool holds(int64_t region, int value) {
  for (int v : kRegions[size_t(region)])
    if (v == value) return true;
  return false;
}
Tensor members() {
  std::vector<double> table;
  for (int v = 0; v < 256; ++v)
    for (int64_t r = 0; r < 3; ++r) table.push_back(holds(r, v));
  return Tensor::from(table, {256, 3});
}

double reference(const HostArray& x, const HostArray& label, const RegionDiceBceOptions& o) {
  const int64_t samples = x.dim(0), voxels = label.shape.count() / samples, groups = o.batch_dice ? 1 : samples;
  double dice = 0, bce = 0, counted = 0;
  for (int64_t g = 0; g < groups; ++g)
    for (int64_t r = 0; r < 3; ++r) {
      double both = 0, predicted = 0, real = 0;
      for (int64_t v = g * voxels; v < (o.batch_dice ? samples : g + 1) * voxels; ++v) {
        const int value = int(label.values[size_t(v)]);
        if (value == o.ignore_label) continue;
        const double z = x.values[size_t(v * 3 + r)], p = 1 / (1 + std::exp(-z)), t = holds(r, value);
        both += p * t, predicted += p, real += t, ++counted;
        bce -= std::log(t > 0 ? p : 1 - p);
      }
      dice += (2 * both + o.smooth) / (predicted + real + o.smooth);
    }
  return o.cross_entropy_weight * bce / std::max(counted, 1.0) - o.dice_weight * dice / double(groups * 3);
}

}  // namespace

OP_CASES(region_dice_bce) {
  const Shape s = {2, 3, 4, 5, 3}, of_label = {2, 3, 4, 5};
  const auto add = [&](const char* name, double least, double most, const RegionDiceBceOptions& o) {
    cases.push_back({.op = "region_dice_bce",
                     .name = name,
                     .inputs = {{.shape = s, .low = -3, .high = 3}, {.shape = of_label, .role = Role::label, .low = least, .high = most}},
                     .run = [=](const Tensors& in) { return region_dice_bce(in[0], in[1], members().to(in[0].device()), o); },
                     .reference = [=](const HostArrays& in) { return HostArrays{{{}, {reference(in[0], in[1], o)}}}; },
                     .terms = s.count()});
  };
  add("nested and overlapping regions", 0, 3, {});
  add("over the batch, weighted", 0, 3, {.dice_weight = 0.5, .cross_entropy_weight = 2, .batch_dice = true, .smooth = 1});
  add("an ignored label", 0, 4, {.ignore_label = 4});
  add("the ignored label is in a region", 0, 3, {.batch_dice = true, .ignore_label = 3});
  add("everything is ignored", 5, 5, {.ignore_label = 5});
  const auto reject = [&](const char* name, std::function<void()> f, std::vector<std::string> words) {
    rejects.push_back({"region_dice_bce", name, f, words});
  };
  const auto x = [] { return Tensor::zeros({1, 4, 3}); };
  const auto y = [](DType t = DType::u8) { return Tensor::zeros({1, 4}, t); };
  reject("a label of another shape", [=] { region_dice_bce(x(), Tensor::zeros({1, 5}, DType::u8), members()); },
         {"region_dice_bce", "{1, 5}", "{1, 4}"});
  reject("a label of i32", [=] { region_dice_bce(x(), y(DType::i32), members()); }, {"region_dice_bce", "wanted is u8"});
  reject("members of other regions", [=] { region_dice_bce(x(), y(), Tensor::zeros({256, 2})); },
         {"region_dice_bce", "{256, 2}", "{256, 3}"});
  reject("no smoothing", [=] { region_dice_bce(x(), y(), members(), {.smooth = 0}); }, {"region_dice_bce", "smooth is 0"});
}
