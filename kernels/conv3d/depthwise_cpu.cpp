#include "kernels/conv3d/depthwise.h"

#include <algorithm>

#include "core/parallel.h"
#include "kernels/conv3d/depthwise_isa.h"

// A task walks down the depth of a brick of outputs, so that the planes it reads stay in the second-level cache.
namespace voxgrad {
namespace {

constexpr int64_t kChannelBytes = 256;     // of a task: its vectors of channels
constexpr int64_t kCacheBytes = 512 << 10;  // of the planes that a plane of outputs reads
constexpr int64_t kTasks = 16;
constexpr int64_t kFewPlanes = 4;  // of a brick: more than half of what it reads would be read by its neighbours too

template <class T>
class Depthwise {
 public:
  using A = accum_t<T>;
  explicit Depthwise(const ConvGather& g)
      : g_(g),
        isa_(depthwise_isa<T>()),
        blocks_(g.in_channels, isa_.lanes, kChannelBytes / int64_t(sizeof(A)) / isa_.lanes),
        depth_(g.axes[0][0]) {
    const ConvAxis &height = g.axes[1][0], &width = g.axes[2][0];
    shape_ = {.channels = g.in_channels, .in_height = g.in.h, .in_width = g.in.w, .height = height.positions, .width = width.positions};
    shape_.kernel_height = int64_t(height.tap.size()), shape_.kernel_width = int64_t(width.tap.size()), shape_.taps = g.taps();
    shape_.low_height = height.offset[0], shape_.low_width = width.offset[0];
    const int64_t row = g.in.w * std::min(g.in_channels * int64_t(sizeof(T)), kChannelBytes) * int64_t(depth_.tap.size());
    rows_ = std::clamp<int64_t>(kCacheBytes / row - shape_.kernel_height + 1, 2, shape_.height);
    rows_ = chunk_count(shape_.height, chunk_count(shape_.height, rows_));
    const int64_t others = g.n * blocks_.count * chunk_count(shape_.height, rows_);
    planes_ = std::min(depth_.positions, std::max(kFewPlanes, depth_.positions * others / kTasks));
  }

  void gather(View x, View w, View bias, View y) {
    const std::vector<A> weights = pack(w);
    std::vector<A> biases(size_t(blocks_.vectors * isa_.lanes));
    for (int64_t i = 0; i < blocks_.vectors * isa_.lanes && bias; ++i) biases[size_t(i)] = bias.as<A>()[channel(i)];
    parallel_ranges(blocks_.count * bricks(), 1, [&](int64_t begin, int64_t end) {
      std::vector<DepthwisePlane<T>> planes;
      for (int64_t task = begin; task < end; ++task) {
        DepthwiseRows<T> r{.shape = &shape_, .w = weights.data(), .bias = biases.data()};
        const int64_t block = task % blocks_.count;
        r.first_vector = blocks_.first(block), r.last_vector = blocks_.first(block + 1);
        for_planes(task / blocks_.count, x, planes, [&](int64_t plane, int64_t first_row, int64_t last_row) {
          r.planes = planes.data(), r.plane_count = int64_t(planes.size()), r.first_row = first_row, r.last_row = last_row;
          r.y = y.as<T>() + plane * plane_size();
          isa_.rows(r);
        });
      }
    });
  }

  void weight_gradient(View x, View gy, View gw) {
    const int64_t size = blocks_.vectors * g_.taps() * isa_.lanes, chunks = std::min(bricks(), kTasks);
    std::vector<A> sums(size_t(chunks * size));
    parallel_ranges(blocks_.count * chunks, 1, [&](int64_t begin, int64_t end) {
      std::vector<DepthwisePlane<T>> planes;
      for (int64_t task = begin; task < end; ++task) {
        const int64_t block = task % blocks_.count, chunk = task / blocks_.count;
        DepthwiseWeights<T> d{.shape = &shape_, .sum = sums.data() + chunk * size};
        d.first_vector = blocks_.first(block), d.last_vector = blocks_.first(block + 1);
        for (int64_t brick = bricks() * chunk / chunks; brick < bricks() * (chunk + 1) / chunks; ++brick)
          for_planes(brick, x, planes, [&](int64_t plane, int64_t first_row, int64_t last_row) {
            d.planes = planes.data(), d.plane_count = int64_t(planes.size()), d.first_row = first_row, d.last_row = last_row;
            d.gy = gy.as<T>() + plane * plane_size();
            isa_.weights(d);
          });
      }
    });
    parallel_for(blocks_.vectors * g_.taps(), (1 << 12) / (isa_.lanes * chunks) + 1, [&](int64_t i) {
      const int64_t vector = i / g_.taps(), tap = i % g_.taps();
      for (int64_t l = 0; l < isa_.lanes; ++l) {
        A total = 0;
        for (int64_t c = 0; c < chunks; ++c) total += sums[size_t(c * size + i * isa_.lanes + l)];
        gw.as<A>()[weight(channel(vector * isa_.lanes + l), tap)] = total;
      }
    });
  }

