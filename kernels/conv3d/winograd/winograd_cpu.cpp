#include <algorithm>

#include "core/device/parallel.h"
#include "kernels/conv3d/winograd/winograd.h"
#include "kernels/conv3d/winograd/winograd_pack.h"

// Forward pass and input gradient: a task transforms the inputs of a block of tiles, multiplies each frequency by the weights of that
// frequency, and transforms the products back, a part of the output channels at a time.
namespace voxgrad {
namespace {

constexpr int64_t kTasks = 16;                                 // enough to keep a few threads evenly busy
constexpr int64_t kStreamedInputs = 32, kStreamedVectors = 2;  // of weights in memory at a time, where they are streamed
constexpr int64_t kPartChannels = 64;                          // of the products in memory at a time

template <class A>
class WinogradGather {
 public:
  WinogradGather(const ConvGather& g, WinogradTile tile, const ConvInput& x, const ConvWeight& weight, const ConvStore& y)
      : g_(g),
        isa_(conv_isa<A>()),
        transforms_(winograd_isa<A>(tile)),
        x_(x),
        y_(y.y), store_(y),
        pack_(g, isa_, transforms_, weight.w),
        kept_(weight.kept),
        streamed_(winograd_streams(g, tile, isa_.lanes)),
        blocks_(g.outputs, isa_.lanes, streamed_ ? kStreamedVectors : isa_.vectors) {
    const int64_t lanes = isa_.lanes;
    frequencies_ = tile.frequencies();
    inputs_ = round_up(g.inputs, lanes);
    for (int64_t first = 0; first < blocks_.count;) {
      int64_t last = first + 1;
      while (last < blocks_.count && (blocks_.first(last + 1) - blocks_.first(first)) * lanes <= kPartChannels) ++last;
      part_channels_ = std::max(part_channels_, (blocks_.first(last) - blocks_.first(first)) * lanes);
      parts_.push_back({first, last});
      first = last;
    }
    const int64_t bytes = frequencies_ * (inputs_ + part_channels_) * int64_t(sizeof(A));
    const int64_t others = g.n * int64_t(parts_.size());
    plan_ = winograd_plan(g, tile, bytes, (kTasks + others - 1) / others);
    tiling_ = plan_.inputs(g);
    shares_ = std::clamp<int64_t>(kTasks / (g.n * plan_.blocks()), 1, int64_t(parts_.size()));
    bias_.resize(size_t(blocks_.vectors * lanes));
    for (int64_t k = 0; weight.bias && k < g.outputs; ++k) bias_[size_t(k)] = weight.bias.as<A>()[k];
    zeros_.resize(size_t(std::max(tiling_.extent[2] * inputs_, part_channels_)));
  }

  void run() { streamed_ ? run_streamed() : run_packed(); }

 private:
  void run_packed() {
    transform_weights();
    const int64_t tiles = plan_.tiles_of_block(), input_step = frequency_step<A>(tiles, inputs_),
                  product_step = frequency_step<A>(tiles, part_channels_);
    const int64_t extents = round_up(tiling_.extents() * inputs_, 16);
    parallel_ranges(g_.n * plan_.blocks() * shares_, 1, [&](int64_t begin, int64_t end) {
      ConvScratch<A> scratch(extents + frequencies_ * (input_step + product_step));
      Worker worker{ConvTile<A>(isa_, g_, tiling_, x_, inputs_, scratch.data()),
                    scratch.data() + extents,
                    scratch.data() + extents + frequencies_ * input_step,
                    input_step,
                    product_step,
                    {},
                    {},
                    {}};
      int64_t loaded = -1;
      for (int64_t task = begin; task < end; ++task) {
        const int64_t share = task % shares_, block = task / shares_, n = block / plan_.blocks();
        const ConvStart start(tiling_, block % plan_.blocks());
        const Tiles size = tiles_at(start);
        if (block != loaded) {
          worker.tile.load(n, 0, start);
          transform_inputs(worker, size);
          loaded = block;
        }
        const int64_t parts = int64_t(parts_.size());
        for (int64_t p = parts * share / shares_; p < parts * (share + 1) / shares_; ++p) {
          multiply(worker, parts_[size_t(p)], size);
          transform_outputs(worker, parts_[size_t(p)], size, n, start);
        }
      }
    });
  }

