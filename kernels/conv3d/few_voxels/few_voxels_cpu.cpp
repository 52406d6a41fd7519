#include "kernels/conv3d/few_voxels/few_voxels.h"

#include <optional>

#include "core/device/parallel.h"
#include "kernels/conv3d/few_voxels/few_voxels_isa.h"

namespace voxgrad {
namespace {

constexpr int64_t kPairsPerTap = 16;         // at most, in the mean,
constexpr int64_t kSummedPairs = 128;        // .. and of a weight gradient
constexpr int64_t kFewestWeights = 1 << 14;  // fewer are in the cache, however they are read
constexpr int64_t kGrain = 1 << 15;         // weights that are worth a thread
constexpr int64_t kInputs = 1024;            // of one tap, that all outputs pass before the next: those of all voxels stay in the cache
constexpr int64_t kStreamedBytes = 4 << 20;  // gradients of so many leave the caches before they are read

// Calls f(position of the output, that of the input, tap) for what is inside the volume along one axis.
template <class F>
void for_axis(const ConvGather& g, int axis, F&& f) {
  for (const ConvAxis& phase : g.axes[size_t(axis)])
    for (int64_t m = 0; m < phase.positions; ++m)
      for (size_t i = 0; i < phase.tap.size(); ++i)
        if (const int64_t in = m * g.in_step[axis] + phase.offset[i]; in >= 0 && in < g.in[axis])
          f(m * g.out_step[axis] + phase.out_offset, in, phase.tap[i]);
}

int64_t pairs_of(const ConvGather& g) {
  int64_t pairs = g.n;
  for (int a = 0; a < 3; ++a) {
    int64_t along = 0;
    for_axis(g, a, [&](int64_t, int64_t, int64_t) { ++along; });
    pairs *= along;
  }
  return pairs;
}

// The pairs of each tap, those of gathers in the order of samples and outputs.
class TapPairs {
 public:
  explicit TapPairs(const ConvGather& g) : pairs_(size_t(g.taps())) {
    const auto at = [](const Int3& size, int64_t n, int64_t d, int64_t h, int64_t w) {
      return ((n * size.d + d) * size.h + h) * size.w + w;
    };
    for (int64_t n = 0; n < g.n; ++n)
      for_axis(g, 0, [&](int64_t d, int64_t in_d, int64_t tap_d) {
        for_axis(g, 1, [&](int64_t h, int64_t in_h, int64_t tap_h) {
          for_axis(g, 2, [&](int64_t w, int64_t in_w, int64_t tap_w) {
            pairs_[size_t(g.tap(tap_d, tap_h, tap_w))].push_back({at(g.out, n, d, h, w), at(g.in, n, in_d, in_h, in_w)});
          });
        });
      });
    for (size_t t = 0; t < pairs_.size(); ++t) taps_.push_back({int64_t(t) * g.w_tap, pairs_[t].data(), int64_t(pairs_[t].size())});
  }
  FewTaps taps() const { return {taps_.data(), int64_t(taps_.size())}; }

 private:
  std::vector<std::vector<FewPair>> pairs_;
  std::vector<FewTap> taps_;
};

int64_t voxels(const Int3& size, int64_t n) { return n * size.d * size.h * size.w; }

// All of x, or of an output gradient, in A: as it is, where it is that.
template <class A>
class Activations {
 public:
  Activations(const ConvIsa<A>& isa, const ConvInput& x, int64_t n, int64_t voxels, int64_t channels) {
    if (const View whole = x.whole(); whole && whole.dtype == dtype_of<A>) {
      data_ = whole.as<A>();
      return;
    }
    copy_.emplace(n * voxels * channels);
    data_ = copy_->data();
    for (int64_t i = 0; i < n; ++i)
      x.load(isa, i, i * voxels, voxels, 0, channels, copy_->data() + i * voxels * channels, channels);
  }
  const A* data() const { return data_; }

 private:
  std::optional<ConvScratch<A>> copy_;
  const A* data_;
};

template <class A>
class FewGather {
 public:
  FewGather(const ConvGather& g, const ConvInput& x, View w, View bias, const ConvStore& y)
      : g_(g), isa_(conv_isa<A>()), loops_(few_isa<A>()), pairs_(g), x_(isa_, x, g.n, voxels(g.in, 1), g.inputs), w_(w.as<A>()), store_(y),
        rows_(voxels(g.out, g.n)) {
    if (bias) bias_ = bias.as<A>();
    if (y.y.dtype == dtype_of<A>) {
      y_ = y.y.as<A>();
    } else {
      copy_.emplace(rows_ * g.outputs);
      y_ = copy_->data();
    }
  }

  void run() { g_.w_input == 1 ? by_dots() : by_spreading(); }

