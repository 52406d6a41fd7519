#include "kernels/cross_entropy/cross_entropy.h"

#include "tests/op_case.h"
#include "tests/reference.h"

using namespace voxgrad;

OP_CASES(cross_entropy) {
  // Tensors are made when a case runs: memory checks are switched on after the table is filled.
  const auto weights = [] { return Tensor::from({0.5, 2, 1.25}, {3}); };
  // f16 only where gradients, about 1 / voxels, are not subnormal in it.
  const std::vector<DType> all = {DType::f32, DType::bf16, DType::f16}, wide = {DType::f32, DType::bf16};
  const auto add = [&](const char* name, const Shape& s, CrossEntropyOptions o, bool weighted = false) {
    Shape label = s;
    label.dims[--label.rank] = 0;
    cases.push_back(
        {.op = "cross_entropy",
         .name = name,
         .inputs = {{.shape = s, .low = -4, .high = 4}, {.shape = label, .role = Role::label, .low = 0, .high = double(s[-1] - 1)}},
         .run =
             [=](const Tensors& in) {
               CrossEntropyOptions with = o;
               if (weighted) with.class_weights = weights();
               return cross_entropy(in[0], in[1], with);
             },
         .reference =
             [=](const HostArrays& in) {
               CrossEntropyOptions with = o;
               if (weighted) with.class_weights = weights();
               return HostArrays{{{}, {cross_entropy_reference(in[0], in[1], with)}}};
             },
         .terms = s.count(),
         .dtypes = s.count() < 10000 ? all : wide});
  };
  add("2 classes", {2, 3, 3, 5, 2}, {});
  add("3 classes", {2, 3, 4, 5, 3}, {});
  add("7 classes", {1, 3, 4, 5, 7}, {});
  add("90 classes", {1, 2, 3, 7, 90}, {});
  add("several chunks", {2, 25, 24, 21, 4}, {});
  add("an ignored class", {2, 3, 4, 5, 3}, {.ignore_label = 1});
  add("class weights", {2, 3, 4, 5, 3}, {}, true);
  add("label smoothing", {2, 3, 4, 5, 3}, {.label_smoothing = 0.2});
  add("everything", {2, 3, 4, 5, 3}, {.ignore_label = 0, .label_smoothing = 0.1}, true);
  // An ignored label beyond the classes, as nnU-Net has it, in a wider label type.
  cases.push_back({.op = "cross_entropy", .name = "ignored label beyond the classes, i32",
                   .inputs = {{.shape = {1, 3, 4, 5, 3}}, {.shape = {1, 3, 4, 5}, .role = Role::label, .low = 0, .high = 3}},
                   .run = [](const Tensors& in) { return cross_entropy(in[0], in[1].to(DType::i32), {.ignore_label = 3}); },
                   .reference = [](const HostArrays& in) {
                     return HostArrays{{{}, {cross_entropy_reference(in[0], in[1], {.ignore_label = 3})}}};
                   },
                   .terms = 180});
  // All that is saved: logits, label, slopes {1 + 2 K}.
  cases.push_back({.op = "cross_entropy", .name = "bytes saved",
                   .inputs = {{.shape = {1, 4, 4, 4, 4}}, {.shape = {1, 4, 4, 4}, .role = Role::label, .low = 0, .high = 3}},
                   .run = [](const Tensors& in) { return cross_entropy(in[0], in[1]); },
                   .reference = [](const HostArrays& in) { return HostArrays{{{}, {cross_entropy_reference(in[0], in[1], {})}}}; },
                   .terms = 256, .saved_bytes = 256 * 4 + 64 + 9 * 4});
  using Make = Tensor (*)();
  const auto reject = [&](const char* name, Make label, CrossEntropyOptions o, std::vector<std::string> words) {
    rejects.push_back({"cross_entropy", name, [=] { cross_entropy(Tensor::zeros({1, 2, 2, 2, 3}), label(), o); }, words});
  };
  reject("a label beyond the classes",
         [] {
           return Tensor::from({0, 1, 2, 0, 7, 0, 0, 0}, {1, 2, 2, 2}, DType::u8);
         },
         {}, {"cross_entropy", "is 7", "3 classes"});
  reject("a negative label",
         [] {
           return Tensor::full({1, 2, 2, 2}, -1, DType::i16);
         },
         {.ignore_label = 255}, {"cross_entropy", "is -1", "3 classes"});
  reject("a label of another shape", [] { return Tensor::zeros({1, 2, 2, 3}, DType::u8); }, {},
         {"cross_entropy", "u8 {1, 2, 2, 3}", "{1, 2, 2, 2}"});
  reject("a floating label", [] { return Tensor::zeros({1, 2, 2, 2}); }, {}, {"cross_entropy", "label", "f32"});
  rejects.push_back(
      {"cross_entropy",
       "weights for other classes",
       [] {
         cross_entropy(Tensor::zeros({1, 2, 2, 2, 3}), Tensor::zeros({1, 2, 2, 2}, DType::u8), {.class_weights = Tensor::zeros({4})});
       },
       {"cross_entropy", "weights", "3 classes"}});
}
