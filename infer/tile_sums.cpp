#include "infer/tile_sums.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/device/parallel.h"

namespace voxgrad {
namespace {

constexpr int64_t kAddGrain = 1 << 16;            // elements added that are worth a thread
constexpr int64_t kPlaneBytes = int64_t(32) << 20;  // of outputs that are computed and added at once

Tensor finite(const Tensor& outputs) {
  const Tensor y = outputs.detach().to(Device{}).to(DType::f32);
  const float* values = y.view().as<float>();
  const int64_t chunk = 1 << 16;
  std::vector<uint8_t> bad(size_t(chunk_count(y.count(), chunk)));
  parallel_chunks(y.count(), chunk, [&](int64_t c, int64_t begin, int64_t end) {
    uint32_t any = 0;
    for (int64_t i = begin; i < end; ++i) any |= uint32_t(!(std::fabs(values[i]) <= 3.4028235e38f));
    bad[c] = uint8_t(any);
  });
  for (uint8_t b : bad)
    check(!b, "sliding_window: the net gave logits that are not finite (NaN or infinity); its weights or the image may be damaged");
  return y;
}

void zero_rows(const Tensor& t, int64_t from) {
  const int64_t plane = t.shape().count(1, 4);
  std::memset(t.view().as<float>() + from * plane, 0, size_t((t.dim(0) - from) * plane) * sizeof(float));
}

void shift_rows(const Tensor& t, int64_t rows) {
  const int64_t plane = t.shape().count(1, 4);
  float* x = t.view().as<float>();
  std::memmove(x, x + rows * plane, size_t((t.dim(0) - rows) * plane) * sizeof(float));
  zero_rows(t, t.dim(0) - rows);
}

}  // namespace

TileAxis::TileAxis(int64_t extent_, int axis, const SlidingWindowOptions& o)
    : extent(extent_),
      patch(o.patch[axis]),
      pad(std::max<int64_t>(0, patch - extent_) / 2),
      starts(tile_starts(extent_, patch, std::max(o.overlap, 2.0 * o.margin[axis] / double(patch)), o.places)) {
  const int64_t margin = o.margin[axis];
  const std::vector<double> importance = tile_importance(patch, o.weights);
  const auto importance_of = [&](int64_t start, int64_t i) {
    const bool blind = (start > 0 && i < margin) || (start + patch < extent && i >= patch - margin);
    return blind ? 0 : importance[size_t(i)];
  };
  std::vector<double> sum(size_t(std::max(extent, patch)));
  if (o.weights == TileWeights::floored) sum.assign(sum.size(), 1);
  else
    for (int64_t s : starts)
      for (int64_t i = 0; i < patch; ++i) sum[s + i] += importance_of(s, i);
  for (int64_t s : starts)
    for (int64_t i = 0; i < patch; ++i) weight.push_back(float(importance_of(s, i) / sum[s + i]));
}

TileAxis::Overlap TileAxis::overlap(int64_t t) const {
  const int64_t shift = starts[t] - pad, first = std::max<int64_t>(0, -shift), last = std::min(patch, extent - shift);
  return {first, last, shift + first};
}

TileSums::TileSums(const std::array<TileAxis, 3>& axes, const SlidingWindowOptions& o, bool single, const RowSink& sink)
    : axes_(axes), options_(o), single_(single), sink_(sink) {}

void TileSums::start(int64_t classes) {
  classes_ = classes;
  const Int3 p = options_.patch;
  planes_at_once_ = std::clamp<int64_t>(kPlaneBytes / (int64_t(p.h) * p.w * classes * int64_t(sizeof(float))), 1, p.d);
  const int64_t rows = std::min({axes_[0].patch, axes_[0].extent, single_ ? planes_at_once_ : axes_[0].patch});
  sum_ = Tensor::zeros({rows, axes_[1].extent, axes_[2].extent, classes});
  for (float v : axes_[2].weight) row_weight_.insert(row_weight_.end(), size_t(classes), v);
  if (options_.weights != TileWeights::floored) return;
  for (int64_t d = 0; d < p.d; ++d)
    for (int64_t h = 0; h < p.h; ++h)
      for (int64_t x = 0; x < p.w; ++x)
        floored_.push_back(std::max(axes_[0].weight[d] * axes_[1].weight[h] * axes_[2].weight[x], float(kLeastImportance)));
  count_ = Tensor::zeros({rows, sum_.dim(1), sum_.dim(2), 1});
}

void TileSums::reach(const TileJob& job) {
  const int64_t to = job.tile[0];
  if (to == slab_) return;
  const int64_t first = axes_[0].starts[slab_], rows = axes_[0].starts[to] - first;
  hand_over(first, rows);
  shift_rows(sum_, rows);
  if (count_) shift_rows(count_, rows);
  slab_ = to;
}

void TileSums::finish() {
  if (single_) return;
  const int64_t first = axes_[0].overlap(slab_).position;
  hand_over(first, axes_[0].extent - first);
}

void TileSums::hand_over(int64_t first, int64_t rows) {
  float* sum = sum_.view().as<float>();
  if (count_) {
    const float* count = count_.view().as<float>();
    parallel_for(rows * axes_[1].extent * axes_[2].extent, kAddGrain / classes_ + 1, [&](int64_t v) {
      for (int64_t k = 0; k < classes_; ++k) sum[v * classes_ + k] /= count[v];
    });
  }
  sink_(first, rows, sum, classes_);
}

void TileSums::add(const SlabOutputs& y, const TileJob& job) {
  if (!sum_) start(y.channels);
  check(y.channels == classes_, "sliding_window: the net gave ", y.channels, " classes for one batch and ", classes_, " for another");
  reach(job);
  const int64_t depth = options_.patch.d;
  const auto od = axes_[0].overlap(job.tile[0]);
  for (int64_t begin = 0; begin < depth; begin += planes_at_once_) {
    const int64_t end = std::min(depth, begin + planes_at_once_), first = std::max(begin, od.first), last = std::min(end, od.last);
    const Tensor planes = finite(y.rows(begin, end));
    add_planes(planes, begin, job, single_ ? first - od.first : 0);
    if (!single_ || first >= last) continue;
    hand_over(first - od.first, last - first);
    zero_rows(sum_, 0);
    if (count_) zero_rows(count_, 0);
  }
}

// planes {1, n, h, w, K}: from plane `begin` of the tile on. base: the row of the tile's part of the volume that row 0 of the sums is.
void TileSums::add_planes(const Tensor& planes, int64_t begin, const TileJob& job, int64_t base) {
  const Int3 p = options_.patch;
  const auto od = axes_[0].overlap(job.tile[0]), oh = axes_[1].overlap(job.tile[1]), ow = axes_[2].overlap(job.tile[2]);
  const float* wd = &axes_[0].weight[job.tile[0] * p.d];
  const float* wh = &axes_[1].weight[job.tile[1] * p.h];
  const float* ww = &row_weight_[job.tile[2] * p.w * classes_];
  const float share = 1.f / float((1 + options_.mirror[0]) * (1 + options_.mirror[1]) * (1 + options_.mirror[2]));
  const float* from = planes.view().as<float>();
  float* sum = sum_.view().as<float>();
  const int64_t lines = oh.last - oh.first;
  parallel_for(planes.dim(1) * lines, std::max<int64_t>(1, kAddGrain / (int64_t(p.w) * classes_)), [&](int64_t line) {
    const int64_t plane = line / lines, d = job.flip[0] ? p.d - 1 - (begin + plane) : begin + plane, h = oh.first + line % lines;
    if (d < od.first || d >= od.last) return;
    const float weight = share * wd[d] * wh[h];
    const float* src = from + (plane * p.h + (job.flip[1] ? p.h - 1 - h : h)) * p.w * classes_;
    const int64_t at = ((d - od.first - base) * axes_[1].extent + oh.position + h - oh.first) * axes_[2].extent + ow.position;
    float* dst = sum + at * classes_;
    if (count_) {
      const float* own = &floored_[size_t((d * p.h + h) * p.w)];
      float* count = count_.view().as<float>() + at;
      for (int64_t w = ow.first; w < ow.last; ++w) {
        const float f = share * own[w];
        const float* y = src + (job.flip[2] ? p.w - 1 - w : w) * classes_;
        for (int64_t k = 0; k < classes_; ++k) dst[(w - ow.first) * classes_ + k] += f * y[k];
        count[w - ow.first] += f;
      }
      return;
    }
    const int64_t first = ow.first * classes_, n = (ow.last - ow.first) * classes_;
    if (!job.flip[2]) {
      for (int64_t i = 0; i < n; ++i) dst[i] += weight * ww[first + i] * src[first + i];
      return;
    }
    for (int64_t w = ow.first; w < ow.last; ++w) {
      const float f = weight * ww[w * classes_];
      for (int64_t k = 0; k < classes_; ++k) dst[(w - ow.first) * classes_ + k] += f * src[(p.w - 1 - w) * classes_ + k];
    }
  });
}

}  // namespace voxgrad
