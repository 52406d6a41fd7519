#include "core/rng.h"
#include "kernels/box_iou/box_iou.h"
#include "kernels/nms/nms.h"
#include "tests/catch.h"
#include "tests/close.h"

using namespace voxgrad;

namespace {

// Corners (w, h) of 2D boxes as other programs order them, in a slice.
Tensor in_slice(const std::vector<std::array<double, 4>>& boxes) {
  std::vector<double> v;
  for (auto& [x0, y0, x1, y1] : boxes) v.insert(v.end(), {0, y0, x0, 1, y1, x1});
  return Tensor::from(v, {int64_t(boxes.size()), 6});
}

std::vector<double> kept(const Tensor& boxes, const Tensor& scores, const NmsOptions& o) { return nms(boxes, scores, o).values(); }

// The number of whole voxels, counted one by one.
double counted_iou(const int* a, const int* b) {
  int both = 0, either = 0;
  for (int d = 0; d < 6; ++d)
    for (int h = 0; h < 6; ++h)
      for (int w = 0; w < 6; ++w) {
        const auto in = [&](const int* x) { return d >= x[0] && h >= x[1] && w >= x[2] && d < x[3] && h < x[4] && w < x[5]; };
        both += in(a) && in(b);
        either += in(a) || in(b);
      }
  return either ? double(both) / either : 0;
}

}  // namespace

TEST_CASE("overlaps of boxes are those of torchvision") {
  // torchvision 0.26: box_iou and generalized_box_iou of these boxes.
  const Tensor a = in_slice({{0, 0, 10, 10}, {5, 5, 15, 15}, {20, 20, 22, 30}, {0, 0, 4, 3}});
  const Tensor b = in_slice({{2, 2, 8, 12}, {0, 0, 10, 10}, {21, 18, 25, 26}});
  const double iou[] = {0.4285714328, 1, 0, 0.1510791332, 0.1428571492, 0, 0, 0, 0.1304347813, 0.0285714287, 0.1199999973, 0};
  const double giou[] = {0.3619047701,  1,             -0.7969231010, -0.0264356583, -0.0793650746, -0.6857143044,
                         -0.8571428657, -0.8181818128, -0.1028985530, -0.2422619164, 0.1199999973,  -0.9323077202};
  const std::vector<double> x = box_iou(a, b).values(), y = box_iou(a, b, {.generalized = true}).values();
  for (size_t i = 0; i < 12; ++i) {
    CHECK(close(x.at(i), iou[i], 1e-6));
    CHECK(close(y.at(i), giou[i], 1e-6));
  }
}

TEST_CASE("the boxes that stay are those of torchvision, equal scores in their order") {
  const Tensor boxes = in_slice({{0, 0, 10, 10}, {1, 1, 11, 11}, {0, 1, 10, 12}, {20, 20, 30, 30}, {21, 19, 30, 31}, {50, 50, 60, 60}});
  const Tensor scores = Tensor::from({.6, .9, .8, .7, .75, .1}, {6}), classes = Tensor::from({0., 1, 0, 0, 1, 0}, {6}, DType::i64);
  // torchvision 0.26: nms and batched_nms.
  CHECK(kept(boxes, scores, {.iou = 0.5}) == std::vector<double>{1, 4, 5});
  CHECK(kept(boxes, scores, {.iou = 0.7}) == std::vector<double>{1, 4, 0, 5});
  CHECK(kept(boxes, scores, {.iou = 0.5, .classes = classes}) == std::vector<double>{1, 2, 4, 3, 5});
  CHECK(kept(boxes, scores, {.iou = 0.7, .keep = 2}) == std::vector<double>{1, 4});
  CHECK(kept(boxes, Tensor::full({6}, 0.5), {.iou = 0.5}) == std::vector<double>{0, 3, 5});
}

TEST_CASE("overlaps and what stays equal a count of voxels on 10,000 random sets of boxes, degenerate ones among them") {
  Rng rng(7);
  int64_t wrong = 0, degenerate = 0;
  for (int set = 0; set < 10000; ++set) {
    constexpr int n = 4;
    int box[n][6];
    std::vector<double> all, score;
    for (auto& b : box) {
      for (int k = 0; k < 6; ++k) b[k] = int(rng.below(7));
      if (set % 4 != 0)  // the others may be inside out
        for (int k = 0; k < 3; ++k)
          if (b[k] > b[3 + k]) std::swap(b[k], b[3 + k]);
      degenerate += b[0] >= b[3] || b[1] >= b[4] || b[2] >= b[5];
      all.insert(all.end(), b, b + 6);
      score.push_back(double(rng.below(3)));
    }
    const Tensor boxes = Tensor::from(all, {n, 6}, DType::f64);
    const std::vector<double> iou = box_iou(boxes, boxes).values();
    bool dropped[n] = {};
    std::vector<double> expected;
    for (double s : {2., 1., 0.})
      for (int i = 0; i < n; ++i) {
        if (score[size_t(i)] != s || dropped[i]) continue;
        expected.push_back(i);
        for (int j = 0; j < n; ++j) dropped[j] = dropped[j] || counted_iou(box[i], box[j]) > 0.3;
      }
    for (int i = 0; i < n; ++i)
      for (int j = 0; j < n; ++j) wrong += !close(iou[size_t(i * n + j)], counted_iou(box[i], box[j]), 1e-12);
    wrong += kept(boxes, Tensor::from(score, {n}), {.iou = 0.3}) != expected;
  }
  CHECK(wrong == 0);
  CHECK(degenerate > 1000);
}
