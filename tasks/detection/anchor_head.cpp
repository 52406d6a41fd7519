#include "tasks/detection/anchor_head.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "kernels/binary/binary.h"
#include "kernels/box_iou/box_iou.h"
#include "kernels/concat/concat.h"
#include "kernels/heatmap_loss/heatmap_loss.h"
#include "kernels/index_select/index_select.h"
#include "kernels/reduce/reduce.h"
#include "kernels/slice/slice.h"

namespace voxgrad {
namespace {

constexpr double kMostLogFactor = 4.135;  // ln(1000 / 16), of sizes

// Rows {N anchors, channels} of the outputs of a kind: 0 logits, 1 deltas. Samples are one below the other.
Tensor rows_of_levels(const std::vector<Tensor>& outputs, size_t kind, int64_t channels) {
  std::vector<Tensor> levels;
  const int64_t n = outputs[0].dim(0);
  for (size_t l = 0; 2 * l < outputs.size(); ++l) {
    const Tensor& x = outputs[2 * l + kind];
    levels.push_back(x.to(accum_of(x.dtype())).reshape({n, -1, channels}));
  }
  return (levels.size() > 1 ? concat(levels, 1) : levels[0]).reshape({-1, channels});
}

// Positive anchors: their rows and classes, and columns {P, 3} of anchors and boxes.
struct Positives {
  std::vector<int64_t> row, label;
  std::vector<double> centre, size, low, high;

