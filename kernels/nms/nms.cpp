#include "kernels/nms/nms.h"

#include <algorithm>
#include <numeric>

#include "kernels/nms/nms_kernels.h"

namespace voxgrad {
namespace {

constexpr int64_t kMost = 1 << 16;  // boxes: the mask of their pairs then has 512 MB

// The rows of a table on the CPU in another order.
Tensor in_order(const Tensor& boxes, const std::vector<int64_t>& order) {
  const Tensor out = Tensor::empty_like(boxes);
  for (size_t i = 0; i < order.size(); ++i) out.rows(int64_t(i), int64_t(i) + 1).copy_from(boxes.rows(order[i], order[i] + 1));
  return out;
}

}  // namespace

Tensor nms(const Tensor& boxes, const Tensor& scores, const NmsOptions& o) {
  check(boxes && boxes.shape().rank == 2 && boxes.dim(1) == 6 && (boxes.dtype() == DType::f32 || boxes.dtype() == DType::f64),
        "nms: boxes {N, 6} of f32 or f64 are wanted, not ", boxes);
  const int64_t n = boxes.dim(0);
  check(scores && scores.shape() == Shape{n} && is_floating(scores.dtype()), "nms: scores of ", n, " boxes are wanted, not ", scores);
  check(!o.classes || (o.classes.shape() == Shape{n} && !is_floating(o.classes.dtype())), "nms: classes of ", n,
        " boxes are wanted, integers, not ", o.classes);
  check(o.iou >= 0 && o.iou <= 1, "nms: iou is ", o.iou, ", from 0 to 1 is wanted");
  check(n <= kMost, "nms: ", n, " boxes, at most ", kMost, " are possible; take those of the best scores");
  const std::vector<double> score = scores.values();
  for (double s : score) check(s == s, "nms: a score is not a number");
  std::vector<int64_t> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), int64_t(0));
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return score[size_t(a)] > score[size_t(b)]; });
  std::vector<int64_t> classes;
  const std::vector<double> given = o.classes ? o.classes.values() : std::vector<double>(static_cast<size_t>(n));
  for (int64_t i : order) classes.push_back(int64_t(given[size_t(i)]));

  const NmsMask p = {n, (n + 63) / 64, o.iou};
  std::vector<int64_t> mask(size_t(n * p.words));
  const Tensor sorted = in_order(boxes.detach().to(Device{}), order).to(boxes.device());
  if (n > 0) on_device(boxes.device(), [&](auto on) { nms_mask(on, p, sorted.view(), classes.data(), mask.data()); });
  std::vector<int64_t> dropped(static_cast<size_t>(p.words)), kept;
  for (int64_t i = 0; i < n && int64_t(kept.size()) != o.keep; ++i) {
    if (dropped[size_t(i / 64)] >> (i % 64) & 1) continue;
    kept.push_back(order[size_t(i)]);
    for (int64_t w = i / 64; w < p.words; ++w) dropped[size_t(w)] |= mask[size_t(i * p.words + w)];
  }
  return Tensor::from(kept, {int64_t(kept.size())});
}

}  // namespace voxgrad
