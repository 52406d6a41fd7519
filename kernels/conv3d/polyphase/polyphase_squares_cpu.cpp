#include <algorithm>

#include "core/device/parallel.h"
#include "kernels/conv3d/polyphase/polyphase_tiles.h"
#include "kernels/conv3d/weight_vectors.h"
#include "kernels/conv3d/winograd/winograd.h"

// The same along H and W: a square of 4 x 4 outputs has 7 x 7 frequencies, in each of which the direct kernel sums the taps along D of the
// four phases (at infinity of two or one) for a column of outputs along D. What a task reads lies with the planes beside each other.
namespace voxgrad {
namespace {

constexpr int kTaps = 7, kSide = kPolyphasePositions, kWaves = kPolyphaseFrequencies, kProducts = kPolyphaseProducts;
constexpr int64_t kInputs = kPolyphaseInputs;  // of a tile, along an axis

template <class A>
class PolyphaseSquares {
 public:
  PolyphaseSquares(const ConvGather& g, const ConvInput& x, const ConvWeight& weight, const ConvStore& y)
      : g_(g), x_(x), y_(y.y), store_(y), blocks_(g.outputs, isa_.lanes, isa_.vectors) {
    constexpr int64_t kPlanes = 12, kTiles = 8;  // of the outputs of a task, at most
    const int64_t tiles = chunk_count(g.out.w, kSide);
    count_[0] = chunk_count(g.out.d, kPlanes), count_[1] = chunk_count(g.out.h, kSide);
    count_[2] = chunk_count(tiles, std::max<int64_t>(1, kTiles / g.inputs));
    depth_ = chunk_count(g.out.d, count_[0]);
    most_tiles_ = chunk_count(tiles, count_[2]);
    planes_ = round_up((depth_ - 1) * g.in_step.d + g.kernel.d, isa_.lanes);
    columns_ = (most_tiles_ - 1) * kPolyphaseStep + kInputs;
    line_ = kInputs * columns_ * g.inputs;
    widest_ = blocks_.width(blocks_.count - 1) * isa_.lanes;
    product_ = frequency_step<A>(depth_, widest_);
    half_ = frequency_step<A>(kSide * depth_, widest_);
    bias_.resize(size_t(blocks_.vectors * isa_.lanes));
    for (int64_t k = 0; weight.bias && k < g.outputs; ++k) bias_[size_t(k)] = weight.bias.as<A>()[k];
    zeros_.resize(size_t(widest_));
    for (int i = 0; i < 4; ++i)
      for (int64_t along_w = 0; along_w < 2 - i / 2; ++along_w)
        for (int64_t along_h = 0; along_h < 2 - i % 2; ++along_h)
          for (int64_t c = 0; c < g.inputs; ++c) {
            const int64_t part = (along_w * kProducts + along_h) * g.inputs + c;
            runs_[i].push_back({part * planes_, part * g.kernel.d, g.kernel.d});
          }
    transform_weights(weight);
  }

  void run() {
    const int64_t tile = kProducts * kProducts * g_.inputs * planes_, along_w = kProducts * kInputs * planes_;
    parallel_ranges(g_.n * count_[0] * count_[1] * count_[2], 1, [&](int64_t begin, int64_t end) {
      ConvScratch<A> scratch(2 * line_ * planes_ + along_w + tile + kWaves * (product_ + half_) + kSide * widest_);
      Worker w;
      w.lines = scratch.data();
      w.columns = w.lines + line_ * planes_;
      w.along_w = w.columns + line_ * planes_;
      w.inputs = w.along_w + along_w;
      w.products = w.inputs + tile;
      w.halves = w.products + kWaves * product_;
      w.outputs = w.halves + kWaves * half_;
      for (int64_t task = begin; task < end; ++task) run_task(w, task);
    });
  }

 private:
  struct Worker {
    A *lines, *columns;    // {plane, row, column, channel} of the inputs, and {row, column, channel, plane}
    A *along_w, *inputs;   // of a tile and channel {product along W, row, plane}; of a tile {.. along W, .. along H, channel, plane}
    A *products, *halves;  // {frequency along H, plane, output channel}; {frequency along W, row, plane, output channel}
    A* outputs;            // of a row of a tile
  };
  struct Piece {
    int64_t n, d, h, tile, depth, tiles;  // first plane, row and tile of the outputs, how many planes and tiles
  };

