#include "kernels/conv3d/winograd_plane/winograd_plane.h"

#include <algorithm>

#include "core/device/parallel.h"
#include "kernels/conv3d/weight_vectors.h"

// Forward pass and input gradient: a task goes through the planes of a block of tiles. It transforms each plane of inputs once, keeps those
// that planes of outputs still read, and sums over the taps along D in the frequencies.
namespace voxgrad {
namespace {

constexpr int64_t kPlanesPerTask = 4;  // at least: the planes before the first one are transformed once more
constexpr int64_t kPartChannels = 64;  // of the products in memory at a time

// In how many pieces, at most `most`, to cut each of `tasks` so that all threads are about evenly busy. Inputs of every piece are
// transformed anew, so as few as that takes. Results do not depend on it.
int64_t even_pieces(int64_t tasks, int64_t most) {
  int64_t pieces = 1;
  while (pieces < most && tasks * pieces % threads() != 0 && tasks * pieces < 4 * threads()) ++pieces;
  return pieces;
}

template <class A>
class WinogradPlaneGather {
 public:
  WinogradPlaneGather(const ConvGather& g, WinogradPlaneTile tile, const ConvInput& x, const ConvWeight& weight, const ConvStore& y)
      : g_(g),
        isa_(conv_isa<A>()),
        transforms_(winograd_plane_isa<A>(tile)),
        x_(x),
        y_(y.y), store_(y),
        tile_(tile),
        kept_(weight.kept),
        blocks_(g.outputs, isa_.lanes, isa_.vectors),
        inputs_(round_up(g.inputs, isa_.lanes)) {
    for (int64_t first = 0; first < blocks_.count;) {
      int64_t last = first + 1;
      while (last < blocks_.count && channels_of(first, last + 1) <= kPartChannels) ++last;
      part_channels_ = std::max(part_channels_, channels_of(first, last));
      parts_.push_back({first, last});
      first = last;
    }
    plan_ = winograd_plane_plan(g, tile, inputs_ * int64_t(sizeof(A)), part_channels_ * int64_t(sizeof(A)));
    tiling_ = plane_tiling(g.in, plan_, tile.in_step(), tile.in_extent(), true);
    const int64_t columns = g.n * plan_.blocks();
    chunks_ = even_pieces(columns, (g.out.d + kPlanesPerTask - 1) / kPlanesPerTask);
    shares_ = even_pieces(columns * chunks_, int64_t(parts_.size()));
    bias_.resize(size_t(blocks_.vectors * isa_.lanes));
    for (int64_t k = 0; weight.bias && k < g.outputs; ++k) bias_[size_t(k)] = weight.bias.as<A>()[k];
    zeros_.resize(size_t(std::max(tiling_.extent[2] * inputs_, part_channels_)));
    transform_weights(weight.w);
  }

  void run() {
    const int64_t line = 64 / int64_t(sizeof(A)), tiles = plan_.tiles_of_block();
    const int64_t extents = round_up(tiling_.extents() * inputs_, line), in_size = WinogradPlaneLayout(tile_, tiles, inputs_, line).size,
                  out_size = WinogradPlaneLayout(tile_, tiles, part_channels_, line).size;
    parallel_ranges(g_.n * plan_.blocks() * chunks_ * shares_, 1, [&](int64_t begin, int64_t end) {
      ConvScratch<A> scratch(extents + plan_.span * in_size + out_size);
      Worker worker{.tile = ConvTile<A>(isa_, g_, tiling_, x_, inputs_, scratch.data())};
      worker.inputs = scratch.data() + extents;
      worker.plane_size = in_size;
      worker.products = worker.inputs + plan_.span * in_size;
      for (int64_t task = begin; task < end; ++task) run_task(worker, task);
    });
  }

 private:
  struct Worker {
    ConvTile<A> tile;
    A *inputs = nullptr, *products = nullptr;  // planes of frequencies, plane z in slot z % span; those of one plane of outputs
    int64_t plane_size = 0;
    WinogradPlaneLayout in = {}, out = {};
    std::vector<int64_t> held = {};  // the plane in each slot
    std::vector<const A*> lines = {};
    std::vector<void*> out_lines = {};
    std::vector<ConvRun> runs = {};
  };
  struct Part {
    int64_t first, last;  // blocks of output channels
  };

