#include <algorithm>

#include "core/device/parallel.h"
#include "kernels/conv3d/winograd_plane/winograd_plane_passes.h"

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
        tile_(tile),
        kept_(weight.kept),
        blocks_(g.outputs, conv_isa<A>().lanes, conv_isa<A>().vectors),
        part_channels_(find_parts()),
        passes_(g, plan_of(g, tile), x, weight.bias, y, part_channels_),
        isa_(passes_.isa),
        plan_(passes_.plan),
        inputs_(passes_.inputs) {
    const int64_t columns = g.n * plan_.blocks();
    chunks_ = even_pieces(columns, (g.out.d + kPlanesPerTask - 1) / kPlanesPerTask);
    shares_ = even_pieces(columns * chunks_, int64_t(parts_.size()));
    transform_weights(weight.w);
  }

  void run() {
    const int64_t line = 64 / int64_t(sizeof(A)), tiles = plan_.tiles_of_block();
    const int64_t extents = round_up(passes_.tiling.extents() * inputs_, line),
                  in_size = WinogradPlaneLayout(tile_, tiles, inputs_, line).size,
                  out_size = WinogradPlaneLayout(tile_, tiles, part_channels_, line).size;
    parallel_ranges(g_.n * plan_.blocks() * chunks_ * shares_, 1, [&](int64_t begin, int64_t end) {
      ConvScratch<A> scratch(extents + plan_.span * in_size + out_size);
      Worker worker{.tile = ConvTile<A>(isa_, g_, passes_.tiling, passes_.x, inputs_, scratch.data())};
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
    typename WinogradPlanePasses<A>::Lines lines = {};
    std::vector<ConvRun> runs = {};
  };
  struct Part {
    int64_t first, last;  // blocks of output channels
  };

  // The most channels of a part.
  int64_t find_parts() {
    int64_t most = 0;
    for (int64_t first = 0; first < blocks_.count;) {
      int64_t last = first + 1;
      while (last < blocks_.count && channels_of(first, last + 1) <= kPartChannels) ++last;
      most = std::max(most, channels_of(first, last));
      parts_.push_back({first, last});
      first = last;
    }
    return most;
  }
  WinogradPlanePlan plan_of(const ConvGather& g, WinogradPlaneTile tile) const {
    const int64_t size = int64_t(sizeof(A));
    return winograd_plane_plan(g, tile, round_up(g.inputs, conv_isa<A>().lanes) * size, part_channels_ * size);
  }

  int64_t channels_of(int64_t first, int64_t last) const { return (blocks_.first(last) - blocks_.first(first)) * conv_isa<A>().lanes; }

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
      const WeightVectors<A> vectors = passes_.weights_of(w, z);
      parallel_ranges(blocks_.vectors * pieces, 1, [&](int64_t begin, int64_t end) {
        ConvScratch<A> scratch(vectors.scratch());
        for (int64_t i = begin; i < end; ++i) {
          const int64_t vector = i / pieces, first = i % pieces * lanes;
          int64_t block = 0;
          while (blocks_.first(block + 1) <= vector) ++block;
          const int64_t width = channels_of(block, block + 1), step = weight_step(block);
          A* to = weights_->data.data() + weights_at(block) + (z * inputs + first) * width + (vector - blocks_.first(block)) * lanes;
          vectors.each(vector, first, std::min(lanes, inputs - first), scratch.data(), [&](int64_t c, const A* at, const int64_t* offset) {
            passes_.transforms.transform_weights(at, offset, to + c * width, step);
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
        const int64_t first = channels_of(0, parts_[size_t(p)].first), last = channels_of(0, parts_[size_t(p)].last);
        passes_.transform_outputs(worker.lines, n, d, block, worker.out.place.data(), block.width, part_channels_, first, last - first,
                                  worker.products);
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
      if (worker.held[size_t(slot)] != z)
        passes_.transform_inputs(worker.tile, worker.lines, n, z, block, worker.in.place.data(), block.width,
                                 worker.inputs + slot * worker.plane_size);
      worker.held[size_t(slot)] = z;
      worker.runs.push_back({slot * worker.plane_size, phase.tap[i] * g_.inputs, g_.inputs});
    }
  }

  void multiply(Worker& worker, const Part& part, int64_t tiles) {
    ConvRow<A> row;
    row.runs = worker.runs.data();
    row.run_count = int64_t(worker.runs.size());
    row.x_step = inputs_;
    row.y_step = part_channels_;
    row.init = passes_.zeros();
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

  const ConvGather& g_;
  const WinogradPlaneTile tile_;
  std::shared_ptr<void>* const kept_;
  const ConvBlocks blocks_;
  std::vector<Part> parts_;
  const int64_t part_channels_;
  const WinogradPlanePasses<A> passes_;
  const ConvIsa<A>& isa_;
  const WinogradPlanePlan& plan_;
  const int64_t inputs_;     // padded
  int64_t chunks_, shares_;  // of the planes; tasks that share the parts
  std::shared_ptr<DerivedWeight<A>> weights_;
};

}  // namespace

template <class A>
void winograd_plane_gather(const ConvGather& g, WinogradPlaneTile tile, const ConvInput& x, const ConvWeight& w, const ConvStore& y) {
  if (winograd_plane_streams(g, tile, conv_isa<A>().lanes)) winograd_plane_streamed<A>(g, tile, x, w, y);
  else WinogradPlaneGather<A>(g, tile, x, w, y).run();
}
template void winograd_plane_gather<float>(const ConvGather&, WinogradPlaneTile, const ConvInput&, const ConvWeight&, const ConvStore&);
template void winograd_plane_gather<double>(const ConvGather&, WinogradPlaneTile, const ConvInput&, const ConvWeight&, const ConvStore&);

}  // namespace voxgrad
