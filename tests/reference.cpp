#include "tests/reference.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace voxgrad {
namespace {

int64_t extent_of(int64_t in, int64_t taps, int stride, int padding, int dilation) {
  return (in + 2 * padding - dilation * (taps - 1) - 1) / stride + 1;
}

int64_t last(const Shape& s, const Index& i) { return i[size_t(s.rank - 1)]; }

}  // namespace

HostArray conv3d_reference(const HostArray& x, const HostArray& w, const HostArray& b, const Conv3dOptions& o) {
  const int64_t per_group = w.dim(4), filters = w.dim(0) / o.groups;
  Shape s = x.shape.with(4, w.dim(0));
  for (int a = 0; a < 3; ++a) s[a + 1] = extent_of(x.dim(a + 1), w.dim(a + 1), o.stride[a], o.padding[a], o.dilation[a]);
  return host_array(s, [&](const Index& i) {
    const int64_t k = i[4], first_channel = k / filters * per_group;
    double sum = b.values.empty() ? 0 : b.values[size_t(k)];
    for (int64_t t = 0; t < w.dim(1); ++t)
      for (int64_t r = 0; r < w.dim(2); ++r)
        for (int64_t u = 0; u < w.dim(3); ++u) {
          const int64_t d = i[1] * o.stride.d - o.padding.d + t * o.dilation.d, h = i[2] * o.stride.h - o.padding.h + r * o.dilation.h,
                        v = i[3] * o.stride.w - o.padding.w + u * o.dilation.w;
          if (d < 0 || d >= x.dim(1) || h < 0 || h >= x.dim(2) || v < 0 || v >= x.dim(3)) continue;
          const double *from = &x.values[x.offset({i[0], d, h, v, first_channel})], *by = &w.values[w.offset({k, t, r, u, 0})];
          for (int64_t c = 0; c < per_group; ++c) sum += from[c] * by[c];
        }
    return sum;
  });
}

Windows sliding_windows(int64_t extent, int kernel, int stride, int padding, int dilation, bool ceil_mode) {
  Windows all;
  for (int64_t begin = -padding;; begin += stride) {
    const int64_t end = begin + int64_t(dilation) * (kernel - 1) + 1, whole = extent + padding;
    // Rounded up, a window may reach beyond the padded input where it starts before the padding behind.
    if (end > whole && !(ceil_mode && begin < extent && begin - stride + (end - begin) < whole)) return all;
    all.emplace_back();
    for (int64_t at = begin; at < end && at < whole; at += dilation) all.back().push_back(at);
  }
}

Windows adaptive_windows(int64_t extent, int64_t out) {
  Windows all;
  for (int64_t i = 0; i < out; ++i) {
    all.emplace_back();
    for (int64_t at = i * extent / out; at * out < (i + 1) * extent; ++at) all.back().push_back(at);
  }
  return all;
}

HostArray pooled(const HostArray& x, const std::array<Windows, 3>& windows, const OfWindow& f) {
  Shape s = x.shape;
  for (int a = 0; a < 3; ++a) s[a + 1] = int64_t(windows[size_t(a)].size());
  return host_array(s, [&](const Index& i) {
    std::vector<double> inside;
    int64_t coordinates = 0;
    for (int64_t d : windows[0][size_t(i[1])])
      for (int64_t h : windows[1][size_t(i[2])])
        for (int64_t w : windows[2][size_t(i[3])]) {
          ++coordinates;
          if (d >= 0 && d < x.dim(1) && h >= 0 && h < x.dim(2) && w >= 0 && w < x.dim(3)) inside.push_back(x.at(i[0], d, h, w, i[4]));
        }
    return f(inside, coordinates);
  });
}

HostArray reduced(const HostArray& x, std::vector<int> axes, bool keep, const std::function<double(const std::vector<double>&)>& f) {
  std::set<int> gone;
  for (int a : axes) gone.insert(a < 0 ? a + x.shape.rank : a);
  Shape kept = x.shape, s;
  for (int a = 0; a < x.shape.rank; ++a) {
    if (gone.count(a)) kept[a] = 1;
    if (keep || !gone.count(a)) s.dims[s.rank++] = kept[a];
  }
  std::vector<std::vector<double>> parts(size_t(s.count()));
  const HostArray place = {kept, {}};
  for_each_index(x.shape, [&](Index i) {
    const double v = x[i];
    for (int a : gone) i[size_t(a)] = 0;
    parts[place.offset(i)].push_back(v);
  });
  HostArray y{s, {}};
  for (auto& part : parts) y.values.push_back(f(part));
  return y;
}

