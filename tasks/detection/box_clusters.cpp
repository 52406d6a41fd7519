#include "tasks/detection/box_clusters.h"

#include <algorithm>
#include <numeric>

namespace voxgrad {
namespace {

// The first one is the best.
ObjectBox joined(const std::vector<const VotedBox*>& cluster) {
  double of_scores = 0, of_weights = 0, expected = 0;
  ObjectBox out = cluster[0]->box;
  Double3 low = {}, high = {};
  const double n = double(cluster.size());
  for (const VotedBox* v : cluster) {
    const double w = iou_of(v->box, cluster[0]->box) * v->weight;
    of_weights += w;
    of_scores += w * v->box.score;
    expected += v->expected / n;
    for (size_t a = 0; a < 3; ++a) {
      low[a] += w * v->box.score * v->box.low[a];
      high[a] += w * v->box.score * v->box.high[a];
    }
  }
  if (!(of_scores > 0)) return out;
  for (size_t a = 0; a < 3; ++a) out.low[a] = low[a] / of_scores, out.high[a] = high[a] / of_scores;
  out.score = of_scores / (of_weights + std::max(0.0, expected - n) * of_weights / n);
  return out;
}

}  // namespace

std::vector<ObjectBox> clustered(const std::vector<VotedBox>& boxes, double iou) {
  std::vector<size_t> order(boxes.size());
  std::iota(order.begin(), order.end(), size_t(0));
  const auto better = [](const ObjectBox& a, const ObjectBox& b) { return a.score > b.score; };
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return better(boxes[a].box, boxes[b].box); });
  std::vector<bool> taken(boxes.size());
  std::vector<ObjectBox> out;
  for (size_t i = 0; i < order.size(); ++i) {
    if (taken[i]) continue;
    const ObjectBox& best = boxes[order[i]].box;
    std::vector<const VotedBox*> cluster = {&boxes[order[i]]};
    for (size_t j = i + 1; j < order.size(); ++j) {
      const VotedBox& other = boxes[order[j]];
      if (taken[j] || other.box.label != best.label || !(iou_of(other.box, best) > iou)) continue;
      taken[j] = true;
      cluster.push_back(&other);
    }
    out.push_back(joined(cluster));
  }
  std::stable_sort(out.begin(), out.end(), better);
  return out;
}

}  // namespace voxgrad
