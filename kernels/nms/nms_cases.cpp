#include "kernels/nms/nms.h"

#include <algorithm>
#include <cmath>

#include "kernels/binary/binary.h"
#include "kernels/concat/concat.h"
#include "kernels/pointwise/pointwise.h"
#include "kernels/slice/slice.h"
#include "tests/op_case.h"

using namespace voxgrad;

namespace {

double overlap_of(const HostArray& x, int64_t i, int64_t j) {
  double of_i = 1, of_j = 1, both = 1;
  for (int64_t a = 0; a < 3; ++a) {
    of_i *= x.at(i, 3 + a), of_j *= x.at(j, 3 + a);
    both *= std::max(0.0, std::min(x.at(i, a) + x.at(i, 3 + a), x.at(j, a) + x.at(j, 3 + a)) - std::max(x.at(i, a), x.at(j, a)));
  }
  return both / (of_i + of_j - both);
}

// The best that is left is kept, and what overlaps it is taken out.
HostArray kept_by_definition(const HostArray& x, const HostArray& score, const HostArray& of_class, double iou) {
  std::vector<int64_t> left;
  for (int64_t i = 0; i < x.dim(0); ++i) left.push_back(i);
  HostArray out = host_zeros({x.dim(0)});
  while (!left.empty()) {
    int64_t best = left[0];
    for (int64_t i : left)
      if (score.at(i) > score.at(best)) best = i;
    out.values[size_t(best)] = 1;
    std::erase_if(left, [&](int64_t i) { return i == best || (of_class.at(i) == of_class.at(best) && overlap_of(x, i, best) > iou); });
  }
  return out;
}

}  // namespace

OP_CASES(nms) {
  const auto add_case = [&](const char* name, int64_t n, double iou, double classes) {
    cases.push_back({.op = "nms", .name = name,
                     .inputs = {{.shape = {n, 6}, .role = Role::parameter, .low = 0.3, .high = 1},
                                {.shape = {n}, .role = Role::label, .low = 0, .high = 30},
                                {.shape = {n}, .role = Role::label, .low = 0, .high = classes}},
                     .run =
                         [=](const Tensors& in) {
                           const Tensor low = slice(in[0], 1, 0, 3), boxes = concat({low, add(low, slice(in[0], 1, 3, 6))}, 1);
                           const Tensor kept = nms(boxes, in[1].to(DType::f32), {.iou = iou, .classes = in[2]});
                           std::vector<double> marked(static_cast<size_t>(n));
                           for (int64_t i : kept.data<int64_t>()) marked[size_t(i)] = 1;
                           return Tensor::from(marked, {n}, in[0].dtype(), in[0].device());
                         },
                     .reference = [=](const HostArrays& in) { return HostArrays{kept_by_definition(in[0], in[1], in[2], iou)}; },
                     .differentiable = false, .dtypes = {DType::f32}});
  };
  add_case("9 boxes", 9, 0.5, 0);
  add_case("200 boxes of 3 classes", 200, 0.3, 2);
  add_case("a threshold of 0", 70, 0, 0);
  add_case("none", 0, 0.5, 0);
  const auto reject = [&](const char* name, std::function<void()> run, std::vector<std::string> words) {
    rejects.push_back({"nms", name, std::move(run), std::move(words)});
  };
  reject("scores of other boxes", [] { nms(Tensor::zeros({3, 6}), Tensor::zeros({2})); }, {"nms", "3 boxes", "{2}"});
  reject("a threshold above 1", [] { nms(Tensor::zeros({3, 6}), Tensor::zeros({3}), {.iou = 2}); }, {"nms", "iou is 2"});
  reject("a score that is no number", [] { nms(Tensor::zeros({1, 6}), Tensor::full({1}, NAN)); }, {"nms", "not a number"});
}
