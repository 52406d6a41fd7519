#include "kernels/conv3d/depthwise/depthwise.h"

#include <algorithm>

#include "core/device/parallel.h"
#include "kernels/conv3d/depthwise/depthwise_isa.h"

// A task walks down the depth of a brick of outputs. The planes of inputs that a plane of outputs reads are a ring of tiles in the
// second-level cache, so that a brick loads each plane once.
namespace voxgrad {
namespace {

constexpr int64_t kChannelBytes = 256;  // of the vectors of channels of a brick
constexpr int64_t kRingBytes = 512 << 10;
constexpr int64_t kRow = 64;  // voxels of a row of a brick
constexpr int64_t kTasks = 16;
constexpr int64_t kNoNext = INT64_MIN;
constexpr int64_t kFewPlanes = 8;  // of a brick

template <class T>
class Depthwise {
 public:
  using A = accum_t<T>;
  // pairs: of taps along W (depthwise_kernels::avx512_bf16).
  explicit Depthwise(const ConvGather& g, bool pairs = false)
      : g_(g),
        isa_(depthwise_isa<T>()),
        loads_(conv_isa<A>()),
        lanes_(isa_.lanes),
        blocks_(g.in_channels, lanes_, kChannelBytes / int64_t(sizeof(A)) / lanes_),
        depth_(g.axes[0][0]),
        height_(g.axes[1][0]),
        width_(g.axes[2][0]) {
    if constexpr (std::is_same_v<T, bf16>)
      if (pairs) isa_ = depthwise_kernels::avx512_bf16::pair_kernels();
    row_taps_ = pairs ? (int64_t(width_.tap.size()) + 1) / 2 : int64_t(width_.tap.size());
    taps_ = int64_t(depth_.tap.size() * height_.tap.size()) * row_taps_;
    pairs_ = pairs;
    ring_ = depth_.offset.back() - depth_.offset[0] + 1;
    block_[2] = share(width_.positions, width_.positions <= 2 * kRow ? 2 * kRow : kRow);
    tile_width_ = round_up(block_[2], kDepthwiseAcross) + kDepthwiseAcross + int64_t(width_.tap.size()) - 1;
    const int64_t row = tile_width_ * ring_ * blocks_.width(blocks_.count - 1) * lanes_ * int64_t(sizeof(A));
    block_[1] = share(height_.positions, std::max<int64_t>(2, kRingBytes / row - int64_t(height_.tap.size()) + 1));
    const int64_t others = g.n * blocks_.count * chunk_count(width_.positions, block_[2]) * chunk_count(height_.positions, block_[1]);
    block_[0] = share(depth_.positions, std::max(kFewPlanes, depth_.positions * others / kTasks));
    for (int a = 0; a < 3; ++a) count_[a] = chunk_count(g.axes[size_t(a)][0].positions, block_[a]);
    for (int64_t i = 0; i < blocks_.vectors; ++i) channels_.push_back(std::max<int64_t>(0, std::min(i * lanes_, g.in_channels - lanes_)));
    written_ = std::min(lanes_, g.in_channels);
  }