  // {block of output channels, product along W, along H, input, tap along D, lanes of the block}
  int64_t steps() const { return g_.inputs * g_.kernel.d; }
  A* weights(int64_t block, int64_t product) const {
    const int64_t first = blocks_.first(block) * isa_.lanes, width = blocks_.width(block) * isa_.lanes;
    return weights_->data.data() + (first * kProducts * kProducts + product * width) * steps();
  }

  void transform_weights(const ConvWeight& weight) {
    constexpr int64_t kAlgorithm = 258;  // polyphase_cpu.cpp has the one before
    bool made = false;
    weights_ = DerivedWeight<A>::find(weight.kept, kAlgorithm, kProducts * kProducts * steps() * blocks_.vectors * isa_.lanes,
                                      kMostKeptFrequencies, made);
    if (!made) return;
    const int64_t lanes = isa_.lanes;
    parallel_ranges(g_.kernel.d, 1, [&](int64_t begin, int64_t end) {
      for (int64_t t = begin; t < end; ++t) {
        std::vector<int64_t> taps, rows;
        for (int64_t r = 0; r < kTaps; ++r) {
          for (int64_t s = 0; s < kTaps; ++s) taps.push_back(g_.tap(t, r, s));
          rows.push_back(r * kProducts * lanes);
        }
        const WeightVectors<A> vectors(g_, isa_, weight.w, taps);
        ConvScratch<A> scratch(vectors.scratch() + kTaps * kProducts * lanes);
        A* const along_w = scratch.data() + vectors.scratch();
        for (int64_t block = 0; block < blocks_.count; ++block)
          for (int64_t v = 0, width = blocks_.width(block) * lanes; v < blocks_.width(block); ++v)
            vectors.each(blocks_.first(block) + v, 0, g_.inputs, scratch.data(), [&](int64_t c, const A* at, const int64_t* offset) {
              for (int64_t r = 0; r < kTaps; ++r)
                transforms_.weights(at, offset + r * kTaps, along_w + rows[size_t(r)], lanes);
              for (int64_t j = 0; j < kProducts; ++j)
                transforms_.weights(along_w + j * lanes, rows.data(),
                                    weights(block, j * kProducts) + (c * g_.kernel.d + t) * width + v * lanes, steps() * width);
            });
      }
    });
  }

  void run_task(Worker& w, int64_t task) {
    Piece p;
    p.tile = task % count_[2] * most_tiles_, task /= count_[2];
    p.h = task % count_[1] * kSide, task /= count_[1];
    p.d = task % count_[0] * depth_;
    p.n = task / count_[0];
    p.depth = std::min(depth_, g_.out.d - p.d);
    p.tiles = std::min(most_tiles_, chunk_count(g_.out.w, kSide) - p.tile);
    if (p.depth <= 0 || p.tiles <= 0) return;
    load(w, p);
    for (int64_t tile = 0; tile < p.tiles; ++tile) {
      transform_inputs(w, tile);
      for (int64_t block = 0; block < blocks_.count; ++block) {
        multiply(w, p, block);
        store(w, p, p.tile + tile, block);
      }
    }
  }

  int64_t offset(int axis) const { return g_.axes[size_t(axis)][0].offset.front(); }

  void load(Worker& w, const Piece& p) {
    for (int64_t i = 0; i < planes_ * kInputs; ++i) {
      const int64_t z = p.d * g_.in_step.d + offset(0) + i / kInputs, y = p.h * g_.in_step.h + offset(1) + i % kInputs;
      load_row(isa_, g_, x_, p.n, z, y, p.tile * kPolyphaseStep + offset(2), columns_, w.lines + i * columns_ * g_.inputs);
    }
    isa_.transpose(w.lines, line_, w.columns, planes_, planes_, line_);
  }

