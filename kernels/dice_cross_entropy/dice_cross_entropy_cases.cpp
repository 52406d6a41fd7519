#include "kernels/dice_cross_entropy/dice_cross_entropy.h"

#include "tests/op_case.h"
#include "tests/reference.h"

using namespace voxgrad;

OP_CASES(dice_cross_entropy) {
  // f16 only where gradients, about 1 / voxels, are not subnormal in it.
  const std::vector<DType> all = {DType::f32, DType::bf16, DType::f16}, wide = {DType::f32, DType::bf16};
  const auto add = [&](const char* name, const Shape& s, double largest_label, DiceCrossEntropyOptions o) {
    Shape label = s;
    label.dims[--label.rank] = 0;
    cases.push_back({.op = "dice_cross_entropy",
                     .name = name,
                     .inputs = {{.shape = s, .low = -2, .high = 2}, {.shape = label, .role = Role::label, .low = 0, .high = largest_label}},
                     .run = [=](const Tensors& in) { return dice_cross_entropy(in[0], in[1], o); },
                     .reference =
                         [=](const HostArrays& in) {
                           return HostArrays{{{},
                                              {o.dice_weight * soft_dice_reference(in[0], in[1], o.dice) +
                                               o.cross_entropy_weight * cross_entropy_reference(in[0], in[1], o.cross_entropy)}}};
                         },
                     .terms = s.count(),
                     .dtypes = s.count() < 10000 ? all : wide});
  };
  add("2 classes", {2, 3, 3, 5, 2}, 1, {});
  add("3 classes, weighted", {2, 3, 4, 5, 3}, 2, {.dice_weight = 0.5, .cross_entropy_weight = 2});
  add("5 classes, an ignored label, over the batch", {2, 3, 4, 5, 5}, 5,
      {.dice = {.batch_dice = true, .ignore_label = 5}, .cross_entropy = {.ignore_label = 5, .label_smoothing = 0.1}});
  add("several chunks", {2, 25, 24, 21, 3}, 2, {});
  rejects.push_back(
      {"dice_cross_entropy",
       "two labels to ignore",
       [] {
         dice_cross_entropy(Tensor::zeros({1, 2, 2, 2, 3}), Tensor::zeros({1, 2, 2, 2}, DType::u8), {.cross_entropy = {.ignore_label = 3}});
       },
       {"dice_cross_entropy", "-1", "3"}});
  // 2 x 64^3 with 3 classes: a first output of a small net.
  cases.push_back({.op = "dice_cross_entropy", .name = "2x64^3, 3 classes",
                   .inputs = {{.shape = {2, 64, 64, 64, 3}}, {.shape = {2, 64, 64, 64}, .role = Role::label, .low = 0, .high = 2}},
                   .run = [](const Tensors& in) { return dice_cross_entropy(in[0], in[1]); }, .bench = true});
}