  void gather(const ConvInput& x, View w, View bias, View y) {
    const View whole = x.whole();
    const int64_t size = int64_t(sizeof(T));
    const bool stream = goes_past_caches(g_, y, isa_.lanes);
    const std::vector<A> weights = pack(w);
    std::vector<A> biases(size_t(blocks_.vectors * lanes_));
    for (int64_t i = 0; i < blocks_.vectors * lanes_ && bias; ++i)
      if (i % lanes_ < written_) biases[size_t(i)] = bias.as<A>()[channel(i)];
    parallel_ranges(blocks_.count * bricks(), 1, [&](int64_t begin, int64_t end) {
      Worker worker(*this, 0);
      for (int64_t task = begin; task < end; ++task) {
        const int64_t block = task % blocks_.count, vector = blocks_.first(block);
        DepthwiseRows<T> r{.w = weights.data() + vector * taps_ * lanes_, .bias = biases.data() + vector * lanes_};
        r.y_row = g_.out.w * g_.out_channels;
        r.y_step = g_.out_channels;
        r.channels = channels_.data() + vector;
        r.lanes = written_;
        r.next = {.row = g_.in.w * g_.in_channels * size,
                  .step = g_.in_channels * size,
                  .bytes = std::min(blocks_.width(block) * lanes_, g_.in_channels) * size};
        r.stream = stream;
        for_planes(worker, x, block, task / blocks_.count, [&](const DepthwiseShape& shape, int64_t voxel, int64_t next) {
          r.shape = shape;
          r.planes = worker.planes.data();
          r.plane_count = int64_t(worker.planes.size());
          r.y = y.as<T>() + voxel * g_.out_channels;
          r.next.x = next != kNoNext ? static_cast<const char*>(element(whole, next * g_.in_channels + r.channels[0])) : nullptr;
          isa_.rows(r);
        });
      }
    });
  }

  void weight_gradient(const ConvInput& x, View gy, View gw) {
    const ConvInput gradient(gy, g_.out_channels);
    const int64_t size = blocks_.vectors * g_.taps() * lanes_, chunks = std::min(bricks(), kTasks);
    const int64_t gy_width = round_up(block_[2], kDepthwiseAcross) + kDepthwiseAcross;
    std::vector<A> sums(size_t(chunks * size));
    parallel_ranges(blocks_.count * chunks, 1, [&](int64_t begin, int64_t end) {
      Worker worker(*this, blocks_.width(blocks_.count - 1) * block_[1] * gy_width * lanes_);
      for (int64_t task = begin; task < end; ++task) {
        const int64_t block = task % blocks_.count, chunk = task / blocks_.count, vector = blocks_.first(block);
        DepthwiseWeights<A> d{.sum = sums.data() + chunk * size + vector * g_.taps() * lanes_, .gy = worker.more};
        d.gy_width = gy_width;
        for (int64_t brick = bricks() * chunk / chunks; brick < bricks() * (chunk + 1) / chunks; ++brick)
          for_planes(worker, x, block, brick, [&](const DepthwiseShape& shape, int64_t voxel, int64_t) {
            d.shape = shape;
            d.planes = worker.planes.data();
            d.plane_count = int64_t(worker.planes.size());
            for (int64_t row = 0; row < shape.rows; ++row)
              load_row(gradient, 0, voxel + row * g_.out.w, block,
                       {.to = worker.more + row * gy_width * lanes_,
                        .step = shape.rows * gy_width * lanes_,
                        .last = shape.width,
                        .width = gy_width});
            isa_.weights(d);
          });
      }
    });
    parallel_for(blocks_.vectors * g_.taps(), (1 << 12) / (lanes_ * chunks) + 1, [&](int64_t i) {
      for (int64_t l = 0; l < written_; ++l) {
        A total = 0;
        for (int64_t c = 0; c < chunks; ++c) total += sums[size_t(c * size + i * lanes_ + l)];
        gw.as<A>()[weight(channel(i / g_.taps() * lanes_ + l), i % g_.taps())] = total;
      }
    });
  }

 private:
  struct Worker {
    ConvScratch<A> scratch;
    A* more;                    // as many elements as asked for
    std::vector<int64_t> held;  // planes of inputs in the ring; -1: none
    std::vector<DepthwisePlane<A>> planes;
    Worker(const Depthwise& d, int64_t count)
        : scratch(d.ring_ * d.tile_size() + count), more(scratch.data() + d.ring_ * d.tile_size()), held(size_t(d.ring_)) {}
  };

