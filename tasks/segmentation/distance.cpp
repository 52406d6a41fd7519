#include "tasks/segmentation/distance.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/device/parallel.h"

namespace voxgrad {
namespace {

// Work for a thread, in voxels: simple passes, and lower envelopes at some 20 ns each.
constexpr int64_t kSimple = 1 << 17, kCostly = 1 << 14;
int64_t planes_of(int64_t voxels, int64_t plane) { return std::max<int64_t>(1, voxels / std::max<int64_t>(1, plane)); }

constexpr float kFar = std::numeric_limits<float>::infinity();

// Lower envelope of the parabolas f(q) + step^2 (x - q)^2 over the q with finite f, sampled at every x: f is replaced by it.
class Envelope {
 public:
  explicit Envelope(int64_t most) : site_(size_t(most)), value_(size_t(most)), height_(size_t(most)), from_(size_t(most)) {}

  void operator()(float* f, int64_t n, double step) {
    const double a = step * step;
    int64_t k = -1;  // the last parabola of the envelope
    for (int64_t q = 0; q < n; ++q) {
      if (f[q] == kFar) continue;
      const double h = double(f[q]) + a * double(q) * double(q);
      double x = -std::numeric_limits<double>::infinity();
      while (k >= 0) {
        x = (h - height_[k]) / (2 * a * double(q - site_[k]));  // where parabola q falls below the last one
        if (x > from_[k]) break;
        --k;
      }
      if (k < 0) x = -std::numeric_limits<double>::infinity();
      ++k;
      site_[k] = q;
      value_[k] = f[q];
      height_[k] = h;
      from_[k] = x;
    }
    if (k < 0) return;
    for (int64_t q = n - 1; q >= 0; --q) {
      while (from_[k] > double(q)) --k;
      f[q] = float(value_[k] + a * double(q - site_[k]) * double(q - site_[k]));
    }
  }