  void add(int64_t at, const ObjectBox& anchor, const ObjectBox& box) {
    row.push_back(at);
    label.push_back(box.label);
    for (size_t a = 0; a < 3; ++a) {
      centre.push_back(anchor.centre()[a]);
      size.push_back(anchor.size()[a]);
      low.push_back(box.low[a]);
      high.push_back(box.high[a]);
    }
  }
  int64_t count() const { return int64_t(row.size()); }
};

Tensor box_part(const Tensor& deltas, const Positives& p, const AnchorLoss& o) {
  const auto column = [&](const std::vector<double>& v) { return Tensor::from(v, {p.count(), 3}, deltas.dtype(), deltas.device()); };
  const Tensor x = index_select(deltas, 0, Tensor::from(p.row, {p.count()}, deltas.device()));
  const Tensor offset = slice(x, 1, 0, 3), z = clamp(slice(x, 1, 3, 6), -kMostLogFactor, kMostLogFactor);
  const Tensor size = column(p.size), centre = offset * size + column(p.centre), half = exp(z) * (size * 0.5);
  const Tensor low = column(p.low), high = column(p.high);
  const Tensor giou = giou_loss(concat({centre - half, centre + half}, 1), concat({low, high}, 1));
  const Tensor off = abs(centre - (low + high) * 0.5) / size + abs(z - log((high - low) / size));
  return mean(giou) * o.giou + mean(off) * (6 * o.l1);
}

// Of the rows chosen, mean cross-entropy with sigmoid.
Tensor sampled_part(const Tensor& logits, const Positives& p, const std::vector<bool>& free, int64_t images, const AnchorLoss& o) {
  const int64_t classes = logits.dim(1), most = std::max<int64_t>(1, int64_t(o.positive_part * o.per_image * double(images)));
  const int64_t positives = std::min(p.count(), most);
  const int64_t negatives = std::max<int64_t>(1, int64_t(double(std::max<int64_t>(1, positives)) * (1 / o.positive_part - 1)));
  const std::vector<double> x = logits.detach().values();
  std::vector<int64_t> hard;
  for (size_t i = 0; i < free.size(); ++i)
    if (free[i]) hard.push_back(int64_t(i));
  const auto worst = [&](int64_t i) { return *std::max_element(x.begin() + i * classes, x.begin() + (i + 1) * classes); };
  const int64_t pool = std::min<int64_t>(int64_t(hard.size()), negatives * o.pool);
  std::partial_sort(hard.begin(), hard.begin() + pool, hard.end(), [&](int64_t a, int64_t b) {
    return worst(a) != worst(b) ? worst(a) > worst(b) : a < b;
  });
  std::vector<int64_t> rows;
  std::vector<double> target;
  for (int64_t k = 0; k < positives; ++k) {
    const int64_t i = k * p.count() / positives;
    rows.push_back(p.row[size_t(i)]);
    for (int64_t c = 0; c < classes; ++c) target.push_back(c == p.label[size_t(i)]);
  }
  for (int64_t k = 0; k < std::min(negatives, pool); ++k) {
    rows.push_back(hard[size_t(k * pool / std::min(negatives, pool))]);
    target.insert(target.end(), size_t(classes), 0.0);
  }
  const int64_t count = int64_t(rows.size());
  const Tensor z = index_select(logits, 0, Tensor::from(rows, {count}, logits.device()));
  return mean(softplus(z) - z * Tensor::from(target, {count, classes}, z.dtype(), z.device()));
}

}  // namespace

Tensor anchor_loss(const std::vector<Tensor>& outputs, const AnchorTargets& t, const AnchorLoss& o) {
  check(!outputs.empty() && outputs.size() % 2 == 0, "detection: a network of anchors gives logits and deltas of each level, not ",
        outputs.size(), " outputs");
  const auto levels = anchor_levels(outputs, t.input);
  const int64_t n = outputs[0].dim(0), shapes = outputs[1].dim(4) / 6, classes = outputs[0].dim(4) / std::max<int64_t>(1, shapes);
  check(int64_t(t.boxes.size()) == n && int64_t(t.shapes.size()) == n, "detection: boxes of ", t.boxes.size(), " samples, the batch has ",
        n);
  check(int64_t(t.shapes.at(0).size()) == shapes, "detection: the network has ", shapes, " anchors, the task ", t.shapes.at(0).size(),
        ": network.anchors and detection.anchors are of one number");
  const Tensor logits = rows_of_levels(outputs, 0, classes), deltas = rows_of_levels(outputs, 1, 6);
  const int64_t each = logits.dim(0) / n;
  Positives positives;
  std::vector<bool> free(static_cast<size_t>(logits.dim(0)), true);
  for (int64_t s = 0; s < n; ++s) {
    const std::vector<ObjectBox> anchors = anchors_of(levels, t.shapes[size_t(s)]);
    const std::vector<int64_t> box = match_anchors(t.boxes[size_t(s)], levels, t.shapes[size_t(s)]);
    for (size_t i = 0; i < box.size(); ++i) {
      if (box[i] < 0) continue;
      const int64_t row = s * each + int64_t(i);
      positives.add(row, anchors[i], t.boxes[size_t(s)][size_t(box[i])]);
      free[size_t(row)] = false;
    }
  }
  Tensor loss;
  if (o.classes == "sampled") {
    loss = sampled_part(logits, positives, free, n, o);
  } else {
    std::vector<double> target(static_cast<size_t>(logits.count()));
    for (size_t i = 0; i < positives.row.size(); ++i) target[size_t(positives.row[i] * classes + positives.label[i])] = 1;
    loss = heatmap_loss(logits, Tensor::from(target, logits.shape(), logits.dtype(), logits.device()), {.alpha = 2, .beta = 0});
  }
  loss = loss * o.class_weight;
  return positives.count() == 0 ? loss : loss + box_part(deltas, positives, o);
}

std::vector<ObjectBox> decode_anchors(const std::vector<Tensor>& outputs, int64_t n, const Int3& input,
                                      const std::vector<AnchorShape>& shapes, const AnchorDecoding& o) {
  const auto levels = anchor_levels(outputs, input);
  const size_t count = shapes.size(), classes = size_t(outputs.at(0).dim(4)) / count;
  check(outputs.at(1).dim(4) == int64_t(6 * count), "detection: the network has ", outputs.at(1).dim(4) / 6, " anchors, the task ", count);
  const double least = std::log(o.min_score / (1 - o.min_score));
  std::vector<ObjectBox> out;
  for (size_t l = 0; l < levels.size(); ++l) {
    const std::vector<ObjectBox> anchors = anchors_of({levels[l]}, shapes);
    const std::vector<float> logit = outputs[2 * l].rows(n, n + 1).to_vector<float>();
    const std::vector<float> x = outputs[2 * l + 1].rows(n, n + 1).to_vector<float>();
    std::vector<ObjectBox> here;
    for (size_t i = 0; i < logit.size(); ++i) {
      check(std::isfinite(logit[i]), "detection: the network gave values that are not finite; its weights or the image may be damaged");
      if (logit[i] < least) continue;
      const ObjectBox& anchor = anchors[i / classes];
      ObjectBox b{.label = int(i % classes), .score = 1 / (1 + std::exp(-double(logit[i])))};
      for (size_t a = 0; a < 3; ++a) {
        const double delta = x[i / classes * 6 + a], z = std::clamp(double(x[i / classes * 6 + 3 + a]), -kMostLogFactor, kMostLogFactor);
        const double centre = anchor.centre()[a] + anchor.size()[a] * delta, half = anchor.size()[a] * std::exp(z) / 2;
        b.low[a] = centre - half, b.high[a] = centre + half;
      }
      here.push_back(b);
    }
    std::stable_sort(here.begin(), here.end(), [](const ObjectBox& a, const ObjectBox& b) { return a.score > b.score; });
    if (int64_t(here.size()) > o.keep) here.resize(size_t(o.keep));
    out.insert(out.end(), here.begin(), here.end());
  }
  return out;
}

}  // namespace voxgrad
