#include <algorithm>
#include <cmath>
#include <numeric>

#include "tasks/detection/anchor_head.h"

namespace voxgrad {
namespace {

constexpr double kFactors[] = {1.5, 1.2, 1.08, 1.03};  // of coordinate descent, coarse to fine
constexpr size_t kMostFitted = 2000;                   // boxes that shapes are fitted to

// Of boxes with one centre.
double overlap_of_sizes(const Double3& a, const Double3& b) {
  double both = 1, of_a = 1, of_b = 1;
  for (size_t k = 0; k < 3; ++k) both *= std::min(a[k], b[k]), of_a *= a[k], of_b *= b[k];
  return both / (of_a + of_b - both);
}

double volume_of(const Double3& s) { return s[0] * s[1] * s[2]; }

// The mean over the boxes of the best overlap with a shape at any level; flat axes are not enlarged.
double fit_of(const std::vector<Double3>& sizes, const std::vector<AnchorShape>& shapes, int levels, const std::array<bool, 3>& flat) {
  double sum = 0;
  for (const Double3& s : sizes) {
    double best = 0;
    for (const AnchorShape& shape : shapes)
      for (int l = 0; l < levels; ++l) {
        Double3 scaled = shape;
        for (size_t a = 0; a < 3; ++a)
          if (!flat[a]) scaled[a] *= double(1 << l);
        best = std::max(best, overlap_of_sizes(scaled, s));
      }
    sum += best;
  }
  return sum / double(sizes.size());
}

// The nearest places along an axis to a coordinate, as many as could be among the nearest of all.
std::vector<int64_t> near_places(const AnchorLevel& l, int axis, double at, int nearest) {
  const int64_t middle = std::clamp<int64_t>(std::llround((at + 0.5) / l.stride[axis] - 0.5), 0, l.size[axis] - 1);
  std::vector<int64_t> out;
  for (int64_t p = std::max<int64_t>(0, middle - nearest); p <= std::min(l.size[axis] - 1, middle + nearest); ++p) out.push_back(p);
  return out;
}

struct NearPlace {
  double square;
  int64_t place;
};

// The first anchors' places of a level nearest to a centre.
std::vector<int64_t> nearest_places(const AnchorLevel& l, const Double3& centre, int nearest) {
  std::vector<NearPlace> all;
  const auto square = [&](int a, int64_t p) {
    const double x = (double(p) + 0.5) * l.stride[a] - 0.5 - centre[size_t(a)];
    return x * x;
  };
  for (int64_t d : near_places(l, 0, centre[0], nearest))
    for (int64_t h : near_places(l, 1, centre[1], nearest))
      for (int64_t w : near_places(l, 2, centre[2], nearest))
        all.push_back({square(0, d) + square(1, h) + square(2, w), (d * l.size[1] + h) * l.size[2] + w});
  std::sort(all.begin(), all.end(),
            [](auto& a, auto& b) { return a.square != b.square ? a.square < b.square : a.place < b.place; });
  std::vector<int64_t> out;
  for (size_t i = 0; i < all.size() && i < size_t(nearest); ++i) out.push_back(all[i].place);
  return out;
}

ObjectBox anchor_at(const AnchorLevel& l, int64_t place, const AnchorShape& shape) {
  const int64_t at[3] = {place / (l.size[1] * l.size[2]), place / l.size[2] % l.size[1], place % l.size[2]};
  ObjectBox out;
  for (size_t a = 0; a < 3; ++a) {
    const double centre = (double(at[a]) + 0.5) * l.stride[a] - 0.5, half = shape[a] * l.scale[a] / 2;
    out.low[a] = centre - half, out.high[a] = centre + half;
  }
  return out;
}

}  // namespace

std::vector<AnchorLevel> anchor_levels(const std::vector<Tensor>& outputs, const Int3& input) {
  std::vector<AnchorLevel> out;
  for (size_t l = 0; 2 * l < outputs.size(); ++l) {
    AnchorLevel level;
    for (int a = 0; a < 3; ++a) {
      level.size[a] = outputs[2 * l].dim(a + 1);
      check(level.size[a] > 0 && input[a] % level.size[a] == 0, "detection: outputs ", outputs[2 * l], " of an input of ", input);
      level.stride[a] = double(input[a]) / double(level.size[a]);
      level.scale[a] = l == 0 ? 1 : level.stride[a] / out[0].stride[a];
    }
    out.push_back(level);
  }
  return out;
}

std::vector<ObjectBox> anchors_of(const std::vector<AnchorLevel>& levels, const std::vector<AnchorShape>& shapes) {
  std::vector<ObjectBox> out;
  for (const AnchorLevel& l : levels)
    for (int64_t place = 0; place < l.size[0] * l.size[1] * l.size[2]; ++place)
      for (const AnchorShape& shape : shapes) out.push_back(anchor_at(l, place, shape));
  return out;
}

std::vector<int64_t> match_anchors(const std::vector<ObjectBox>& boxes, const std::vector<AnchorLevel>& levels,
                                   const std::vector<AnchorShape>& shapes, int nearest) {
  int64_t total = 0;
  for (const AnchorLevel& l : levels) total += l.size[0] * l.size[1] * l.size[2] * int64_t(shapes.size());
  std::vector<int64_t> out(static_cast<size_t>(total), -1);
  std::vector<double> best(static_cast<size_t>(total), -1);
  for (size_t b = 0; b < boxes.size(); ++b) {
    std::vector<int64_t> candidates;
    std::vector<double> overlap;
    int64_t first = 0;
    for (const AnchorLevel& l : levels) {
      for (int64_t place : nearest_places(l, boxes[b].centre(), nearest))
        for (size_t k = 0; k < shapes.size(); ++k) {
          candidates.push_back(first + place * int64_t(shapes.size()) + int64_t(k));
          overlap.push_back(iou_of(anchor_at(l, place, shapes[k]), boxes[b]));
        }
      first += l.size[0] * l.size[1] * l.size[2] * int64_t(shapes.size());
    }
    const double n = double(overlap.size()), mean = std::accumulate(overlap.begin(), overlap.end(), 0.0) / n;
    double square = 0;
    for (double v : overlap) square += (v - mean) * (v - mean);
    const double threshold = mean + (n > 1 ? std::sqrt(square / (n - 1)) : 0);
    for (size_t i = 0; i < candidates.size(); ++i) {
      const size_t at = size_t(candidates[i]);
      if (overlap[i] < threshold || !(overlap[i] > best[at]) || !(overlap[i] > 0)) continue;
      best[at] = overlap[i];
      out[at] = int64_t(b);
    }
  }
  return out;
}

std::vector<AnchorShape> fitted_shapes(const std::vector<Double3>& given, int count, int levels) {
  check(!given.empty() && count > 0 && levels > 0, "detection: ", count, " anchors are to be fitted to ", given.size(), " boxes");
  std::vector<Double3> sizes;
  const size_t step = (given.size() + kMostFitted - 1) / kMostFitted;
  for (size_t i = 0; i < given.size(); i += step) sizes.push_back(given[i]);
  std::stable_sort(sizes.begin(), sizes.end(), [](auto& a, auto& b) { return volume_of(a) < volume_of(b); });
  std::array<bool, 3> flat;
  for (size_t a = 0; a < 3; ++a)
    flat[a] = std::all_of(sizes.begin(), sizes.end(), [&](auto& s) { return std::abs(s[a] - sizes[0][a]) < 1e-6 * sizes[0][a]; });
  std::vector<AnchorShape> out;
  for (int k = 0; k < count; ++k) {
    out.push_back(sizes[size_t((k + 0.5) * double(sizes.size()) / count)]);
    for (size_t a = 0; a < 3; ++a)
      if (!flat[a]) out.back()[a] /= std::pow(2.0, k * (levels - 1) / count / 2);
  }
  double fit = fit_of(sizes, out, levels, flat);
  for (double factor : kFactors)
    for (bool better = true; better;) {
      better = false;
      for (AnchorShape& shape : out)
        for (size_t a = 0; a < 3; ++a)
          for (double f : {factor, 1 / factor}) {
            if (flat[a]) continue;
            const double before = shape[a];
            shape[a] *= f;
            const double now = fit_of(sizes, out, levels, flat);
            if (now > fit + 1e-9) fit = now, better = true;
            else shape[a] = before;
          }
    }
  std::stable_sort(out.begin(), out.end(), [](auto& a, auto& b) { return volume_of(a) < volume_of(b); });
  return out;
}

}  // namespace voxgrad