 private:
  // Lanes are the inputs: a few outputs at a time, whose rows of the weight are read from end to end.
  void by_dots() {
    const int64_t most = loops_.outputs, pieces = chunk_count(g_.outputs, most), weights = g_.taps() * g_.inputs * most;
    parallel_ranges(pieces, kGrain / weights + 1, [&](int64_t begin, int64_t end) {
      ConvScratch<A> sums(rows_ * most * isa_.lanes);
      const int64_t from = g_.outputs * begin / pieces, to = g_.outputs * end / pieces;
      start(from, to);
      FewDots<A> d{.taps = pairs_.taps(), .x_step = g_.inputs, .w_step = g_.w_output, .voxels = rows_};
      d.sums = sums.data();
      d.y_step = g_.outputs;
      const int64_t passes = g_.taps() == 1 ? chunk_count(g_.inputs, kInputs) : 1, vectors = g_.inputs / isa_.lanes;
      for (int64_t pass = 0; pass < passes; ++pass) {
        const int64_t input = vectors * pass / passes * isa_.lanes;
        d.inputs = vectors * (pass + 1) / passes * isa_.lanes - input;
        d.x = x_.data() + input;
        for (int64_t i = begin; i < end; ++i) {
          const int64_t first = g_.outputs * i / pieces;
          d.outputs = g_.outputs * (i + 1) / pieces - first;
          d.w = w_ + first * g_.w_output + input;
          d.y = y_ + first;
          loops_.dots(d);
        }
      }
      finish(from, to);
    });
  }
  // Lanes are the outputs: those of a range, for which a piece of each row of the weight is read.
  void by_spreading() {
    const int64_t lanes = isa_.lanes, weights = g_.taps() * g_.inputs * lanes;
    parallel_ranges(g_.outputs / lanes, kGrain / weights + 1, [&](int64_t begin, int64_t end) {
      const int64_t from = begin * lanes, to = end * lanes;
      start(from, to);
      loops_.spread({.taps = pairs_.taps(), .x = x_.data(), .w = w_ + from, .x_step = g_.inputs, .w_step = g_.w_input, .inputs = g_.inputs,
                     .vectors = end - begin, .y = y_ + from, .y_step = g_.outputs});
      finish(from, to);
    });
  }

  void start(int64_t from, int64_t to) {
    for (int64_t r = 0; r < rows_; ++r)
      bias_ ? void(std::copy(bias_ + from, bias_ + to, y_ + r * g_.outputs + from))
            : std::fill(y_ + r * g_.outputs + from, y_ + r * g_.outputs + to, A(0));
  }
  void finish(int64_t from, int64_t to) {
    if (copy_)
      isa_.store_rows(store_.y.dtype, y_ + from, g_.outputs, element(store_.y, from), g_.outputs, rows_, to - from);
    store_.finish(isa_, 0, 1, rows_, from, to - from);
  }

  const ConvGather& g_;
  const ConvIsa<A> isa_;
  const FewIsa<A> loops_;
  const TapPairs pairs_;
  const Activations<A> x_;
  const A *w_, *bias_ = nullptr;
  const ConvStore& store_;
  const int64_t rows_;
  std::optional<ConvScratch<A>> copy_;
  A* y_;
};

}  // namespace

bool is_few_voxels(const ConvGather& g, int64_t lanes, ConvPass pass) {
  if (g.depthwise || g.slices != 1 || (g.w_input == 1 ? g.inputs : g.outputs) % lanes != 0) return false;
  return g.taps() * g.inputs * g.outputs >= kFewestWeights &&
         pairs_of(g) <= (pass == ConvPass::gather ? kPairsPerTap : kSummedPairs) * g.taps();
}

template <class A>
void few_voxels_gather(const ConvGather& g, const ConvInput& x, View w, View bias, const ConvStore& y) {
  FewGather<A>(g, x, w, bias, y).run();
}
template void few_voxels_gather<float>(const ConvGather&, const ConvInput&, View, View, const ConvStore&);
template void few_voxels_gather<double>(const ConvGather&, const ConvInput&, View, View, const ConvStore&);

template <class A>
void few_voxels_weight_gradient(const ConvGather& g, const ConvInput& x, View gy, View gw) {
  const ConvIsa<A> isa = conv_isa<A>();
  const FewIsa<A> loops = few_isa<A>();
  const TapPairs pairs(g);
  const Activations<A> inputs(isa, x, g.n, voxels(g.in, 1), g.inputs), gradients(isa, {gy, g.outputs}, g.n, voxels(g.out, 1), g.outputs);
  const int64_t weights = g.taps() * g.inputs, bytes = weights * g.outputs * int64_t(sizeof(A));
  const bool lines = isa.lanes * int64_t(sizeof(A)) == 64 && reinterpret_cast<uintptr_t>(gw.data) % 64 == 0 &&
                     g.w_output % isa.lanes == 0 && g.w_tap % isa.lanes == 0;
  parallel_ranges(g.outputs, kGrain / weights + 1, [&](int64_t begin, int64_t end) {
    loops.outer({.taps = pairs.taps(), .x = inputs.data(), .gy = gradients.data() + begin, .x_step = g.inputs, .gy_step = g.outputs,
                 .w_step = g.w_output, .outputs = end - begin, .vectors = g.inputs / isa.lanes, .gw = gw.as<A>() + begin * g.w_output,
                 .streamed = lines && bytes >= kStreamedBytes});
  });
}
template void few_voxels_weight_gradient<float>(const ConvGather&, const ConvInput&, View, View);
template void few_voxels_weight_gradient<double>(const ConvGather&, const ConvInput&, View, View);

}  // namespace voxgrad
