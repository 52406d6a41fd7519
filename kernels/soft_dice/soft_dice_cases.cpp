#include "kernels/soft_dice/soft_dice.h"

#include "tests/op_case.h"
#include "tests/reference.h"

using namespace voxgrad;

OP_CASES(soft_dice) {
  // f16 only where gradients, about 1 / voxels, are not subnormal in it.
  const std::vector<DType> all = {DType::f32, DType::bf16, DType::f16}, wide = {DType::f32, DType::bf16};
  const auto add = [&](const char* name, const Shape& s, SoftDiceOptions o, double largest_label) {
    Shape label = s;
    label.dims[--label.rank] = 0;
    cases.push_back({.op = "soft_dice",
                     .name = name,
                     .inputs = {{.shape = s, .low = -4, .high = 4}, {.shape = label, .role = Role::label, .low = 0, .high = largest_label}},
                     .run = [o](const Tensors& in) { return soft_dice_loss(in[0], in[1], o); },
                     .reference = [o](const HostArrays& in) { return HostArrays{{{}, {soft_dice_reference(in[0], in[1], o)}}}; },
                     .terms = s.count(),
                     .dtypes = s.count() < 10000 ? all : wide});
  };
  add("2 classes", {2, 3, 3, 5, 2}, {}, 1);
  add("3 classes", {2, 3, 4, 5, 3}, {}, 2);
  add("6 classes with background", {1, 3, 4, 5, 6}, {.include_background = true}, 5);
  add("over the batch", {3, 3, 4, 5, 3}, {.batch_dice = true}, 2);
  add("an ignored label", {2, 3, 4, 5, 3}, {.ignore_label = 3}, 3);
  add("a class that is absent", {1, 3, 4, 5, 4}, {.smooth = 1}, 2);
  add("several chunks", {2, 25, 24, 21, 4}, {}, 3);
  rejects.push_back({"soft_dice",
                     "the background alone",
                     [] {
                       soft_dice_loss(Tensor::zeros({1, 2, 2, 2, 1}), Tensor::zeros({1, 2, 2, 2}, DType::u8));
                     },
                     {"soft_dice_loss", "background"}});
  rejects.push_back({"soft_dice",
                     "a label beyond the classes",
                     [] {
                       soft_dice_loss(Tensor::zeros({1, 2, 2, 2, 3}), Tensor::full({1, 2, 2, 2}, 5, DType::u8));
                     },
                     {"soft_dice_loss", "is 5"}});
}