  int64_t channels_of(int64_t first, int64_t last) const { return (blocks_.first(last) - blocks_.first(first)) * isa_.lanes; }

  // {block of output channels, weight, tap along D, input, lanes of the block}
  int64_t weight_step(int64_t block) const { return frequency_step<A>(g_.kernel.d * g_.inputs, channels_of(block, block + 1)); }
  int64_t weights_at(int64_t block) const {
    int64_t at = 0;
    for (int64_t b = 0; b < block; ++b) at += tile_.weights() * weight_step(b);
    return at;
  }

  void transform_weights(View w) {
    const int64_t lanes = isa_.lanes, inputs = g_.inputs, pieces = (inputs + lanes - 1) / lanes, count = weights_at(blocks_.count);
    bool made = false;
    weights_ = DerivedWeight<A>::find(kept_, 64 + int64_t(tile_.form) * 8 + tile_.m, count, kMostKeptFrequencies, made);
    if (!made) return;
    for (int64_t z = 0; z < g_.kernel.d; ++z) {
      std::vector<int64_t> taps;
      for (int64_t h : plan_.axis[0].tap)
        for (int64_t v : plan_.axis[1].tap) taps.push_back(g_.tap(z, h, v));
      const WeightVectors<A> vectors(g_, isa_, w, taps);
      parallel_ranges(blocks_.vectors * pieces, 1, [&](int64_t begin, int64_t end) {
        ConvScratch<A> scratch(vectors.scratch());
        for (int64_t i = begin; i < end; ++i) {
          const int64_t vector = i / pieces, first = i % pieces * lanes;
          int64_t block = 0;
          while (blocks_.first(block + 1) <= vector) ++block;
          const int64_t width = channels_of(block, block + 1), step = weight_step(block);
          A* to = weights_->data.data() + weights_at(block) + (z * inputs + first) * width + (vector - blocks_.first(block)) * lanes;
          vectors.each(vector, first, std::min(lanes, inputs - first), scratch.data(), [&](int64_t c, const A* at, const int64_t* offset) {
            transforms_.transform_weights(at, offset, to + c * width, step);
          });
        }
      });
    }
  }

  void run_task(Worker& worker, int64_t task) {
    const int64_t share = task % shares_, chunk = task / shares_ % chunks_, column = task / shares_ / chunks_, n = column / plan_.blocks();
    const WinogradPlaneBlock block(plan_, column % plan_.blocks());
    const int64_t line = 64 / int64_t(sizeof(A)), parts = int64_t(parts_.size());
    worker.in = WinogradPlaneLayout(tile_, block.tiles(), inputs_, line);
    worker.out = WinogradPlaneLayout(tile_, block.tiles(), part_channels_, line);
    worker.held.assign(size_t(plan_.span), -1);
    for (int64_t d = g_.out.d * chunk / chunks_; d < g_.out.d * (chunk + 1) / chunks_; ++d) {
      find_runs(worker, d, n, block);
      for (int64_t p = parts * share / shares_; p < parts * (share + 1) / shares_; ++p) {
        multiply(worker, parts_[size_t(p)], block.tiles());
        transform_outputs(worker, parts_[size_t(p)], n, d, block);
      }
    }
  }

  // The planes of inputs that plane d of the outputs reads, transformed where they are not yet.
  void find_runs(Worker& worker, int64_t d, int64_t n, const WinogradPlaneBlock& block) {
    const int64_t stride = g_.out_step.d;
    const ConvAxis& phase = g_.axes[0][size_t(d % stride)];
    worker.runs.clear();
    for (size_t i = 0; i < phase.offset.size(); ++i) {
      const int64_t z = d / stride * g_.in_step.d + phase.offset[i];
      if (z < 0 || z >= int64_t(g_.in.d)) continue;
      const int64_t slot = z % plan_.span;
      if (worker.held[size_t(slot)] != z) transform_inputs(worker, slot, z, n, block);
      worker.runs.push_back({slot * worker.plane_size, phase.tap[i] * g_.inputs, g_.inputs});
    }
  }

