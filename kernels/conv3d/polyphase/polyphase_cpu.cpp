#include "kernels/conv3d/polyphase/polyphase.h"

#include <algorithm>

#include "core/device/parallel.h"
#include "kernels/conv3d/polyphase/polyphase_isa.h"
#include "kernels/conv3d/weight_vectors.h"
#include "kernels/conv3d/winograd/winograd.h"

// A task has some planes and rows of outputs and some tiles along W. It transforms what they read, lanes along H, so that the rows of a tap
// along H lie beside each other; then, a frequency at a time, the direct kernel sums the taps along D and H for a column of outputs.
namespace voxgrad {
namespace {

constexpr int kTaps = 7, kColumns = 13, kTileStep = 2 * kPolyphasePositions;  // along W: taps, inputs of a tile and from tile to tile
constexpr int64_t kMostChannels = 4;
constexpr int64_t kPlanes = 4, kRows = 64, kTiles = 8;  // of the outputs of a task, at most
constexpr double kTransforms = 130;                     // of a tile, in multiply-adds: README.md has what was measured

int64_t pieces_of(int64_t n, int64_t most) { return (n + most - 1) / most; }

bool rises_by_one(const std::vector<int64_t>& offset) { return offset.back() - offset.front() + 1 == int64_t(offset.size()); }

template <class A>
class PolyphaseGather {
 public:
  PolyphaseGather(const ConvGather& g, const ConvInput& x, const ConvWeight& weight, const ConvStore& y)
      : g_(g),
        isa_(conv_isa<A>()),
        transforms_(polyphase_isa<A>()),
        x_(x),
        y_(y.y),
        store_(y),
        blocks_(g.outputs, isa_.lanes, isa_.vectors) {
    const int64_t tiles = pieces_of(g.out.w, kPolyphasePositions);
    count_[0] = pieces_of(g.out.d, kPlanes), count_[1] = pieces_of(g.out.h, kRows);
    count_[2] = pieces_of(tiles, std::max<int64_t>(1, kTiles / g.inputs));
    for (int a = 0; a < 3; ++a) most_[a] = pieces_of(a == 2 ? tiles : g.out[a], count_[a]);
    planes_ = (most_[0] - 1) * g.in_step.d + axis(0).back() - axis(0).front() + 1;
    rows_ = round_up((most_[1] - 1) * g.in_step.h + g.kernel.h, isa_.lanes);
    columns_ = (most_[2] - 1) * kTileStep + kColumns;
    frequency_ = most_[2] * g.inputs * rows_;
    product_ = frequency_step<A>(most_[1], widest());
    bias_.resize(size_t(blocks_.vectors * isa_.lanes));
    for (int64_t k = 0; weight.bias && k < g.outputs; ++k) bias_[size_t(k)] = weight.bias.as<A>()[k];
    zeros_.resize(size_t(widest()));
    transform_weights(weight);
  }

  void run() {
    const int64_t column = columns_ * g_.inputs * rows_, inputs = planes_ * kPolyphaseFrequencies * frequency_;
    parallel_ranges(g_.n * count_[0] * count_[1] * count_[2], 1, [&](int64_t begin, int64_t end) {
      ConvScratch<A> scratch(2 * column + inputs + kPolyphaseFrequencies * product_ + kPolyphasePositions * widest());
      Worker w;
      w.lines = scratch.data(), w.columns = w.lines + column, w.inputs = w.columns + column, w.products = w.inputs + inputs;
      w.outputs = w.products + kPolyphaseFrequencies * product_;
      for (int64_t task = begin; task < end; ++task) run_task(w, task);
    });
  }

 private:
  struct Worker {
    A *lines = nullptr, *columns = nullptr;    // {row, column, channel} and {column, channel, row} of a plane of inputs
    A *inputs = nullptr, *products = nullptr;  // {plane, frequency, tile, channel, row}; {frequency, row, channel}
    A* outputs = nullptr;                      // of a tile
    std::vector<ConvRun> runs = {};
  };
  struct Piece {
    int64_t n, first[3], size[3];  // planes and rows of outputs, tiles
  };

  const std::vector<int64_t>& axis(int a) const { return g_.axes[size_t(a)][0].offset; }
  int64_t widest() const { return blocks_.width(blocks_.count - 1) * isa_.lanes; }
  int64_t steps() const { return int64_t(g_.kernel.d) * g_.kernel.h * g_.inputs; }  // of the sum of a frequency
  // {block of output channels, frequency, tap along D, input, tap along H, lanes of the block}
  A* weights(int64_t block, int64_t frequency) const {
    const int64_t first = blocks_.first(block) * isa_.lanes, width = blocks_.width(block) * isa_.lanes;
    return weights_->data.data() + (first * kPolyphaseFrequencies + frequency * width) * steps();
  }

