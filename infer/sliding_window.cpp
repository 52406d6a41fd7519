#include "infer/sliding_window.h"

#include <cmath>
#include <cstring>
#include <utility>

#include "core/autograd.h"
#include "core/device/parallel.h"
#include "core/device/replayed.h"
#include "infer/uniform_tiles.h"

namespace voxgrad {
namespace {

// The tiles along one axis. Positions of tiles are those of the padded extent; `pad` voxels of it lie before the volume.
struct Axis {
  int64_t extent, patch, pad;
  std::vector<int64_t> starts;
  std::vector<float> weight;  // {tiles, patch}: importance, divided by its sum over the tiles that contain the voxel unless it is floored

  Axis(int64_t extent_, int64_t patch_, const SlidingWindowOptions& o)
      : extent(extent_),
        patch(patch_),
        pad(std::max<int64_t>(0, patch_ - extent_) / 2),
        starts(tile_starts(extent_, patch_, o.overlap, o.places)) {
    const std::vector<double> importance = tile_importance(patch, o.weights);
    std::vector<double> sum(size_t(std::max(extent, patch)));
    if (o.weights == TileWeights::floored) sum.assign(sum.size(), 1);
    else
      for (int64_t s : starts)
        for (int64_t i = 0; i < patch; ++i) sum[s + i] += importance[i];
    for (int64_t s : starts)
      for (int64_t i = 0; i < patch; ++i) weight.push_back(float(importance[i] / sum[s + i]));
  }
  // Voxels [first, last) of tile t lie in the volume, the first of them at `position` there.
  struct Overlap {
    int64_t first, last, position;
  };
  Overlap overlap(int64_t t) const {
    const int64_t shift = starts[t] - pad, first = std::max<int64_t>(0, -shift), last = std::min(patch, extent - shift);
    return {first, last, shift + first};
  }
};

constexpr int64_t kGrain = 1 << 16;  // elements moved or added that are worth a thread

// One call's worth of one tile: its place in the grid, and the axes it is mirrored along.
struct Job {
  std::array<int64_t, 3> tile;
  std::array<bool, 3> flip;
};

class Tiling {
 public:
  Tiling(const Tensor& image, const SlidingWindowOptions& o)
      : image_(image),
        options_(o),
        channels_(image.dim(3)),
        uniform_(image, o.skip_empty),
        axes_{Axis(image.dim(0), o.patch.d, o), Axis(image.dim(1), o.patch.h, o), Axis(image.dim(2), o.patch.w, o)} {
    for (int64_t d = 0; d < int64_t(axes_[0].starts.size()); ++d)
      for (int64_t h = 0; h < int64_t(axes_[1].starts.size()); ++h)
        for (int64_t w = 0; w < int64_t(axes_[2].starts.size()); ++w) add_jobs({d, h, w});
  }

  void run(const Net& net, const RowSink& sink) {
    const Inference scope;
    Replayed replayed(net, options_.device);
    const int64_t total = int64_t(jobs_.size());
    int64_t slab = 0;  // the tiles of this place along D are being added
    const auto reach = [&](const Job& job) {
      if (job.tile[0] != slab) advance(slab, job.tile[0], sink), slab = job.tile[0];
    };
    for (int64_t begin = 0; begin < total; begin += options_.batch) {
      const int64_t n = std::min(options_.batch, total - begin);
      reach(jobs_[begin]);  // while there are no outputs yet, for the sake of memory
      const Tensor logits = logits_of(replayed, gather(begin, n));
      for (int64_t i = 0; i < n; ++i) {
        reach(jobs_[begin + i]);
        accumulate(logits.rows(i, i + 1), jobs_[begin + i]);
      }
      if (options_.progress) options_.progress(begin + n, total);
    }
    const int64_t first = axes_[0].overlap(slab).position;
    hand_over(first, axes_[0].extent - first, sink);
  }

 private:
  void add_jobs(std::array<int64_t, 3> tile) {
    const auto& m = options_.mirror;
    for (int d = 0; d <= m[0]; ++d)
      for (int h = 0; h <= m[1]; ++h)
        for (int w = 0; w <= m[2]; ++w) jobs_.push_back({tile, {d == 1, h == 1, w == 1}});
  }