  // Weights that exceed the caches and meet few tiles: all tiles are transformed first; then a task takes a block of output channels and
  // multiplies the weights of a few inputs as soon as it has transformed them.
  void run_streamed() {
    const int64_t blocks = g_.n * plan_.blocks();
    std::vector<int64_t> first_tile(size_t(blocks + 1));
    for (int64_t i = 0; i < blocks; ++i)
      first_tile[size_t(i + 1)] = first_tile[size_t(i)] + tiles_at(ConvStart(tiling_, i % plan_.blocks())).count();
    const int64_t tiles = first_tile.back(), step = frequency_step<A>(tiles, inputs_);
    ConvScratch<A> inputs(frequencies_ * step);
    parallel_ranges(blocks, 1, [&](int64_t begin, int64_t end) {
      ConvScratch<A> scratch(round_up(tiling_.extents() * inputs_, 16));
      Worker worker{.tile = ConvTile<A>(isa_, g_, tiling_, x_, inputs_, scratch.data()), .input_step = step};
      for (int64_t i = begin; i < end; ++i) {
        const ConvStart start(tiling_, i % plan_.blocks());
        worker.inputs = inputs.data() + first_tile[size_t(i)] * inputs_;
        worker.tile.load(i / plan_.blocks(), 0, start);
        transform_inputs(worker, tiles_at(start));
      }
    });
    parallel_for(blocks_.count, 1, [&](int64_t b) {
      const int64_t width = blocks_.width(b) * isa_.lanes, product_step = frequency_step<A>(tiles, width),
                    weight_step = frequency_step<A>(kStreamedInputs, width);
      ConvScratch<A> scratch(frequencies_ * (product_step + weight_step) + pack_.scratch());
      A *const products = scratch.data(), *const weights = products + frequencies_ * product_step,
               *const squares = weights + frequencies_ * weight_step;
      ConvRun run;
      ConvRow<A> row;
      row.runs = &run;
      row.run_count = 1;
      row.x_step = inputs_;
      row.y_step = width;
      row.voxels = tiles;
      row.width = blocks_.width(b);
      for (int64_t first = 0; first < g_.inputs; first += kStreamedInputs) {
        run.steps = std::min(kStreamedInputs, g_.inputs - first);
        for (int64_t v = 0; v < blocks_.width(b); ++v)
          for (int64_t c = 0; c < run.steps; c += isa_.lanes)
            pack_.vector(blocks_.first(b) + v, first + c, std::min(isa_.lanes, run.steps - c), weights + c * width + v * isa_.lanes, width,
                         weight_step, squares);
        row.init = first == 0 ? zeros_.data() : nullptr;
        for (int64_t f = 0; f < frequencies_; ++f) {
          row.x = inputs.data() + f * step + first;
          row.ahead = f + 1 < frequencies_ ? step : 0;
          row.w = weights + f * weight_step;
          row.y = products + f * product_step;
          isa_.gather(row);
        }
      }
      Worker worker{.tile = ConvTile<A>(isa_, g_, tiling_, x_, inputs_, nullptr), .product_step = product_step};
      for (int64_t i = 0; i < blocks; ++i) {
        const ConvStart start(tiling_, i % plan_.blocks());
        worker.products = products + first_tile[size_t(i)] * width;
        transform_outputs(worker, {b, b + 1}, tiles_at(start), i / plan_.blocks(), start);
      }
    });
  }

  struct Worker {
    ConvTile<A> tile;
    A *inputs = nullptr, *products = nullptr;  // {frequency, tile, channel}
    int64_t input_step = 0, product_step = 0;
    std::vector<const A*> lines = {};
    std::vector<void*> out_lines = {};
    std::vector<int64_t> out_voxels = {};  // where those within the volume start
  };
  struct Part {
    int64_t first, last;  // blocks of output channels
  };
  struct Tiles {  // that a block has
    int64_t d, h, w;
    int64_t count() const { return d * h * w; }
  };

  Tiles tiles_at(const ConvStart& start) const {
    int64_t n[3];
    const Int3 m = plan_.tile.outputs();
    for (int a = 0; a < 3; ++a) n[a] = std::min(plan_.block[a], plan_.tiles[a] - start.at[a] / m[a]);
    return {n[0], n[1], n[2]};
  }
  int64_t channels_before(int64_t block) const { return blocks_.first(block) * isa_.lanes; }

  // {block of output channels, frequency, input, lanes of the block}
  int64_t weight_step(int64_t block) const { return frequency_step<A>(g_.inputs, blocks_.width(block) * isa_.lanes); }
  int64_t weights_at(int64_t block) const {
    int64_t at = 0;
    for (int64_t b = 0; b < block; ++b) at += frequencies_ * weight_step(b);
    return at;
  }

  void transform_weights() {
    const int64_t lanes = isa_.lanes, inputs = g_.inputs, pieces = (inputs + lanes - 1) / lanes;
    const int64_t count = weights_at(blocks_.count);
    bool made = false;
    weights_ = DerivedWeight<A>::find(kept_, (plan_.tile.d * 8 + plan_.tile.h) * 8 + plan_.tile.w, count, kMostKeptFrequencies, made);
    if (!made) return;
    parallel_ranges(blocks_.vectors * pieces, 1, [&](int64_t begin, int64_t end) {
      ConvScratch<A> scratch(pack_.scratch());
      for (int64_t i = begin; i < end; ++i) {
        const int64_t vector = i / pieces, first = i % pieces * lanes;
        int64_t block = 0;
        while (blocks_.first(block + 1) <= vector) ++block;
        const int64_t width = blocks_.width(block) * lanes;
        A* to = weights_->data.data() + weights_at(block) + first * width + (vector - blocks_.first(block)) * lanes;
        pack_.vector(vector, first, std::min(lanes, inputs - first), to, width, weight_step(block), scratch.data());
      }
    });
  }

