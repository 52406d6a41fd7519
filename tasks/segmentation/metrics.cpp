#include "tasks/segmentation/metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/device/parallel.h"
#include "tasks/segmentation/metrics/metric.h"

namespace voxgrad {
namespace {

double ratio(int64_t part, int64_t whole) { return whole ? double(part) / double(whole) : std::numeric_limits<double>::quiet_NaN(); }

void validate(const Tensor& prediction, const Tensor& reference, int classes) {
  check(prediction && reference && prediction.dtype() == DType::u8 && reference.dtype() == DType::u8 &&
            prediction.shape() == reference.shape(),
        "metrics: prediction ", prediction, " and reference ", reference, "; u8 of one shape is wanted");
  check(classes >= 1 && classes <= 256, "metrics: ", classes, " classes; 1 to 256 are possible");
}

// The smallest box around both.
Box joined(const Box& a, const Box& b) {
  if (a.empty()) return b;
  if (b.empty()) return a;
  Box out;
  for (int axis = 0; axis < 3; ++axis) {
    out.begin[axis] = std::min(a.begin[axis], b.begin[axis]);
    out.end[axis] = std::max(a.end[axis], b.end[axis]);
  }
  return out;
}

// The box around the voxels of each class in either of the two.
std::vector<Box> boxes_of(const Tensor& prediction, const Tensor& reference, int classes) {
  const int64_t depth = prediction.dim(0), height = prediction.dim(1), width = prediction.dim(2);
  using Boxes = std::vector<Box>;
  auto slices = std::vector<Boxes>(size_t(depth), Boxes(size_t(classes)));
  parallel_for(depth, std::max<int64_t>(1, (1 << 17) / std::max<int64_t>(1, height * width)), [&](int64_t d) {
    for (const Tensor* t : {&prediction, &reference})
      for (int64_t h = 0; h < height; ++h) {
        const uint8_t* row = t->view().as<uint8_t>() + (d * height + h) * width;
        for (int64_t w = 0; w < width;) {  // runs of one label
          const int64_t first = w;
          const uint8_t label = row[w];
          while (w < width && row[w] == label) ++w;
          if (label) slices[d][label] = joined(slices[d][label], {.begin = {d, h, first}, .end = {d + 1, h + 1, w}});
        }
      }
  });
  Boxes boxes = Boxes(size_t(classes));
  for (const Boxes& slice : slices)
    for (int k = 0; k < classes; ++k) boxes[k] = joined(boxes[k], slice[k]);
  return boxes;
}

// f32 {D, H, W} of {D, H, W, K}; none of none.
Tensor channel_of(const Tensor& all, int channel) {
  if (!all) return {};
  const Tensor out = Tensor::empty({all.dim(0), all.dim(1), all.dim(2)});
  const float* from = all.view().as<float>() + channel;
  float* to = out.view().as<float>();
  const int64_t step = all.dim(3);
  parallel_for(out.count(), 1 << 16, [&](int64_t i) { to[i] = from[i * step]; });
  return out;
}

}  // namespace

Confusion& Confusion::operator+=(const Confusion& o) {
  tp += o.tp, fp += o.fp, fn += o.fn, tn += o.tn;
  return *this;
}
double Confusion::dice() const { return ratio(2 * tp, 2 * tp + fp + fn); }
double Confusion::iou() const { return ratio(tp, tp + fp + fn); }
double Confusion::precision() const { return ratio(tp, tp + fp); }
double Confusion::recall() const { return ratio(tp, tp + fn); }

std::vector<Confusion> confusion(const Tensor& prediction, const Tensor& reference, int classes, int ignore_label) {
  validate(prediction, reference, classes);
  const uint8_t *p = prediction.view().as<uint8_t>(), *r = reference.view().as<uint8_t>();
  const int64_t n = prediction.count(), chunk = std::max<int64_t>(1 << 18, chunk_count(n, 64));
  using Table = std::vector<int64_t>;  // {reference, prediction}
  std::vector<Table> tables(size_t(chunk_count(n, chunk)));
  parallel_chunks(n, chunk, [&](int64_t c, int64_t begin, int64_t end) {
    Table table(256 * 256);
    for (int64_t i = begin; i < end;) {  // runs of one pair, which are long in label maps
      const int64_t first = i;
      const uint8_t a = r[i], b = p[i];
      while (i < end && r[i] == a && p[i] == b) ++i;
      table[a * 256 + b] += i - first;
    }
    tables[c] = std::move(table);
  });
  Table sum(256 * 256);
  for (const Table& t : tables)
    for (size_t i = 0; i < sum.size(); ++i) sum[i] += t[i];

  auto out = std::vector<Confusion>(size_t(classes));
  int64_t counted = 0;
  for (int a = 0; a < 256; ++a)
    for (int b = 0; b < 256; ++b) {
      const int64_t m = sum[size_t(a * 256 + b)];
      if (m == 0 || a == ignore_label) continue;
      check(a < classes, "metrics: the reference holds label ", a, ", outside the declared classes 0 to ", classes - 1);
      check(b < classes, "metrics: the prediction holds label ", b, ", outside the declared classes 0 to ", classes - 1);
      counted += m;
      if (a == b) out[a].tp += m;
      else out[a].fn += m, out[b].fp += m;
    }
  for (Confusion& c : out) c.tn = counted - c.tp - c.fp - c.fn;
  return out;
}

Confusion confusion_of(const LabelMap::Region& region, const Tensor& prediction, const Tensor& reference, int ignore_label) {
  return confusion(membership(prediction, region, -1), membership(reference, region, ignore_label), 2, kIgnored)[1];
}

std::vector<ClassScores> score(const Tensor& prediction, const Tensor& reference, const Spacing& spacing, const MetricOptions& o) {
  const std::vector<Confusion> counts = confusion(prediction, reference, o.classes, o.ignore_label);
  check(prediction.shape().rank == 3, "metrics: volumes {D, H, W} are wanted, not ", prediction);
  for (double s : spacing) check(s > 0 && std::isfinite(s), "metrics: the spacing ", s, " mm is not a positive number");
  const double voxel = spacing[0] * spacing[1] * spacing[2], nan = std::numeric_limits<double>::quiet_NaN();
  const bool ignoring = o.ignore_label >= 0;
  Tensor predicted = prediction, real = reference, ignored;
  check(!o.probabilities || (o.probabilities.dtype() == DType::f32 &&
                             o.probabilities.shape() == Shape{reference.dim(0), reference.dim(1), reference.dim(2), o.classes}),
        "metrics: probabilities ", o.probabilities, " of a reference ", reference, "; one of each of ", o.classes, " classes is wanted");
  if (ignoring) {  // what is ignored belongs to no object, in either
    predicted = prediction.clone(), real = reference.clone(), ignored = Tensor::empty(reference.shape(), DType::u8);
    uint8_t *p = predicted.view().as<uint8_t>(), *r = real.view().as<uint8_t>(), *without = ignored.view().as<uint8_t>();
    parallel_for(real.count(), 1 << 16, [&](int64_t i) {
      without[i] = r[i] == o.ignore_label;
      if (without[i]) p[i] = r[i] = 0;
    });
  }
  const std::vector<Box> boxes = o.surface || !o.more.empty() ? boxes_of(predicted, real, o.classes) : std::vector<Box>(size_t(o.classes));
  std::vector<ClassScores> out;
  for (int k = 1; k < o.classes; ++k) {
    const Confusion& c = counts[k];
    ClassScores s{.label = k,
                  .counts = c,
                  .dice = c.dice(),
                  .iou = c.iou(),
                  .precision = c.precision(),
                  .recall = c.recall(),
                  .hd95_mm = nan,
                  .nsd = nan,
                  .volume_mm3 = double(c.tp + c.fp) * voxel,
                  .reference_volume_mm3 = double(c.tp + c.fn) * voxel};
    const ObjectPair pair({.prediction = predicted,
                           .reference = real,
                           .label = uint8_t(k),
                           .box = boxes[k],
                           .spacing = spacing,
                           .counts = c,
                           .tolerance_mm = o.tolerance_mm,
                           .connectivity = o.connectivity,
                           .probability = channel_of(o.probabilities, k),
                           .ignored = ignored});
    if (o.surface) {
      s.hd95_mm = hausdorff_distance(pair.surface());
      s.nsd = surface_dice(pair.surface(), o.tolerance_mm);
    }
    for (const std::string& name : o.more) {
      const MetricEntry& metric = metric_registry().find(name);
      check(!metric.probabilities || o.probabilities, "metrics: ", name, " wants the probabilities of the prediction");
      s.more.push_back(metric.value(pair));
    }
    out.push_back(s);
  }
  return out;
}

}  // namespace voxgrad