HostArray normalised(const HostArray& x, const GroupOf& group, const HostArray& scale, const HostArray& shift, double eps) {
  struct Sums {
    double count = 0, sum = 0, squares = 0;
  };
  std::map<int64_t, Sums> of;
  for_each_index(x.shape, [&](const Index& i) {
    Sums& s = of[group(i)];
    s.count += 1;
    s.sum += x[i];
  });
  for_each_index(x.shape, [&](const Index& i) {
    Sums& s = of[group(i)];
    s.squares += std::pow(x[i] - s.sum / s.count, 2);
  });
  return host_array(x.shape, [&](const Index& i) {
    const Sums& s = of[group(i)];
    const size_t c = size_t(last(x.shape, i));
    const double z = (x[i] - s.sum / s.count) / std::sqrt(s.squares / s.count + eps);
    return z * (scale.values.empty() ? 1 : scale.values[c]) + (shift.values.empty() ? 0 : shift.values[c]);
  });
}

GroupOf group_of(const Shape& s, int64_t groups) {
  return [=](const Index& i) { return i[0] * groups + last(s, i) / (s[-1] / groups); };
}
GroupOf instance_of(const Shape& s) { return group_of(s, s[-1]); }
GroupOf channel_of(const Shape& s) {
  return [=](const Index& i) { return last(s, i); };
}
GroupOf layer_of(const Shape& s) {
  return [=](const Index& i) { return int64_t(HostArray{s, {}}.offset(i)) / s[-1]; };
}

HostArray softmax_reference(const HostArray& x) {
  HostArray y = x;
  const size_t classes = size_t(x.dim(-1));
  for (size_t v = 0; v < x.values.size(); v += classes) {
    long double sum = 0;
    for (size_t k = 0; k < classes; ++k) sum += std::exp((long double)(x.values[v + k]));
    for (size_t k = 0; k < classes; ++k) y.values[v + k] = double(std::exp((long double)(x.values[v + k])) / sum);
  }
  return y;
}

double cross_entropy_reference(const HostArray& logits, const HostArray& label, const CrossEntropyOptions& o) {
  const std::vector<double> p = softmax_reference(logits).values;
  const size_t classes = size_t(logits.dim(-1));
  const std::vector<double> w = o.class_weights ? o.class_weights.values() : std::vector<double>(classes, 1.0);
  double above = 0, below = 0;
  for (size_t v = 0; v < label.values.size(); ++v) {
    if (int(label.values[v]) == o.ignore_label) continue;
    const size_t own = size_t(label.values[v]);
    above -= (1 - o.label_smoothing) * w[own] * std::log(p[v * classes + own]);
    for (size_t k = 0; k < classes; ++k) above -= o.label_smoothing / double(classes) * w[k] * std::log(p[v * classes + k]);
    below += w[own];
  }
  return below > 0 ? above / below : 0;
}

double soft_dice_reference(const HostArray& logits, const HostArray& label, const SoftDiceOptions& o) {
  const std::vector<double> p = softmax_reference(logits).values;
  const size_t classes = size_t(logits.dim(-1)), samples = size_t(logits.dim(0)), voxels = label.values.size() / samples;
  const size_t groups = o.batch_dice ? 1 : samples, first = o.include_background ? 0 : 1;
  double sum = 0;
  for (size_t g = 0; g < groups; ++g)
    for (size_t k = first; k < classes; ++k) {
      double both = 0, either = 0;
      for (size_t v = 0; v < label.values.size(); ++v) {
        if (int(label.values[v]) == o.ignore_label || (!o.batch_dice && v / voxels != g)) continue;
        const double t = label.values[v] == double(k);
        both += p[v * classes + k] * t;
        either += p[v * classes + k] + t;
      }
      sum += (2 * both + o.smooth) / std::max(either + o.smooth, 1e-8);
    }
  return -sum / double(groups * (classes - first));
}

}  // namespace voxgrad
