#include "tasks/detection/box.h"

#include "kernels/box_iou/box_formulas.h"
#include "kernels/nms/nms.h"

namespace voxgrad {
namespace {

constexpr int64_t kColumns = 7;

std::array<double, 6> edges_of(const ObjectBox& b) { return {b.low[0], b.low[1], b.low[2], b.high[0], b.high[1], b.high[2]}; }

}  // namespace

double iou_of(const ObjectBox& a, const ObjectBox& b) {
  const auto x = edges_of(a), y = edges_of(b);
  return BoxPair<double>{x.data(), y.data()}.iou();
}

Tensor rows_of(const std::vector<ObjectBox>& boxes) {
  std::vector<double> values;
  for (const ObjectBox& b : boxes) {
    const auto edges = edges_of(b);
    values.insert(values.end(), edges.begin(), edges.end());
    values.push_back(b.label);
  }
  return Tensor::from(values, {int64_t(boxes.size()), kColumns});
}

std::vector<ObjectBox> boxes_from(const Tensor& rows, int64_t begin, int64_t end) {
  const std::vector<double> v = rows.rows(begin, end).values();
  std::vector<ObjectBox> out;
  for (size_t i = 0; i < v.size(); i += size_t(kColumns))
    out.push_back({.low = {v[i], v[i + 1], v[i + 2]}, .high = {v[i + 3], v[i + 4], v[i + 5]}, .label = int(v[i + 6])});
  return out;
}

std::vector<ObjectBox> best_of(const std::vector<ObjectBox>& boxes, double iou, int64_t keep) {
  std::vector<double> edges, scores, labels;
  for (const ObjectBox& b : boxes) {
    const auto e = edges_of(b);
    edges.insert(edges.end(), e.begin(), e.end());
    scores.push_back(b.score);
    labels.push_back(b.label);
  }
  const int64_t n = int64_t(boxes.size());
  const Tensor kept = nms(Tensor::from(edges, {n, 6}, DType::f64), Tensor::from(scores, {n}, DType::f64),
                          {.iou = iou, .classes = Tensor::from(labels, {n}, DType::i64), .keep = keep});
  std::vector<ObjectBox> out;
  for (int64_t i : kept.data<int64_t>()) out.push_back(boxes[size_t(i)]);
  return out;
}

}  // namespace voxgrad