  void transform_inputs(Worker& w, int64_t tile) {
    const int64_t c = g_.inputs;
    for (int64_t i = 0; i < c; ++i) {
      for (int64_t row = 0; row < kInputs; ++row)
        transforms_.inputs(w.columns + ((row * columns_ + tile * kPolyphaseStep) * c + i) * planes_, c * planes_, planes_,
                           w.along_w + row * planes_, kInputs * planes_);
      for (int64_t j = 0; j < kProducts; ++j)
        transforms_.inputs(w.along_w + j * kInputs * planes_, planes_, planes_, w.inputs + (j * kProducts * c + i) * planes_, c * planes_);
    }
  }

  // Up to the transform back along H.
  void multiply(Worker& w, const Piece& p, int64_t block) {
    ConvRow<A> row;
    row.x_step = g_.in_step.d;
    row.width = blocks_.width(block);
    row.y_step = row.width * isa_.lanes;
    row.voxels = p.depth;
    row.init = zeros_.data();
    for (int64_t f = 0; f < kWaves; ++f) {
      for (int64_t i = 0; i < kWaves; ++i) {
        const std::vector<ConvRun>& runs = runs_[2 * (2 - polyphase_phases(f)) + 2 - polyphase_phases(i)];
        row.runs = runs.data();
        row.run_count = int64_t(runs.size());
        row.x = w.inputs + 2 * (f * kProducts + i) * g_.inputs * planes_;
        row.w = weights(block, 2 * (f * kProducts + i));
        row.y = w.products + i * product_;
        isa_.gather(row);
      }
      for (int64_t z = 0; z < p.depth; ++z)
        transforms_.outputs(w.products + z * row.y_step, product_, row.width, zeros_.data(), w.halves + f * half_ + z * row.y_step,
                            depth_ * row.y_step);
    }
  }

  void store(Worker& w, const Piece& p, int64_t tile, int64_t block) {
    const int64_t first = blocks_.first(block) * isa_.lanes, width = blocks_.width(block) * isa_.lanes,
                  channels = std::min(width, g_.outputs - first), q = tile * kSide, voxels = std::min<int64_t>(kSide, g_.out.w - q);
    const bool direct = y_.dtype == dtype_of<A> && channels == width && voxels == kSide;
    for (int64_t z = 0; z < p.depth; ++z)
      for (int64_t i = 0; i < std::min<int64_t>(kSide, g_.out.h - p.h); ++i) {
        const int64_t voxel = ((p.n * g_.out.d + p.d + z) * g_.out.h + p.h + i) * g_.out.w + q;
        void* to = element(y_, voxel * g_.out_channels + first);
        A* outputs = direct ? static_cast<A*>(to) : w.outputs;
        transforms_.outputs(w.halves + (i * depth_ + z) * width, half_, blocks_.width(block), bias_.data() + first, outputs,
                            direct ? g_.out_channels : width);
        if (!direct) isa_.store_rows(y_.dtype, outputs, width, to, g_.out_channels, voxels, channels);
        store_.finish(isa_, voxel, 1, voxels, first, channels);
      }
  }

  const ConvGather& g_;
  const ConvInput& x_;
  const ConvIsa<A> isa_ = conv_isa<A>();
  const PolyphaseIsa<A> transforms_ = polyphase_isa<A>();
  View y_;
  const ConvStore& store_;
  ConvBlocks blocks_;
  int64_t count_[3], depth_, most_tiles_;  // tasks along each axis; planes of outputs and tiles of one
  int64_t planes_, columns_, line_;        // of the inputs of a task; elements of a plane of them
  int64_t widest_, product_, half_;        // channels of a block; elements from one frequency to the next
  std::vector<ConvRun> runs_[4];           // of a frequency; of one at infinity along H; along W; along both
  std::shared_ptr<DerivedWeight<A>> weights_;
  std::vector<A> bias_, zeros_;
};

}  // namespace

template <class A>
void polyphase_squares_gather(const ConvGather& g, const ConvInput& x, const ConvWeight& weight, const ConvStore& y) {
  PolyphaseSquares<A>(g, x, weight, y).run();
}
template void polyphase_squares_gather<float>(const ConvGather&, const ConvInput&, const ConvWeight&, const ConvStore&);
template void polyphase_squares_gather<double>(const ConvGather&, const ConvInput&, const ConvWeight&, const ConvStore&);

}  // namespace voxgrad