  void transform_inputs(Worker& worker, const Tiles& size) {
    const Int3 m = plan_.tile.outputs();
    WinogradRow<A> row;
    row.tiles = size.w;
    row.vectors = inputs_ / isa_.lanes;
    row.frequency_step = worker.input_step;
    row.tile_step = inputs_;
    row.input_step = inputs_;
    row.planes = m.d + 2;
    for (int64_t z = 0; z < size.d; ++z)
      for (int64_t y = 0; y < size.h; ++y) {
        find_lines(worker.tile, z * m.d, y * m.h, m.d + 2, m.h + 2, zeros_.data(), worker.lines);
        row.inputs = worker.lines.data();
        row.frequency = worker.inputs + (z * size.h + y) * size.w * inputs_;
        transforms_.transform_inputs(row);
      }
  }

  void multiply(Worker& worker, const Part& part, const Tiles& size) {
    const int64_t origin = channels_before(part.first);
    ConvRun run{.steps = g_.inputs};
    ConvRow<A> row;
    row.runs = &run;
    row.run_count = 1;
    row.x_step = inputs_;
    row.y_step = channels_before(part.last) - origin;
    row.voxels = size.count();
    row.init = zeros_.data();
    for (int64_t b = part.first; b < part.last; ++b) {
      row.width = blocks_.width(b);
      for (int64_t f = 0; f < frequencies_; ++f) {
        row.x = worker.inputs + f * worker.input_step;
        row.w = weights_->data.data() + weights_at(b) + f * weight_step(b);
        row.y = worker.products + f * worker.product_step + channels_before(b) - origin;
        isa_.gather(row);
      }
    }
  }

  void transform_outputs(Worker& worker, const Part& part, const Tiles& size, int64_t n, const ConvStart& start) {
    const Int3 m = plan_.tile.outputs();
    const int64_t first = channels_before(part.first), channels = channels_before(part.last) - first;
    WinogradRow<A> row;
    row.tiles = size.w;
    row.vectors = channels / isa_.lanes;
    row.frequency_step = worker.product_step;
    row.tile_step = channels;
    row.dtype = y_.dtype;
    row.output_step = g_.out_channels;
    row.voxels = std::min(size.w * m.w, g_.out.w - start.at[2]);
    row.channels = std::min(channels, g_.outputs - first);
    row.bias = bias_.data() + first;
    row.streamed = y_.dtype == dtype_of<A> && !store_.ends() && goes_past_caches(g_, y_, isa_.lanes);
    for (int64_t z = 0; z < size.d; ++z)
      for (int64_t y = 0; y < size.h; ++y) {
        worker.out_lines.clear();
        worker.out_voxels.clear();
        for (int64_t i = 0; i < m.d; ++i)
          for (int64_t j = 0; j < m.h; ++j) {
            const int64_t d = start.at[0] + z * m.d + i, h = start.at[1] + y * m.h + j;
            const int64_t voxel = ((n * g_.out.d + d) * g_.out.h + h) * g_.out.w + start.at[2];
            const bool inside = d < g_.out.d && h < g_.out.h;
            worker.out_lines.push_back(inside ? element(y_, voxel * g_.out_channels + first) : nullptr);
            if (inside) worker.out_voxels.push_back(voxel);
          }
        row.outputs = worker.out_lines.data();
        row.frequency = worker.products + (z * size.h + y) * size.w * channels;
        transforms_.transform_outputs(row);
        for (const int64_t voxel : worker.out_voxels) store_.finish(isa_, voxel, 1, row.voxels, first, row.channels);
      }
  }

  const ConvGather& g_;
  const ConvIsa<A> isa_;
  const WinogradIsa<A> transforms_;
  const ConvInput& x_;
  View y_;
  const ConvStore& store_;
  const WinogradPack<A> pack_;
  std::shared_ptr<void>* const kept_;
  const bool streamed_;
  ConvBlocks blocks_;
  std::vector<Part> parts_;
  int64_t frequencies_, inputs_, part_channels_ = 0, shares_;  // inputs_: channels, padded; shares_: tasks that share the parts of a block
  WinogradPlan plan_;
  ConvTiling tiling_;
  std::shared_ptr<DerivedWeight<A>> weights_;
  std::vector<A> bias_, zeros_;
};

}  // namespace

template <class A>
void winograd_gather(const ConvGather& g, WinogradTile tile, const ConvInput& x, const ConvWeight& w, const ConvStore& y) {
  WinogradGather<A>(g, tile, x, w, y).run();
}
template void winograd_gather<float>(const ConvGather&, WinogradTile, const ConvInput&, const ConvWeight&, const ConvStore&);
template void winograd_gather<double>(const ConvGather&, WinogradTile, const ConvInput&, const ConvWeight&, const ConvStore&);

}  // namespace voxgrad