  void transform_weights(const ConvWeight& weight) {
    constexpr int64_t kAlgorithm = 257;  // direct_cpu.cpp has the one before
    bool made = false;
    weights_ = DerivedWeight<A>::find(weight.kept, kAlgorithm, kPolyphaseFrequencies * steps() * blocks_.vectors * isa_.lanes,
                                      kMostKeptFrequencies, made);
    if (!made) return;
    const int64_t lanes = isa_.lanes;
    parallel_ranges(int64_t(g_.kernel.d) * g_.kernel.h, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t t = i / g_.kernel.h, r = i % g_.kernel.h;
        std::vector<int64_t> taps;
        for (int64_t s = 0; s < kTaps; ++s) taps.push_back(g_.tap(t, r, s));
        const WeightVectors<A> vectors(g_, isa_, weight.w, taps);
        ConvScratch<A> scratch(vectors.scratch());
        for (int64_t block = 0; block < blocks_.count; ++block)
          for (int64_t v = 0, width = blocks_.width(block) * lanes; v < blocks_.width(block); ++v)
            vectors.each(blocks_.first(block) + v, 0, g_.inputs, scratch.data(), [&](int64_t c, const A* at, const int64_t* offset) {
              transforms_.weights(at, offset, weights(block, 0) + ((t * g_.inputs + c) * g_.kernel.h + r) * width + v * lanes,
                                  steps() * width);
            });
      }
    });
  }

  void run_task(Worker& worker, int64_t task) {
    Piece p;
    for (int a = 2; a >= 0; --a) {
      const int64_t all = a == 2 ? pieces_of(g_.out.w, kPolyphasePositions) : g_.out[a], i = task % count_[a];
      task /= count_[a];
      p.first[a] = i * most_[a];
      p.size[a] = std::min(most_[a], all - p.first[a]);
    }
    p.n = task;
    if (p.size[0] <= 0 || p.size[1] <= 0 || p.size[2] <= 0) return;
    for (int64_t i = 0, low = p.first[0] * g_.in_step.d + axis(0).front(); i < planes_; ++i)
      if (low + i >= 0 && low + i < g_.in.d) transform_plane(worker, p, low + i, worker.inputs + i * kPolyphaseFrequencies * frequency_);
    for (int64_t z = 0; z < p.size[0]; ++z) {
      find_runs(worker, p, z);
      for (int64_t tile = 0; tile < p.size[2]; ++tile)
        for (int64_t block = 0; block < blocks_.count; ++block) {
          multiply(worker, p, tile, block);
          store(worker, p, z, tile, block);
        }
    }
  }

  void transform_plane(Worker& worker, const Piece& p, int64_t plane, A* to) {
    const int64_t c = g_.inputs, line = columns_ * c;
    const int64_t from = p.first[2] * kTileStep + axis(2).front(), begin = std::clamp<int64_t>(-from, 0, columns_),
                  end = std::clamp<int64_t>(g_.in.w - from, begin, columns_);
    for (int64_t r = 0; r < rows_; ++r) {
      A* row = worker.lines + r * line;
      const int64_t y = p.first[1] * g_.in_step.h + axis(1).front() + r;
      if (y < 0 || y >= g_.in.h || begin == end) {
        std::fill_n(row, line, A(0));
        continue;
      }
      std::fill_n(row, begin * c, A(0));
      const int64_t voxel = ((p.n * g_.in.d + plane) * g_.in.h + y) * g_.in.w + from + begin;
      x_.load(isa_, p.n, voxel, end - begin, 0, c, row + begin * c, c);
      std::fill(row + end * c, row + line, A(0));
    }
    isa_.transpose(worker.lines, line, worker.columns, rows_, rows_, line);
    for (int64_t i = 0; i < p.size[2] * c; ++i)
      transforms_.inputs(worker.columns + (i / c * kTileStep * c + i % c) * rows_, c * rows_, rows_, to + i * rows_, frequency_);
  }