  static int64_t share(int64_t n, int64_t most) { return chunk_count(n, chunk_count(n, std::min(n, most))); }
  int64_t bricks() const { return g_.n * count_[0] * count_[1] * count_[2]; }
  int64_t tile_rows() const { return block_[1] + int64_t(height_.tap.size()) - 1; }
  int64_t tile_size() const { return blocks_.width(blocks_.count - 1) * tile_rows() * tile_width_ * lanes_; }
  // The channel of a lane of the vectors.
  int64_t channel(int64_t lane) const { return channels_[size_t(lane / lanes_)] + lane % lanes_; }
  // Where the weight of a channel and a tap of the gather lies.
  int64_t weight(int64_t channel, int64_t tap) const {
    const int64_t h = int64_t(height_.tap.size()), w = int64_t(width_.tap.size());
    return channel * g_.w_output +
           g_.w_tap * g_.tap(depth_.tap[size_t(tap / w / h)], height_.tap[size_t(tap / w % h)], width_.tap[size_t(tap % w)]);
  }
  std::vector<A> pack(View w) const {
    std::vector<A> packed(size_t(blocks_.vectors * taps_ * lanes_));
    parallel_for(blocks_.vectors * taps_, (1 << 12) / lanes_, [&](int64_t i) {
      const int64_t width = int64_t(width_.tap.size()), tap = i % taps_ / row_taps_ * width + i % row_taps_ * (pairs_ ? 2 : 1);
      for (int64_t l = 0; l < written_; ++l) {
        const auto value = [&](int64_t t) { return w.as<A>()[weight(channel(i / taps_ * lanes_ + l), t)]; };
        A& to = packed[size_t(i * lanes_ + l)] = value(tap);
        if constexpr (sizeof(A) == 4) {
          if (!pairs_) continue;
          const uint32_t low = bf16(to).bits, high = tap % width + 1 < width ? bf16(value(tap + 1)).bits : 0;
          to = __builtin_bit_cast(float, low | high << 16);
        }
      }
    });
    return packed;
  }
  // The vectors of a block of channels of voxels from `voxel` on.
  void load_row(const ConvInput& x, int64_t n, int64_t voxel, int64_t block, DepthwiseLine<A> line) const {
    const int64_t *channels = channels_.data() + blocks_.first(block), vectors = blocks_.width(block), count = line.last - line.first;
    if (const View whole = x.whole(); whole && written_ == lanes_)
      return isa_.load(static_cast<const T*>(element(whole, voxel * g_.in_channels)), g_.in_channels, channels, vectors, line);
    for (int64_t v = 0; v < vectors; ++v, line.to += line.step) {
      std::fill_n(line.to, line.first * lanes_, A(0));
      if (count > 0) x.load(loads_, n, voxel, count, channels[v], written_, line.to + line.first * lanes_, lanes_);
      std::fill(line.to + line.last * lanes_, line.to + line.width * lanes_, A(0));
    }
  }

  // f(shape, first voxel of y, where row 0 of the tile of the next plane lies in x or kNoNext) for the planes of outputs of a brick;
  // worker.planes are then those that it reads.
  template <class F>
  void for_planes(Worker& worker, const ConvInput& x, int64_t block, int64_t brick, F&& f) const {
    int64_t first[3], last[3];
    for (int64_t a = 2, i = brick; a >= 0; i /= count_[a--]) {
      first[a] = i % count_[a] * block_[a];
      last[a] = std::min(first[a] + block_[a], g_.axes[size_t(a)][0].positions);
    }
    const int64_t n = brick / (count_[0] * count_[1] * count_[2]), low = first[1] + height_.offset[0];
    DepthwiseShape shape{.rows = last[1] - first[1], .width = last[2] - first[2], .tile_rows = tile_rows(), .tile_width = tile_width_};
    shape.first_inside = std::max<int64_t>(0, -low);
    shape.last_inside = std::min(tile_rows(), g_.in.h - low);
    shape.kernel_height = int64_t(height_.tap.size());
    shape.kernel_width = row_taps_;
    shape.taps = taps_;
    shape.vectors = blocks_.width(block);
    std::fill(worker.held.begin(), worker.held.end(), -1);
    for (int64_t z = first[0]; z < last[0]; ++z) {
      worker.planes.clear();
      for (size_t t = 0; t < depth_.offset.size(); ++t) {
        const int64_t in = z * g_.in_step.d + depth_.offset[t];
        if (in < 0 || in >= g_.in.d) continue;
        A* tile = worker.scratch.data() + in % ring_ * tile_size();
        if (worker.held[size_t(in % ring_)] != in) load_plane(x, n, (n * g_.in.d + in) * g_.in.h, low, first[2], block, shape, tile);
        worker.held[size_t(in % ring_)] = in;
        worker.planes.push_back({tile, int64_t(t) * shape.kernel_height * shape.kernel_width});
      }
      const int64_t next = (z + 1) * g_.in_step.d + depth_.offset.back(), left = first[2] + width_.offset[0];
      const bool fetched = x.whole() && z + 1 < last[0] && next >= 0 && next < g_.in.d;
      f(shape, ((n * g_.out.d + z) * g_.out.h + first[1]) * g_.out.w + first[2],
        fetched ? ((n * g_.in.d + next) * g_.in.h + low) * g_.in.w + left : kNoNext);
    }
  }

