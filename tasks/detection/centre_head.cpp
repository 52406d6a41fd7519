#include "tasks/detection/centre_head.h"

#include <algorithm>
#include <cmath>

#include "kernels/binary/binary.h"
#include "kernels/box_iou/box_iou.h"
#include "kernels/concat/concat.h"
#include "kernels/heatmap_loss/heatmap_loss.h"
#include "kernels/index_select/index_select.h"
#include "kernels/reduce/reduce.h"
#include "kernels/slice/slice.h"

namespace voxgrad {
namespace {

constexpr double kSigma = 0.09, kLeastSigma = 1. / 6;  // in sizes of the box and in cells
constexpr double kLearned = 0.4;                       // Gaussian from which a cell learns a box
constexpr double kMostLogSize = 6;

struct CellGrid {
  int64_t n, size[3], classes;
  double stride[3];

  CellGrid(const Tensor& heat, const Int3& input) : n(heat.dim(0)), size{}, classes(heat.dim(4)), stride{} {
    for (int a = 0; a < 3; ++a) {
      size[a] = heat.dim(a + 1);
      check(size[a] > 0 && input[a] % size[a] == 0, "detection: heat maps ", heat, " of an input of ", input, " voxels");
      stride[a] = double(input[a]) / double(size[a]);
    }
  }
  int64_t cells() const { return size[0] * size[1] * size[2]; }
  int64_t index(const int64_t (&c)[3]) const { return (c[0] * size[1] + c[1]) * size[2] + c[2]; }
  double middle(int axis, int64_t c) const { return (double(c) + 0.5) * stride[axis] - 0.5; }
  int64_t cell_of(int axis, double place) const {
    return std::clamp<int64_t>(int64_t(std::floor((place + 0.5) / stride[axis])), 0, size[axis] - 1);
  }
};

// What a cell learns.
struct Learned {
  double value = 0;  // of the Gaussian
  int64_t box = -1;  // its number in the sample
};

// The Gaussian of a box at cells around it: f(cell, value).
template <class F>
void for_cells_of(const CellGrid& g, const ObjectBox& b, F&& f) {
  int64_t at[3], reach[3];
  double sigma[3];
  const Double3 centre = b.centre(), size = b.size();
  for (int a = 0; a < 3; ++a) {
    at[a] = g.cell_of(a, centre[size_t(a)]);
    sigma[a] = kSigma * size[size_t(a)] / g.stride[a] + kLeastSigma;
    reach[a] = int64_t(std::ceil(3 * sigma[a]));
  }
  const auto from = [&](int a) { return std::max<int64_t>(0, at[a] - reach[a]); };
  const auto to = [&](int a) { return std::min(g.size[a] - 1, at[a] + reach[a]); };
  const auto square = [&](int a, int64_t c) {
    const double x = double(c - at[a]) / sigma[a];
    return x * x;
  };
  for (int64_t d = from(0); d <= to(0); ++d)
    for (int64_t h = from(1); h <= to(1); ++h)
      for (int64_t w = from(2); w <= to(2); ++w)
        f(g.index({d, h, w}), std::exp(-0.5 * (square(0, d) + square(1, h) + square(2, w))));
}

// Rows of the cells that learn boxes, one below the other for all samples.
struct Rows {
  std::vector<int64_t> row;                                       // of the numbers {N d h w, 6}
  std::vector<double> middle, stride, unit, low, high, weight;    // {P, 3} each but the last one
};

void add_sample(const CellGrid& g, const CentreTargets& t, int64_t n, std::vector<double>& heat, Rows& rows) {
  const auto& boxes = t.boxes[size_t(n)];
  std::vector<Learned> learned(static_cast<size_t>(g.cells()));
  for (size_t i = 0; i < boxes.size(); ++i) {
    check(boxes[i].label >= 0 && boxes[i].label < g.classes, "detection: a box of class ", boxes[i].label, " of ", g.classes);
    for_cells_of(g, boxes[i], [&](int64_t cell, double value) {
      double& target = heat[size_t((n * g.cells() + cell) * g.classes + boxes[i].label)];
      target = std::max(target, value);
      Learned& l = learned[size_t(cell)];
      if (value >= kLearned && value > l.value) l = {value, int64_t(i)};
    });
  }
  std::vector<double> total(boxes.size());
  for (const Learned& l : learned)
    if (l.box >= 0) total[size_t(l.box)] += l.value;
  for (int64_t c = 0; c < g.cells(); ++c) {
    const Learned& l = learned[size_t(c)];
    if (l.box < 0) continue;
    const ObjectBox& b = boxes[size_t(l.box)];
    const int64_t at[3] = {c / (g.size[1] * g.size[2]), c / g.size[2] % g.size[1], c % g.size[2]};
    rows.row.push_back(n * g.cells() + c);
    rows.weight.push_back(l.value / total[size_t(l.box)]);
    for (int a = 0; a < 3; ++a) {
      rows.middle.push_back(g.middle(a, at[a]));
      rows.stride.push_back(g.stride[a]);
      rows.unit.push_back(t.unit[size_t(n)][size_t(a)]);
      rows.low.push_back(b.low[size_t(a)]);
      rows.high.push_back(b.high[size_t(a)]);
    }
  }
}

// Of the rows, weighted: generalised IoU, and L1.
Tensor box_loss(const Tensor& numbers, const Rows& rows, const CentreLossWeights& w) {
  const int64_t p = int64_t(rows.row.size());
  const Device device = numbers.device();
  const auto column = [&](const std::vector<double>& v) { return Tensor::from(v, {p, 3}, numbers.dtype(), device); };
  const Tensor x = index_select(numbers.reshape({-1, 6}), 0, Tensor::from(rows.row, {p}, device));
  const Tensor z = clamp(slice(x, 1, 3, 6), -kMostLogSize, kMostLogSize);
  const Tensor centre = slice(x, 1, 0, 3) * column(rows.stride) + column(rows.middle), half = exp(z) * (column(rows.unit) * 0.5);
  const Tensor low = column(rows.low), high = column(rows.high), size = high - low;
  const Tensor giou = giou_loss(concat({centre - half, centre + half}, 1), concat({low, high}, 1));
  const Tensor off = abs(centre - (low + high) * 0.5) / size + abs(z - log(size / column(rows.unit)));
  const Tensor weight = Tensor::from(rows.weight, {p}, numbers.dtype(), device);
  double total = 0;
  for (double v : rows.weight) total += v;
  return sum((giou * w.giou + sum(off, {1}) * w.l1) * weight) / total;
}

}  // namespace

Tensor centre_loss(const Tensor& heat, const Tensor& numbers, const CentreTargets& t, const CentreLossWeights& w) {
  const CellGrid g(heat, t.input);
  check(numbers.shape().with(4, 1) == heat.shape().with(4, 1) && numbers.dim(4) == 6, "detection: the numbers of boxes are ", numbers,
        " beside heat maps ", heat);
  check(int64_t(t.boxes.size()) == g.n && int64_t(t.unit.size()) == g.n, "detection: boxes of ", t.boxes.size(), " samples, the batch has ",
        g.n);
  const DType type = accum_of(heat.dtype());
  std::vector<double> target(static_cast<size_t>(heat.count()));
  Rows rows;
  for (int64_t n = 0; n < g.n; ++n) add_sample(g, t, n, target, rows);
  const Tensor loss = heatmap_loss(heat, Tensor::from(target, heat.shape(), type, heat.device())) * w.heat;
  return rows.row.empty() ? loss : loss + box_loss(numbers.to(type), rows, w);
}

std::vector<ObjectBox> decode_centres(const Tensor& heat, const Tensor& numbers, int64_t n, const Int3& input, const Double3& unit,
                                const CentreDecoding& o) {
  const CellGrid g(heat, input);
  const std::vector<float> logit = heat.rows(n, n + 1).to_vector<float>(), x = numbers.rows(n, n + 1).to_vector<float>();
  const float least = float(std::log(o.min_score / (1 - o.min_score)));
  const auto is_peak = [&](const int64_t (&c)[3], int64_t k) {
    const int64_t here = g.index(c);
    const float value = logit[size_t(here * g.classes + k)];
    for (int64_t d = std::max<int64_t>(0, c[0] - 1); d <= std::min(g.size[0] - 1, c[0] + 1); ++d)
      for (int64_t h = std::max<int64_t>(0, c[1] - 1); h <= std::min(g.size[1] - 1, c[1] + 1); ++h)
        for (int64_t w = std::max<int64_t>(0, c[2] - 1); w <= std::min(g.size[2] - 1, c[2] + 1); ++w) {
          const int64_t there = g.index({d, h, w});
          const float other = logit[size_t(there * g.classes + k)];
          if (other > value || (other == value && there < here)) return false;
        }
    return true;
  };
  std::vector<ObjectBox> out;
  for (int64_t d = 0; d < g.size[0]; ++d)
    for (int64_t h = 0; h < g.size[1]; ++h)
      for (int64_t w = 0; w < g.size[2]; ++w)
        for (int64_t k = 0; k < g.classes; ++k) {
          const int64_t c[3] = {d, h, w}, cell = g.index(c);
          const float value = logit[size_t(cell * g.classes + k)];
          check(std::isfinite(value), "detection: the network gave values that are not finite; its weights or the image may be damaged");
          if (value < least || !is_peak(c, k)) continue;
          ObjectBox b{.label = int(k), .score = 1 / (1 + std::exp(-double(value)))};
          for (int a = 0; a < 3; ++a) {
            const size_t i = size_t(a);
            const double centre = g.middle(a, c[a]) + double(x[size_t(cell * 6 + a)]) * g.stride[a];
            const double half = std::exp(std::clamp(double(x[size_t(cell * 6 + 3 + a)]), -kMostLogSize, kMostLogSize)) * unit[i] / 2;
            b.low[i] = centre - half, b.high[i] = centre + half;
          }
          out.push_back(b);
        }
  std::stable_sort(out.begin(), out.end(), [](const ObjectBox& a, const ObjectBox& b) { return a.score > b.score; });
  if (int64_t(out.size()) > o.keep) out.resize(size_t(o.keep));
  return out;
}

}  // namespace voxgrad
