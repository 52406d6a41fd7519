#include "infer/sliding_window.h"

#include <cstring>
#include <utility>

#include "core/autograd.h"
#include "core/device/parallel.h"
#include "core/device/replayed.h"
#include "infer/tile_sums.h"
#include "infer/uniform_tiles.h"

namespace voxgrad {
namespace {

constexpr int64_t kGrain = 1 << 16;  // elements moved that are worth a thread

SlabOutputs of_tensor(const Tensor& y) {  // {1, D, H, W, K}
  const Shape s = y.shape();
  return {s[4], [y, s](int64_t begin, int64_t end) {
            return y.reshape({s[1], s[2], s[3], s[4]}).rows(begin, end).reshape(s.with(1, end - begin));
          }};
}

class Tiling {
 public:
  Tiling(const Tensor& image, const SlidingWindowOptions& o)
      : image_(image),
        options_(o),
        channels_(image.dim(3)),
        uniform_(image, o.skip_empty),
        axes_{TileAxis(image.dim(0), 0, o), TileAxis(image.dim(1), 1, o), TileAxis(image.dim(2), 2, o)} {
    for (int64_t d = 0; d < int64_t(axes_[0].starts.size()); ++d)
      for (int64_t h = 0; h < int64_t(axes_[1].starts.size()); ++h)
        for (int64_t w = 0; w < int64_t(axes_[2].starts.size()); ++w) add_jobs({d, h, w});
  }

  void run(const Net& net, const RowSink& sink) {
    const Inference scope;
    Replayed replayed([&](const Tensor& x) { return net(x); }, options_.device);
    const int64_t total = int64_t(jobs_.size());
    TileSums sums(axes_, options_, total == 1, sink);
    for (int64_t begin = 0; begin < total; begin += options_.batch) {
      const int64_t n = std::min(options_.batch, total - begin);
      sums.reach(jobs_[begin]);  // while there are no outputs yet
      const std::vector<SlabOutputs> outputs = outputs_of(net, replayed, gather(begin, n));
      for (int64_t i = 0; i < n; ++i) sums.add(outputs[size_t(i)], jobs_[begin + i]);
      if (options_.progress) options_.progress(begin + n, total);
    }
    sums.finish();
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
      const TileJob& job = jobs_[begin + line / p.d];
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

  // For each tile of the batch. One at a time may be uniform, as batches of another composition may give other bits.
  std::vector<SlabOutputs> outputs_of(const Net& net, Replayed& replayed, const Tensor& batch) {
    const auto values = batch.dim(0) == 1 ? uniform_.values_of(batch) : std::nullopt;
    if (!values) return computed(net, replayed, batch);
    if (const Tensor kept = uniform_.outputs_of(*values)) return {of_tensor(kept)};
    SlabOutputs y = computed(net, replayed, uniform_.tile_of(*values, batch.shape()))[0];
    if (!uniform_.has_room_for(batch.shape().with(4, y.channels))) return {y};
    const Tensor all = y.rows(0, batch.dim(1)).to(Device{});
    uniform_.keep(*values, all);
    return {of_tensor(all)};
  }

  std::vector<SlabOutputs> computed(const Net& net, Replayed& replayed, const Tensor& batch) {
    if (batch.dim(0) == 1 && options_.device.is_cpu() && net.has_slabs()) return {net.in_slabs(batch)};
    const Tensor out = replayed(batch);
    const Shape in = batch.shape();
    check(out && is_floating(out.dtype()) && out.shape().rank == 5 && out.shape() == in.with(4, out.dim(-1)) && out.dim(4) > 0,
          "sliding_window: the net gave ", out, " for a batch ", batch, "; logits of the same extents are wanted");
    const Tensor logits = out.detach().to(Device{});
    std::vector<SlabOutputs> all;
    for (int64_t i = 0; i < in[0]; ++i) all.push_back(of_tensor(logits.rows(i, i + 1)));
    return all;
  }

  const Tensor image_;
  const SlidingWindowOptions& options_;
  int64_t channels_;
  UniformTiles uniform_;
  std::array<TileAxis, 3> axes_;
  std::vector<TileJob> jobs_;
};

void validate(const Tensor& image, const SlidingWindowOptions& o) {
  check(image && image.dtype() == DType::f32 && image.shape().rank == 4 && image.device().is_cpu() && image.count() > 0,
        "sliding_window: an image f32 {D, H, W, C} on the CPU is wanted, not ", image);
  check(o.patch.d > 0 && o.patch.h > 0 && o.patch.w > 0, "sliding_window: the patch ", o.patch, " is not positive");
  check(o.overlap >= 0 && o.overlap < 1, "sliding_window: overlap ", o.overlap, " is not in [0, 1)");
  for (int a = 0; a < 3; ++a)
    check(o.margin[a] >= 0 && (o.margin[a] == 0 || image.dim(a) <= o.patch[a] || 2 * o.margin[a] < o.patch[a]),
          "sliding_window: a margin of ", o.margin, " leaves nothing of the patch ", o.patch);
  check(o.margin == Int3{0, 0, 0} || o.weights != TileWeights::floored, "sliding_window: floored weights have no margin");
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
