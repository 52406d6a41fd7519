#include "tasks/instances/instance_maps.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/device/parallel.h"

namespace voxgrad {
namespace {

// f(d, h, w, position in memory)
template <class F>
void for_voxels(const Int3& size, F&& f) {
  int64_t i = 0;
  for (int64_t d = 0; d < size.d; ++d)
    for (int64_t h = 0; h < size.h; ++h)
      for (int64_t w = 0; w < size.w; ++w, ++i) f(d, h, w, i);
}

std::vector<Double3> centres_of(const NumberedObjects& objects) {
  std::vector<Double3> sum(objects.label.size());
  std::vector<double> count(objects.label.size());
  const auto number = objects.number.data<int32_t>();
  for_voxels(volume_size(objects.number), [&](int64_t d, int64_t h, int64_t w, int64_t i) {
    if (number[size_t(i)] == 0) return;
    const size_t k = size_t(number[size_t(i)] - 1);
    sum.at(k)[0] += double(d), sum[k][1] += double(h), sum[k][2] += double(w);
    ++count[k];
  });
  for (size_t k = 0; k < sum.size(); ++k)
    for (double& x : sum[k]) x /= std::max(1.0, count[k]);
  return sum;
}

void add_heat(const Tensor& heat, const Double3& centre, const Double3& sigma) {
  const Int3 size = volume_size(heat);
  const auto to = heat.mutable_data<float>();
  int64_t low[3], high[3];
  for (int a = 0; a < 3; ++a) {
    const double reach = 4 * sigma[size_t(a)];
    low[a] = std::max<int64_t>(0, int64_t(std::ceil(centre[size_t(a)] - reach)));
    high[a] = std::min<int64_t>(size[a] - 1, int64_t(std::floor(centre[size_t(a)] + reach)));
  }
  const auto square = [&](size_t a, int64_t x) { return std::pow((double(x) - centre[a]) / sigma[a], 2); };
  for (int64_t d = low[0]; d <= high[0]; ++d)
    for (int64_t h = low[1]; h <= high[1]; ++h)
      for (int64_t w = low[2]; w <= high[2]; ++w) {
        float& v = to[size_t((d * size.h + h) * size.w + w)];
        v = std::max(v, float(std::exp(-0.5 * (square(0, d) + square(1, h) + square(2, w)))));
      }
}

// Centres in the order of memory.
std::vector<Double3> peaks_of(const Tensor& heat, const Double3& sigma, double least) {
  const Int3 size = volume_size(heat);
  const auto x = heat.data<float>();
  int64_t reach[3];
  for (size_t a = 0; a < 3; ++a) reach[a] = std::max<int64_t>(1, std::llround(sigma[a]));
  std::vector<Double3> out;
  const auto is_peak = [&](int64_t d, int64_t h, int64_t w, int64_t i) {
    for (int64_t z = std::max<int64_t>(0, d - reach[0]); z <= std::min<int64_t>(size.d - 1, d + reach[0]); ++z)
      for (int64_t y = std::max<int64_t>(0, h - reach[1]); y <= std::min<int64_t>(size.h - 1, h + reach[1]); ++y)
        for (int64_t v = std::max<int64_t>(0, w - reach[2]); v <= std::min<int64_t>(size.w - 1, w + reach[2]); ++v) {
          const int64_t there = (z * size.h + y) * size.w + v;
          if (x[size_t(there)] > x[size_t(i)] || (x[size_t(there)] == x[size_t(i)] && there < i)) return false;
        }
    return true;
  };
  for_voxels(size, [&](int64_t d, int64_t h, int64_t w, int64_t i) {
    if (double(x[size_t(i)]) >= least && is_peak(d, h, w, i)) out.push_back({double(d), double(h), double(w)});
  });
  return out;
}

// Objects of fewer voxels are taken out, the others numbered anew; classes by the most of their voxels.
NumberedObjects numbered(const Tensor& number, const Tensor& label, int64_t objects, int64_t min_voxels) {
  std::vector<std::map<int, int64_t>> votes(static_cast<size_t>(objects));
  const auto of = number.mutable_data<int32_t>();
  const auto classes = label.data<uint8_t>();
  for (size_t i = 0; i < of.size(); ++i)
    if (of[i] > 0) ++votes[size_t(of[i] - 1)][classes[i]];
  NumberedObjects out{.number = number, .label = {}};
  std::vector<int32_t> renamed(votes.size());
  for (size_t k = 0; k < votes.size(); ++k) {
    int64_t voxels = 0, most = 0;
    int best = 0;
    for (auto& [c, n] : votes[k]) {
      voxels += n;
      if (n > most) most = n, best = c;
    }
    if (voxels == 0 || voxels < min_voxels) continue;
    out.label.push_back(best - 1);
    renamed[k] = int32_t(out.label.size());
  }
  for (int32_t& n : of) n = n > 0 ? renamed[size_t(n - 1)] : 0;
  return out;
}

}  // namespace

InstanceMaps maps_of(const NumberedObjects& objects, const Double3& sigma) {
  const Int3 size = volume_size(objects.number);
  InstanceMaps out{Tensor::zeros({size.d, size.h, size.w}, DType::u8), Tensor::zeros({size.d, size.h, size.w, 3}),
                   Tensor::zeros({size.d, size.h, size.w, 1})};
  const std::vector<Double3> centres = centres_of(objects);
  const auto number = objects.number.data<int32_t>();
  const auto label = out.label.mutable_data<uint8_t>();
  const auto offset = out.offsets.mutable_data<float>();
  for_voxels(size, [&](int64_t d, int64_t h, int64_t w, int64_t i) {
    if (number[size_t(i)] == 0) return;
    const size_t k = size_t(number[size_t(i)] - 1);
    label[size_t(i)] = uint8_t(objects.label[k] + 1);
    const double at[3] = {double(d), double(h), double(w)};
    for (size_t a = 0; a < 3; ++a) offset[size_t(3 * i) + a] = float(centres[k][a] - at[a]);
  });
  for (const Double3& c : centres) add_heat(out.heat, c, sigma);
  return out;
}

NumberedObjects grouped(const InstanceMaps& maps, const Double3& sigma, const GroupingOptions& o) {
  const Int3 size = volume_size(maps.label);
  const std::vector<Double3> centres = peaks_of(maps.heat, sigma, o.least_peak);
  const Tensor number = Tensor::zeros({size.d, size.h, size.w}, DType::i32);
  if (centres.empty()) return {number, {}};
  const auto to = number.mutable_data<int32_t>();
  const auto label = maps.label.data<uint8_t>();
  const auto offset = maps.offsets.data<float>();
  parallel_for(number.count(), 1 << 10, [&](int64_t i) {
    if (label[size_t(i)] == 0) return;
    const int64_t at[3] = {i / (int64_t(size.h) * size.w), i / size.w % size.h, i % size.w};
    double nearest = INFINITY;
    for (size_t k = 0; k < centres.size(); ++k) {
      double square = 0;
      for (size_t a = 0; a < 3; ++a) {
        const double x = (double(at[a]) + double(offset[size_t(3 * i) + a]) - centres[k][a]) / sigma[a];
        square += x * x;
      }
      if (square < nearest) nearest = square, to[size_t(i)] = int32_t(k + 1);
    }
  });
  return numbered(number, maps.label, int64_t(centres.size()), o.min_voxels);
}

NumberedObjects regrouped(const InstanceMaps& maps) {
  const Int3 size = volume_size(maps.label);
  const Tensor number = Tensor::zeros({size.d, size.h, size.w}, DType::i32);
  const auto to = number.mutable_data<int32_t>();
  const auto label = maps.label.data<uint8_t>();
  const auto offset = maps.offsets.data<float>();
  std::map<std::array<int64_t, 3>, int32_t> known;
  for_voxels(size, [&](int64_t d, int64_t h, int64_t w, int64_t i) {
    if (label[size_t(i)] == 0) return;
    const double at[3] = {double(d), double(h), double(w)};
    std::array<int64_t, 3> centre;
    for (size_t a = 0; a < 3; ++a) centre[a] = std::llround(100 * (at[a] + double(offset[size_t(3 * i) + a])));
    to[size_t(i)] = known.try_emplace(centre, int32_t(known.size() + 1)).first->second;
  });
  return numbered(number, maps.label, int64_t(known.size()), 1);
}

void PanopticCounts::add(const PanopticCounts& other, int times) {
  matched += times * other.matched, found += times * other.found, real += times * other.real;
  iou += times * other.iou;
}
double PanopticCounts::recognition() const { return found + real > 0 ? 2.0 * double(matched) / double(found + real) : NAN; }
double PanopticCounts::segmentation() const { return matched > 0 ? iou / double(matched) : NAN; }
double PanopticCounts::quality() const { return found + real > 0 ? 2 * iou / double(found + real) : NAN; }

std::vector<PanopticCounts> panoptic_counts(const NumberedObjects& found, const NumberedObjects& real, int classes) {
  check(found.number.shape() == real.number.shape(), "instances: ", found.number, " beside ", real.number);
  std::vector<PanopticCounts> out(static_cast<size_t>(classes));
  std::vector<int64_t> of_found(found.label.size()), of_real(real.label.size());
  std::map<std::pair<int32_t, int32_t>, int64_t> both;
  const auto a = found.number.data<int32_t>(), b = real.number.data<int32_t>();
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i]) ++of_found.at(size_t(a[i] - 1));
    if (b[i]) ++of_real.at(size_t(b[i] - 1));
    if (a[i] && b[i]) ++both[{a[i], b[i]}];
  }
  for (int l : found.label) ++out.at(size_t(l)).found;
  for (int l : real.label) ++out.at(size_t(l)).real;
  for (auto& [pair, voxels] : both) {
    const size_t f = size_t(pair.first - 1), r = size_t(pair.second - 1);
    const double iou = double(voxels) / double(of_found[f] + of_real[r] - voxels);
    if (found.label[f] != real.label[r] || !(iou > 0.5)) continue;
    ++out[size_t(real.label[r])].matched;
    out[size_t(real.label[r])].iou += iou;
  }
  return out;
}

}  // namespace voxgrad