 private:
  std::vector<int64_t> site_;
  std::vector<double> value_, height_, from_;  // f(q), f(q) + a q^2, and where the parabola begins to be the lowest
};

// Along D: distance in steps, by a scan in both directions; squared millimetres afterwards.
void scan_depth(const uint8_t* mask, float* y, const Shape& s, double step) {
  const int64_t depth = s[0], plane = s.count(1, 3);
  parallel_ranges(plane, planes_of(kSimple, depth), [&](int64_t begin, int64_t end) {
    for (int64_t d = 0; d < depth; ++d)
      for (int64_t i = begin; i < end; ++i) {
        const float before = d ? y[(d - 1) * plane + i] + 1 : kFar;
        y[d * plane + i] = mask[d * plane + i] ? 0.f : before;
      }
    for (int64_t d = depth - 1; d >= 0; --d)
      for (int64_t i = begin; i < end; ++i) {
        float& v = y[d * plane + i];
        if (d + 1 < depth) v = std::min(v, y[(d + 1) * plane + i] + 1);
      }
    for (int64_t d = 0; d < depth; ++d)
      for (int64_t i = begin; i < end; ++i) {
        const double mm = step * double(y[d * plane + i]);
        y[d * plane + i] = float(mm * mm);
      }
  });
}

// The inner voxels of a mask {d + 2, h + 2, w + 2} with an empty rim that have a face neighbour outside it; result {d, h, w}.
Tensor surface_of(const Tensor& padded) {
  const int64_t d = padded.dim(0) - 2, h = padded.dim(1) - 2, w = padded.dim(2) - 2, row = w + 2, plane = row * (h + 2);
  const Tensor out = Tensor::empty({d, h, w}, DType::u8);
  const uint8_t* in = padded.view().as<uint8_t>();
  uint8_t* to = out.view().as<uint8_t>();
  parallel_for(d, planes_of(kSimple, h * w), [&](int64_t z) {
    for (int64_t y = 0; y < h; ++y) {
      const uint8_t* p = in + (z + 1) * plane + (y + 1) * row + 1;
      uint8_t* q = to + (z * h + y) * w;
      for (int64_t x = 0; x < w; ++x) {
        const uint8_t inside = p[x - 1] & p[x + 1] & p[x - row] & p[x + row] & p[x - plane] & p[x + plane];
        q[x] = uint8_t(p[x] & ~inside & 1);
      }
    }
  });
  return out;
}

Tensor surface_in(const Tensor& labels, uint8_t label, const Box& box) {
  const int64_t d = box.end[0] - box.begin[0], h = box.end[1] - box.begin[1], w = box.end[2] - box.begin[2];
  const Tensor padded = Tensor::zeros({d + 2, h + 2, w + 2}, DType::u8);
  const uint8_t* from = labels.view().as<uint8_t>();
  uint8_t* to = padded.view().as<uint8_t>();
  parallel_for(d, planes_of(kSimple, h * w), [&](int64_t z) {
    for (int64_t y = 0; y < h; ++y) {
      const uint8_t* p = from + ((box.begin[0] + z) * labels.dim(1) + box.begin[1] + y) * labels.dim(2) + box.begin[2];
      uint8_t* q = to + ((z + 1) * (h + 2) + y + 1) * (w + 2) + 1;
      for (int64_t x = 0; x < w; ++x) q[x] = uint8_t(p[x] == label);
    }
  });
  return surface_of(padded);
}

std::vector<float> values_at(const Tensor& distance, const Tensor& surface) {
  std::vector<float> out;
  const float* y = distance.view().as<float>();
  const uint8_t* m = surface.view().as<uint8_t>();
  for (int64_t i = 0; i < surface.count(); ++i)
    if (m[i]) out.push_back(y[i]);
  return out;
}

double quantile(std::vector<float> values, double q) {
  const double place = q * double(values.size() - 1);
  const auto at = values.begin() + int64_t(place);
  std::nth_element(values.begin(), at, values.end());
  const double low = *at, part = place - std::floor(place);
  return part > 0 ? low + part * (double(*std::min_element(at + 1, values.end())) - low) : low;
}

}  // namespace

Tensor distance_transform(const Tensor& mask, const Spacing& spacing) {
  check(mask && mask.dtype() == DType::u8 && mask.shape().rank == 3, "distance_transform: a mask u8 {D, H, W} is wanted, not ", mask);
  for (double s : spacing) check(s > 0 && std::isfinite(s), "distance_transform: the spacing ", s, " mm is not a positive number");
  const Shape s = mask.shape();
  const Tensor out = Tensor::empty(s);
  float* y = out.view().as<float>();
  if (s.count() == 0) return out;
  scan_depth(mask.view().as<uint8_t>(), y, s, spacing[0]);
  const int64_t h = s[1], w = s[2];
  constexpr int64_t kColumns = 16;  // gathered at once, a cache line of each row
  parallel_ranges(s[0], planes_of(kCostly, h * w), [&](int64_t begin, int64_t end) {
    Envelope envelope(std::max(h, w));
    std::vector<float> columns(size_t(kColumns * h));
    for (int64_t d = begin; d < end; ++d) {
      float* plane = y + d * h * w;
      for (int64_t x0 = 0; x0 < w; x0 += kColumns) {
        const int64_t n = std::min(kColumns, w - x0);
        for (int64_t i = 0; i < h; ++i)
          for (int64_t x = 0; x < n; ++x) columns[x * h + i] = plane[i * w + x0 + x];
        for (int64_t x = 0; x < n; ++x) envelope(&columns[x * h], h, spacing[1]);
        for (int64_t i = 0; i < h; ++i)
          for (int64_t x = 0; x < n; ++x) plane[i * w + x0 + x] = columns[x * h + i];
      }
      for (int64_t i = 0; i < h; ++i) {
        envelope(plane + i * w, w, spacing[2]);
        for (int64_t x = 0; x < w; ++x) plane[i * w + x] = std::sqrt(plane[i * w + x]);
      }
    }
  });
  return out;
}

SurfaceDistances surface_distances(const Tensor& prediction, const Tensor& reference, uint8_t label, const Box& box,
                                   const Spacing& spacing) {
  if (box.empty()) return {};
  const Tensor a = surface_in(prediction, label, box), b = surface_in(reference, label, box);
  return {values_at(distance_transform(b, spacing), a), values_at(distance_transform(a, spacing), b)};
}

double hausdorff_distance(const SurfaceDistances& s, double q) {
  if (s.to_reference.empty() && s.to_prediction.empty()) return std::numeric_limits<double>::quiet_NaN();
  if (s.to_reference.empty() || s.to_prediction.empty()) return std::numeric_limits<double>::infinity();
  return std::max(quantile(s.to_reference, q), quantile(s.to_prediction, q));
}

double surface_dice(const SurfaceDistances& s, double tolerance_mm) {
  const auto near = [&](const std::vector<float>& v) {
    return std::count_if(v.begin(), v.end(),
                         [&](float d) { return double(d) <= tolerance_mm * (1 + 1e-6); });  // distances are rounded to f32
  };
  const int64_t total = int64_t(s.to_reference.size() + s.to_prediction.size());
  return total ? double(near(s.to_reference) + near(s.to_prediction)) / double(total) : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace voxgrad