  // row: of x, the first one of the plane.
  void load_plane(const ConvInput& x, int64_t n, int64_t row, int64_t low, int64_t first, int64_t block, const DepthwiseShape& shape,
                  A* tile) const {
    const int64_t left = first + width_.offset[0], from = std::clamp<int64_t>(-left, 0, tile_width_),
                  to = std::clamp<int64_t>(g_.in.w - left, from, tile_width_);
    for (int64_t y = shape.first_inside; y < std::min(shape.last_inside, shape.rows + shape.kernel_height - 1); ++y)
      load_row(x, n, (row + low + y) * g_.in.w + left + from, block,
               {tile + y * tile_width_ * lanes_, shape.tile_rows * tile_width_ * lanes_, from, to, tile_width_});
  }

  const ConvGather& g_;
  DepthwiseIsa<T> isa_;
  const ConvIsa<A> loads_;
  const int64_t lanes_;
  ConvBlocks blocks_;
  const ConvAxis &depth_, &height_, &width_;
  std::vector<int64_t> channels_;                    // where the vectors start: the last one may overlap the one before
  int64_t written_ = 0, ring_ = 1, tile_width_ = 0;  // lanes with a channel; tiles; voxels of a row of them
  bool pairs_ = false;
  int64_t row_taps_ = 0, taps_ = 0;  // weights of a row of taps and of all: taps, or pairs of them
  int64_t block_[3], count_[3];      // positions of a brick, and bricks
};

bool is_dense(const ConvAxis& axis) {
  for (size_t i = 1; i < axis.offset.size(); ++i)
    if (axis.offset[i] != axis.offset[i - 1] + 1) return false;
  return true;
}

}  // namespace

bool is_depthwise_brick(const ConvGather& g) {
  if (!g.depthwise || g.in_step.h != 1 || g.in_step.w != 1) return false;
  for (auto& phases : g.axes)
    if (phases.size() != 1 || phases[0].offset.empty()) return false;
  const size_t width = g.axes[2][0].offset.size();
  return is_dense(g.axes[1][0]) && is_dense(g.axes[2][0]) && (width == 3 || width == 5 || width == 7);
}

void depthwise_gather(const ConvGather& g, const ConvInput& x, View w, View bias, View y) {
  // The processor multiplies pairs of bf16 at twice the rate; the weights are then rounded to bf16.
  const bool pairs = isa() >= Isa::avx512_bf16 && x.whole() && x.dtype() == DType::bf16 && g.in_channels >= depthwise_isa<bf16>().lanes;
  on_dtype(y.dtype, [&]<class T>() { Depthwise<T>(g, pairs).gather(x, w, bias, y); });
}
void depthwise_weight_gradient(const ConvGather& g, const ConvInput& x, View gy, View gw) {
  on_dtype(gy.dtype, [&]<class T>() { Depthwise<T>(g).weight_gradient(x, gy, gw); });
}

}  // namespace voxgrad