  // The taps along D that lie within the volume, and the inputs: each is a run of the taps along H.
  void find_runs(Worker& worker, const Piece& p, int64_t z) {
    worker.runs.clear();
    for (int64_t t = 0; t < g_.kernel.d; ++t) {
      const int64_t plane = (p.first[0] + z) * g_.in_step.d + axis(0)[size_t(t)];
      if (plane < 0 || plane >= g_.in.d) continue;
      const int64_t slot = z * g_.in_step.d + axis(0)[size_t(t)] - axis(0).front();
      for (int64_t c = 0; c < g_.inputs; ++c)
        worker.runs.push_back({slot * kPolyphaseFrequencies * frequency_ + c * rows_, (t * g_.inputs + c) * g_.kernel.h, g_.kernel.h});
    }
  }

  void multiply(Worker& worker, const Piece& p, int64_t tile, int64_t block) {
    ConvRow<A> row;
    row.runs = worker.runs.data();
    row.run_count = int64_t(worker.runs.size());
    row.x_step = g_.in_step.h;
    row.width = blocks_.width(block);
    row.y_step = row.width * isa_.lanes;
    row.voxels = p.size[1];
    row.init = zeros_.data();
    for (int64_t f = 0; f < kPolyphaseFrequencies; ++f) {
      row.x = worker.inputs + f * frequency_ + tile * g_.inputs * rows_;
      row.w = weights(block, f);
      row.y = worker.products + f * product_;
      isa_.gather(row);
    }
  }

  void store(Worker& worker, const Piece& p, int64_t z, int64_t tile, int64_t block) {
    const int64_t first = blocks_.first(block) * isa_.lanes, width = blocks_.width(block) * isa_.lanes,
                  channels = std::min(width, g_.outputs - first), q = (p.first[2] + tile) * kPolyphasePositions,
                  voxels = std::min<int64_t>(kPolyphasePositions, g_.out.w - q);
    const bool direct = y_.dtype == dtype_of<A> && channels == width && voxels == kPolyphasePositions;
    for (int64_t i = 0; i < p.size[1]; ++i) {
      const int64_t voxel = ((p.n * g_.out.d + p.first[0] + z) * g_.out.h + p.first[1] + i) * g_.out.w + q;
      void* to = element(y_, voxel * g_.out_channels + first);
      A* outputs = direct ? static_cast<A*>(to) : worker.outputs;
      transforms_.outputs(worker.products + i * width, product_, blocks_.width(block), bias_.data() + first, outputs,
                          direct ? g_.out_channels : width);
      if (!direct) isa_.store_rows(y_.dtype, outputs, width, to, g_.out_channels, voxels, channels);
      store_.finish(isa_, voxel, 1, voxels, first, channels);
    }
  }

  const ConvGather& g_;
  ConvIsa<A> isa_;
  PolyphaseIsa<A> transforms_;
  const ConvInput& x_;
  View y_;
  const ConvStore& store_;
  ConvBlocks blocks_;
  int64_t count_[3], most_[3];            // tasks along each axis, and what the largest of them has
  int64_t planes_, rows_, columns_;       // of the inputs of a task
  int64_t frequency_ = 0, product_ = 0;  // elements from one frequency to the next
  std::shared_ptr<DerivedWeight<A>> weights_;
  std::vector<A> bias_, zeros_;
};

}  // namespace

bool is_polyphase(const ConvGather& g, int64_t lanes, double direct) {
  if (!winograd_is_wanted() || g.depthwise || g.slices != 1 || g.inputs > std::min(kMostChannels, lanes) || g.outputs < lanes) return false;
  if (g.in_step.w != 2 || g.kernel.w != kTaps || g.out_step != Int3{1, 1, 1} || g.out.d * g.out.h * g.out.w == 0) return false;
  if (!rises_by_one(g.axes[1][0].offset) || !rises_by_one(g.axes[2][0].offset)) return false;
  const double steps = double(g.kernel.d) * g.kernel.h * double(g.inputs), tiles = double(pieces_of(g.out.w, kPolyphasePositions));
  return tiles * (kPolyphaseFrequencies * steps + kTransforms) < direct * g.out.w * kTaps * steps;
}

template <class A>
void polyphase_gather(const ConvGather& g, const ConvInput& x, const ConvWeight& weight, const ConvStore& y) {
  PolyphaseGather<A>(g, x, weight, y).run();
}
template void polyphase_gather<float>(const ConvGather&, const ConvInput&, const ConvWeight&, const ConvStore&);
template void polyphase_gather<double>(const ConvGather&, const ConvInput&, const ConvWeight&, const ConvStore&);

}  // namespace voxgrad