  Tensor gather(int64_t begin, int64_t n) const {
    const Int3 p = options_.patch;
    const Tensor batch = Tensor::zeros({n, p.d, p.h, p.w, channels_});
    const float* from = image_.view().as<float>();
    float* to = batch.view().as<float>();
    const int64_t row = p.w * channels_;
    parallel_for(n * p.d, std::max<int64_t>(1, kGrain / (p.h * row)), [&](int64_t line) {
      const Job& job = jobs_[begin + line / p.d];
      const auto od = axes_[0].overlap(job.tile[0]), oh = axes_[1].overlap(job.tile[1]), ow = axes_[2].overlap(job.tile[2]);
      const int64_t out_d = line % p.d, d = job.flip[0] ? p.d - 1 - out_d : out_d;
      if (d < od.first || d >= od.last) return;
      for (int64_t h = oh.first; h < oh.last; ++h) {
        const int64_t y = oh.position + h - oh.first;
        const float* src = from + (((od.position + d - od.first) * axes_[1].extent + y) * axes_[2].extent + ow.position) * channels_;
        float* dst = to + (line * p.h + (job.flip[1] ? p.h - 1 - h : h)) * row;
        if (!job.flip[2]) {
          std::memcpy(dst + ow.first * channels_, src, size_t((ow.last - ow.first) * channels_) * sizeof(float));
          continue;
        }
        for (int64_t w = ow.first; w < ow.last; ++w)
          for (int64_t c = 0; c < channels_; ++c) dst[(p.w - 1 - w) * channels_ + c] = src[(w - ow.first) * channels_ + c];
      }
    });
    return batch;
  }

  // One tile at a time, as batches of another composition may give other bits.
  Tensor logits_of(Replayed& net, const Tensor& batch) {
    const auto values = batch.dim(0) == 1 ? uniform_.values_of(batch) : std::nullopt;
    if (!values) return apply(net, batch);
    Tensor logits = uniform_.outputs_of(*values);
    if (!logits) uniform_.keep(*values, logits = apply(net, uniform_.tile_of(*values, batch.shape())));
    return logits;
  }

  Tensor apply(Replayed& net, const Tensor& batch) {
    const Tensor out = net(batch);
    const Shape in = batch.shape();
    check(out && is_floating(out.dtype()) && out.shape().rank == 5 && out.shape() == in.with(4, out.dim(-1)) && out.dim(4) > 0,
          "sliding_window: the net gave ", out, " for a batch ", batch, "; logits of the same extents are wanted");
    if (!sum_) start(out.dim(4));
    check(out.dim(4) == classes_, "sliding_window: the net gave ", out.dim(4), " classes for one batch and ", classes_, " for another");
    const Tensor logits = out.detach().to(Device{}).to(DType::f32);
    const float* values = logits.view().as<float>();
    const int64_t chunk = 1 << 16;
    std::vector<uint8_t> bad(size_t(chunk_count(logits.count(), chunk)));
    parallel_chunks(logits.count(), chunk, [&](int64_t c, int64_t begin, int64_t end) {
      uint32_t any = 0;
      for (int64_t i = begin; i < end; ++i) any |= uint32_t(!(std::fabs(values[i]) <= 3.4028235e38f));
      bad[c] = uint8_t(any);
    });
    for (uint8_t b : bad)
      check(!b, "sliding_window: the net gave logits that are not finite (NaN or infinity); its weights or the image may be damaged");
    return logits;
  }

  void start(int64_t classes) {
    classes_ = classes;
    sum_ = Tensor::zeros({std::min(axes_[0].patch, axes_[0].extent), axes_[1].extent, axes_[2].extent, classes});
    const Axis& w = axes_[2];
    for (float v : w.weight) row_weight_.insert(row_weight_.end(), size_t(classes), v);
    if (options_.weights != TileWeights::floored) return;
    const Int3 p = options_.patch;
    for (int64_t d = 0; d < p.d; ++d)
      for (int64_t h = 0; h < p.h; ++h)
        for (int64_t x = 0; x < p.w; ++x)
          floored_.push_back(std::max(axes_[0].weight[d] * axes_[1].weight[h] * axes_[2].weight[x], float(kLeastImportance)));
    count_ = Tensor::zeros({sum_.dim(0), sum_.dim(1), sum_.dim(2), 1});
  }

  // Rows that no further tile adds to.
  void hand_over(int64_t first, int64_t rows, const RowSink& sink) {
    float* sum = sum_.view().as<float>();
    if (count_) {
      const float* count = count_.view().as<float>();
      parallel_for(rows * axes_[1].extent * axes_[2].extent, kGrain / classes_ + 1, [&](int64_t v) {
        for (int64_t k = 0; k < classes_; ++k) sum[v * classes_ + k] /= count[v];
      });
    }
    sink(first, rows, sum, classes_);
  }

  static void shift_rows(const Tensor& slab, int64_t rows) {
    const int64_t plane = slab.shape().count(1, 4);
    float* x = slab.view().as<float>();
    std::memmove(x, x + rows * plane, size_t((slab.dim(0) - rows) * plane) * sizeof(float));
    std::memset(x + (slab.dim(0) - rows) * plane, 0, size_t(rows * plane) * sizeof(float));
  }

  void advance(int64_t from, int64_t to, const RowSink& sink) {
    const int64_t first = axes_[0].starts[from], rows = axes_[0].starts[to] - first;
    hand_over(first, rows, sink);
    shift_rows(sum_, rows);
    if (count_) shift_rows(count_, rows);
  }