 private:
  int64_t plane_size() const { return shape_.height * shape_.width * shape_.channels; }
  int64_t height_bricks() const { return chunk_count(shape_.height, rows_); }
  int64_t depth_bricks() const { return chunk_count(depth_.positions, planes_); }
  int64_t bricks() const { return g_.n * depth_bricks() * height_bricks(); }
  // The channel of a lane of the vectors.
  int64_t channel(int64_t lane) const {
    const int64_t first = lane / isa_.lanes * isa_.lanes;
    return std::min(first, shape_.channels - isa_.lanes) + lane - first;
  }
  // Where the weight of a channel and a tap of the gather lies.
  int64_t weight(int64_t channel, int64_t tap) const {
    const int64_t h = shape_.kernel_height, w = shape_.kernel_width;
    return channel * g_.w_output + g_.w_tap * g_.tap(depth_.tap[size_t(tap / w / h)], g_.axes[1][0].tap[size_t(tap / w % h)],
                                                     g_.axes[2][0].tap[size_t(tap % w)]);
  }
  std::vector<A> pack(View w) const {
    std::vector<A> packed(size_t(blocks_.vectors * g_.taps() * isa_.lanes));
    parallel_for(blocks_.vectors * g_.taps(), (1 << 12) / isa_.lanes, [&](int64_t i) {
      for (int64_t l = 0; l < isa_.lanes; ++l)
        packed[size_t(i * isa_.lanes + l)] = w.as<A>()[weight(channel(i / g_.taps() * isa_.lanes + l), i % g_.taps())];
    });
    return packed;
  }

  // f(plane, first_row, last_row) for the planes of outputs of a brick; `planes` are then those of the inputs.
  template <class F>
  void for_planes(int64_t brick, View x, std::vector<DepthwisePlane<T>>& planes, F&& f) const {
    const int64_t first_row = brick % height_bricks() * rows_, last_row = std::min(first_row + rows_, shape_.height);
    const int64_t first = brick / height_bricks() % depth_bricks() * planes_, last = std::min(first + planes_, depth_.positions);
    const int64_t n = brick / height_bricks() / depth_bricks();
    for (int64_t z = first; z < last; ++z) {
      planes.clear();
      for (size_t t = 0; t < depth_.offset.size(); ++t) {
        const int64_t in = z * g_.in_step.d + depth_.offset[t];
        if (in < 0 || in >= g_.in.d) continue;
        const T* from = x.as<T>() + (n * g_.in.d + in) * g_.in.h * g_.in.w * g_.in_channels;
        planes.push_back({from, int64_t(t) * shape_.kernel_height * shape_.kernel_width});
      }
      f(n * depth_.positions + z, first_row, last_row);
    }
  }

  const ConvGather& g_;
  const DepthwiseIsa<T> isa_;
  ConvBlocks blocks_;
  const ConvAxis& depth_;
  DepthwiseShape shape_;
  int64_t rows_ = 1, planes_ = 1;  // of a brick
};

bool is_dense(const ConvAxis& axis) {
  for (size_t i = 1; i < axis.offset.size(); ++i)
    if (axis.offset[i] != axis.offset[i - 1] + 1) return false;
  return true;
}

}  // namespace

bool is_depthwise_in_place(const ConvGather& g, const ConvInput& x) {
  if (!g.depthwise || !x.whole() || g.in_step.h != 1 || g.in_step.w != 1) return false;
  for (auto& phases : g.axes)
    if (phases.size() != 1 || phases[0].offset.empty()) return false;
  const size_t width = g.axes[2][0].offset.size();
  const int64_t lanes = x.dtype() == DType::f64 ? depthwise_isa<double>().lanes : depthwise_isa<float>().lanes;
  return is_dense(g.axes[1][0]) && is_dense(g.axes[2][0]) && (width == 3 || width == 5 || width == 7) && g.in_channels >= lanes;
}

void depthwise_gather(const ConvGather& g, View x, View w, View bias, View y) {
  on_dtype(x.dtype, [&]<class T>() { Depthwise<T>(g).gather(x, w, bias, y); });
}
void depthwise_weight_gradient(const ConvGather& g, View x, View gy, View gw) {
  on_dtype(x.dtype, [&]<class T>() { Depthwise<T>(g).weight_gradient(x, gy, gw); });
}

}  // namespace voxgrad
