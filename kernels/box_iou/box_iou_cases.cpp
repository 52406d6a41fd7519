#include "kernels/box_iou/box_iou.h"

#include <algorithm>

#include "kernels/binary/binary.h"
#include "kernels/concat/concat.h"
#include "kernels/pointwise/pointwise.h"
#include "kernels/slice/slice.h"
#include "tests/op_case.h"

using namespace voxgrad;

namespace {

// Boxes of corner and lengths, which an input has as it is drawn.
Tensor boxes_of(const Tensor& x) { return concat({slice(x, 1, 0, 3), add(slice(x, 1, 0, 3), slice(x, 1, 3, 6))}, 1); }

struct Edges {
  double low[3], high[3];
};
Edges edges_of(const HostArray& x, int64_t i) {
  Edges e;
  for (int64_t a = 0; a < 3; ++a) e.low[a] = x.at(i, a), e.high[a] = x.at(i, a) + x.at(i, 3 + a);
  return e;
}

// By lengths along each axis, as the definition says.
double ratio_of(const Edges& a, const Edges& b, bool generalized) {
  double of_a = 1, of_b = 1, both = 1, hull = 1;
  for (int k = 0; k < 3; ++k) {
    of_a *= std::max(0.0, a.high[k] - a.low[k]);
    of_b *= std::max(0.0, b.high[k] - b.low[k]);
    both *= std::max(0.0, std::min(a.high[k], b.high[k]) - std::max(a.low[k], b.low[k]));
    hull *= std::max(0.0, std::max(a.high[k], b.high[k]) - std::min(a.low[k], b.low[k]));
  }
  if (of_a <= 0 || of_b <= 0) both = 0;
  const double all = of_a + of_b - both;
  const double iou = all > 0 ? both / all : 0;
  return generalized ? iou - (hull > 0 ? (hull - all) / hull : 0) : iou;
}

}  // namespace

OP_CASES(box_iou) {
  const auto add_pairs = [&](const char* name, int64_t n, int64_t m, double least_length, bool generalized) {
    const auto list = [&](int64_t count) {
      return OpInput{.shape = {count, 6}, .role = Role::parameter, .low = least_length, .high = 1};
    };
    cases.push_back({.op = "box_iou", .name = name, .inputs = {list(n), list(m)},
                     .run = [=](const Tensors& in) { return box_iou(boxes_of(in[0]), boxes_of(in[1]), {.generalized = generalized}); },
                     .reference =
                         [=](const HostArrays& in) {
                           return HostArrays{host_array({n, m}, [&](const Index& i) {
                             return ratio_of(edges_of(in[0], i[0]), edges_of(in[1], i[1]), generalized);
                           })};
                         },
                     .terms = 64, .differentiable = false, .dtypes = {DType::f32}});
  };
  add_pairs("7 with 5", 7, 5, 0.05, false);
  add_pairs("generalised, 70 with 33", 70, 33, 0.05, true);
  add_pairs("of lengths below 0 too", 40, 40, -0.5, false);
  add_pairs("generalised, of lengths below 0 too", 40, 40, -0.5, true);
  add_pairs("none with 3", 0, 3, 0.05, false);
  const auto add_loss = [&](const char* name, int64_t n, double low) {
    cases.push_back({.op = "giou_loss", .name = name,
                     .inputs = {{.shape = {n, 6}, .role = Role::parameter, .low = low, .high = 1},
                                {.shape = {n, 6}, .role = Role::parameter, .low = low, .high = 1}},
                     .run = [](const Tensors& in) { return giou_loss(boxes_of(in[0]), boxes_of(in[1])); },
                     .reference =
                         [n](const HostArrays& in) {
                           return HostArrays{host_array({n}, [&](const Index& i) {
                             return 1 - ratio_of(edges_of(in[0], i[0]), edges_of(in[1], i[0]), true);
                           })};
                         },
                     .terms = 512, .dtypes = {DType::f32}});
  };
  add_loss("11 rows", 11, 0.2);
  add_loss("of lengths below 0 too", 60, -0.4);
  rejects.push_back({"giou_loss", "of other numbers of boxes", [] { giou_loss(Tensor::zeros({3, 6}), Tensor::zeros({2, 6})); },
                     {"giou_loss", "{3, 6}", "{2, 6}"}});
  rejects.push_back({"box_iou", "of four numbers", [] { box_iou(Tensor::zeros({3, 4}), Tensor::zeros({2, 6})); }, {"box_iou", "{3, 4}"}});
}