  void transform_inputs(Worker& worker, int64_t slot, int64_t z, int64_t n, const WinogradPlaneBlock& block) {
    worker.held[size_t(slot)] = z;
    worker.tile.load(n, 0, block.start(tiling_, z, tile_.in_step()));
    WinogradPlaneRow<A> row;
    row.tiles = block.width;
    row.vectors = inputs_ / isa_.lanes;
    row.place = worker.in.place.data();
    row.tile_step = row.input_step = inputs_;
    row.shift_h = plan_.axis[0].shift;
    row.shift_w = plan_.axis[1].shift;
    for (int64_t y = 0; y < block.height; ++y) {
      find_lines(worker.tile, 0, y * tile_.in_step(), 1, tile_.in_extent(), zeros_.data(), worker.lines);
      row.inputs = worker.lines.data();
      row.frequency = worker.inputs + slot * worker.plane_size + y * block.width * inputs_;
      transforms_.transform_inputs(row);
    }
  }

  void multiply(Worker& worker, const Part& part, int64_t tiles) {
    ConvRow<A> row;
    row.runs = worker.runs.data();
    row.run_count = int64_t(worker.runs.size());
    row.x_step = inputs_;
    row.y_step = part_channels_;
    row.init = zeros_.data();
    for (int64_t b = part.first; b < part.last; ++b) {
      row.width = blocks_.width(b);
      for (size_t i = 0; i < worker.in.groups.size(); ++i) {
        row.x = worker.inputs + worker.in.groups[i].at;
        row.voxels = worker.in.groups[i].rows * tiles;
        row.w = weights_->data.data() + weights_at(b) + int64_t(i) * weight_step(b);
        row.y = worker.products + worker.out.groups[i].at + channels_of(part.first, b);
        isa_.gather(row);
      }
    }
  }

  void transform_outputs(Worker& worker, const Part& part, int64_t n, int64_t d, const WinogradPlaneBlock& block) {
    const int64_t first = channels_of(0, part.first), channels = channels_of(part.first, part.last), size = tile_.outputs();
    WinogradPlaneRow<A> row;
    row.tiles = block.width;
    row.vectors = channels / isa_.lanes;
    row.place = worker.out.place.data();
    row.tile_step = part_channels_;
    row.parity_h = plan_.axis[0].parity;
    row.parity_w = plan_.axis[1].parity;
    row.dtype = y_.dtype;
    row.output_step = g_.out_channels;
    row.voxels = std::min(block.width * size, g_.out.w - block.w * size);
    row.channels = std::min(channels, g_.outputs - first);
    row.bias = bias_.data() + first;
    for (int64_t y = 0; y < block.height; ++y) {
      worker.out_lines.clear();
      const int64_t h = (block.h + y) * size, voxel = ((n * g_.out.d + d) * g_.out.h + h) * g_.out.w + block.w * size;
      for (int64_t i = 0; i < size; ++i)
        worker.out_lines.push_back(h + i < g_.out.h ? element(y_, (voxel + i * g_.out.w) * g_.out_channels + first) : nullptr);
      row.outputs = worker.out_lines.data();
      row.frequency = worker.products + y * block.width * part_channels_;
      transforms_.transform_outputs(row);
      for (int64_t i = 0; i < size && h + i < g_.out.h; ++i)
        store_.finish(isa_, voxel + i * g_.out.w, 1, row.voxels, first, row.channels);
    }
  }

  const ConvGather& g_;
  const ConvIsa<A> isa_;
  const WinogradPlaneIsa<A> transforms_;
  const ConvInput& x_;
  View y_;
  const ConvStore& store_;
  const WinogradPlaneTile tile_;
  std::shared_ptr<void>* const kept_;
  ConvBlocks blocks_;
  std::vector<Part> parts_;
  int64_t inputs_, part_channels_ = 0, chunks_, shares_;  // inputs_: padded; chunks_: of the planes; shares_: tasks that share the parts
  WinogradPlanePlan plan_;
  ConvTiling tiling_;
  std::shared_ptr<DerivedWeight<A>> weights_;
  std::vector<A> bias_, zeros_;
};

}  // namespace

template <class A>
void winograd_plane_gather(const ConvGather& g, WinogradPlaneTile tile, const ConvInput& x, const ConvWeight& w, const ConvStore& y) {
  WinogradPlaneGather<A>(g, tile, x, w, y).run();
}
template void winograd_plane_gather<float>(const ConvGather&, WinogradPlaneTile, const ConvInput&, const ConvWeight&, const ConvStore&);
template void winograd_plane_gather<double>(const ConvGather&, WinogradPlaneTile, const ConvInput&, const ConvWeight&, const ConvStore&);

}  // namespace voxgrad