  // sum += weight * logits, over the part of the tile that lies in the volume. logits: {1, patch, K}.
  void accumulate(const Tensor& logits, const Job& job) {
    const Int3 p = options_.patch;
    const auto od = axes_[0].overlap(job.tile[0]), oh = axes_[1].overlap(job.tile[1]), ow = axes_[2].overlap(job.tile[2]);
    const float* wd = &axes_[0].weight[job.tile[0] * p.d];
    const float* wh = &axes_[1].weight[job.tile[1] * p.h];
    const float* ww = &row_weight_[job.tile[2] * p.w * classes_];
    const float share = 1.f / float((1 + options_.mirror[0]) * (1 + options_.mirror[1]) * (1 + options_.mirror[2]));
    const float* from = logits.view().as<float>();
    float* sum = sum_.view().as<float>();
    parallel_for(od.last - od.first, std::max<int64_t>(1, kGrain / (int64_t(p.h) * p.w * classes_)), [&](int64_t row) {
      const int64_t d = od.first + row, src_d = job.flip[0] ? p.d - 1 - d : d;
      for (int64_t h = oh.first; h < oh.last; ++h) {
        const float weight = share * wd[d] * wh[h];
        const float* src = from + (src_d * p.h + (job.flip[1] ? p.h - 1 - h : h)) * p.w * classes_;
        float* dst = sum + ((row * axes_[1].extent + oh.position + h - oh.first) * axes_[2].extent + ow.position) * classes_;
        if (count_) {
          const float* own = &floored_[size_t((d * p.h + h) * p.w)];
          float* count = count_.view().as<float>() + (row * axes_[1].extent + oh.position + h - oh.first) * axes_[2].extent + ow.position;
          for (int64_t w = ow.first; w < ow.last; ++w) {
            const float f = share * own[w];
            const float* at = src + (job.flip[2] ? p.w - 1 - w : w) * classes_;
            for (int64_t k = 0; k < classes_; ++k) dst[(w - ow.first) * classes_ + k] += f * at[k];
            count[w - ow.first] += f;
          }
          continue;
        }
        const int64_t begin = ow.first * classes_, n = (ow.last - ow.first) * classes_;
        if (!job.flip[2]) {
          for (int64_t i = 0; i < n; ++i) dst[i] += weight * ww[begin + i] * src[begin + i];
          continue;
        }
        for (int64_t w = ow.first; w < ow.last; ++w) {
          const float f = weight * ww[w * classes_];
          for (int64_t k = 0; k < classes_; ++k) dst[(w - ow.first) * classes_ + k] += f * src[(p.w - 1 - w) * classes_ + k];
        }
      }
    });
  }

  const Tensor image_;
  const SlidingWindowOptions& options_;
  int64_t channels_, classes_ = 0;
  UniformTiles uniform_;
  std::array<Axis, 3> axes_;
  std::vector<Job> jobs_;
  std::vector<float> row_weight_;  // weights along W, once per class
  std::vector<float> floored_;      // importance of a tile's voxels, where that is no product over the axes
  Tensor sum_;                     // {rows of one patch, H, W, K}
  Tensor count_;                   // {rows of one patch, H, W, 1}: floored importance added to them
};

void validate(const Tensor& image, const SlidingWindowOptions& o) {
  check(image && image.dtype() == DType::f32 && image.shape().rank == 4 && image.device().is_cpu() && image.count() > 0,
        "sliding_window: an image f32 {D, H, W, C} on the CPU is wanted, not ", image);
  check(o.patch.d > 0 && o.patch.h > 0 && o.patch.w > 0, "sliding_window: the patch ", o.patch, " is not positive");
  check(o.overlap >= 0 && o.overlap < 1, "sliding_window: overlap ", o.overlap, " is not in [0, 1)");
  check(o.batch >= 1, "sliding_window: a batch of ", o.batch, " tiles; at least 1 is wanted");
}

}  // namespace

void sliding_window_rows(const Net& net, const Tensor& image, const SlidingWindowOptions& options, const RowSink& sink) {
  validate(image, options);
  Tiling(image, options).run(net, sink);
}

Tensor sliding_window(const Net& net, const Tensor& image, const SlidingWindowOptions& options) {
  Tensor out;
  const int64_t plane = image ? image.shape().count(1, 3) : 0;
  sliding_window_rows(net, image, options, [&](int64_t first, int64_t rows, const float* logits, int64_t classes) {
    if (!out) out = Tensor::empty(image.shape().with(3, classes));
    std::memcpy(out.view().as<float>() + first * plane * classes, logits, size_t(rows * plane * classes) * sizeof(float));
  });
  return out;
}

Tensor sliding_window_labels(const Net& net, const Tensor& image, const SlidingWindowOptions& options) {
  validate(image, options);
  const ArgmaxRows argmax({int(image.dim(0)), int(image.dim(1)), int(image.dim(2))});
  sliding_window_rows(net, image, options, argmax);
  return argmax.labels;
}

}  // namespace voxgrad
