#include "kernels/conv3d/polyphase/polyphase.h"

#include <algorithm>

#include "core/device/parallel.h"
#include "kernels/conv3d/polyphase/polyphase_tiles.h"
#include "kernels/conv3d/weight_vectors.h"
#include "kernels/conv3d/winograd/winograd.h"

// A frequency at a time, the direct kernel sums the taps along D and H for a column of outputs.
namespace voxgrad {
namespace {

constexpr int kTaps = 7;  // along W
constexpr int64_t kMostChannels = 4;
// In multiply-adds: README.md has what was measured.
constexpr double kTransforms = 130;         // of a tile
constexpr double kSquareTransforms = 1100;  // of a square of tiles and a plane of outputs
constexpr int64_t kFewestPlanes = 4;        // of outputs, which are what a sum's weights serve

bool rises_by_one(const std::vector<int64_t>& offset) { return offset.back() - offset.front() + 1 == int64_t(offset.size()); }

double steps_of(const ConvGather& g) { return double(g.kernel.d) * g.kernel.h * double(g.inputs); }
// With frequencies along W.
double cost(const ConvGather& g) {
  return double(g.out.d * g.out.h * chunk_count(g.out.w, kPolyphasePositions)) * (kPolyphaseProducts * steps_of(g) + kTransforms);
}

template <class A>
class PolyphaseGather {
 public:
  PolyphaseGather(const ConvGather& g, const ConvInput& x, const ConvWeight& weight, const ConvStore& y)
      : g_(g), tiles_(g, x), isa_(tiles_.isa), y_(y.y), store_(y), blocks_(g.outputs, isa_.lanes, isa_.vectors) {
    product_ = frequency_step<A>(tiles_.most[1], widest());
    bias_.resize(size_t(blocks_.vectors * isa_.lanes));
    for (int64_t k = 0; weight.bias && k < g.outputs; ++k) bias_[size_t(k)] = weight.bias.as<A>()[k];
    zeros_.resize(size_t(widest()));
    transform_weights(weight);
  }

  void run() {
    const int64_t column = tiles_.column(), inputs = tiles_.planes * tiles_.plane();
    parallel_ranges(tiles_.tasks(), 1, [&](int64_t begin, int64_t end) {
      ConvScratch<A> scratch(2 * column + inputs + kPolyphaseFrequencies * product_ + kPolyphasePositions * widest());
      Worker w{{scratch.data(), scratch.data() + column}};
      w.inputs = scratch.data() + 2 * column, w.products = w.inputs + inputs;
      w.outputs = w.products + kPolyphaseFrequencies * product_;
      for (int64_t task = begin; task < end; ++task) run_task(w, task);
    });
  }

 private:
  using Piece = typename PolyphaseTiles<A>::Piece;
  struct Worker {
    typename PolyphaseTiles<A>::Scratch scratch;
    A *inputs = nullptr, *products = nullptr;  // {plane, product, tile, channel, row}; {frequency, row, channel}
    A* outputs = nullptr;                      // of a tile
    std::vector<ConvRun> runs = {};
  };

  int64_t widest() const { return blocks_.width(blocks_.count - 1) * isa_.lanes; }
  int64_t steps() const { return tiles_.steps(); }
  // {block of output channels, product, tap along D, input, tap along H, lanes of the block}
  A* weights(int64_t block, int64_t product) const {
    const int64_t first = blocks_.first(block) * isa_.lanes, width = blocks_.width(block) * isa_.lanes;
    return weights_->data.data() + (first * kPolyphaseProducts + product * width) * steps();
  }

  void transform_weights(const ConvWeight& weight) {
    constexpr int64_t kAlgorithm = 257;  // direct_cpu.cpp has the one before
    bool made = false;
    weights_ = DerivedWeight<A>::find(weight.kept, kAlgorithm, kPolyphaseProducts * steps() * blocks_.vectors * isa_.lanes,
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
              tiles_.transforms.weights(at, offset, weights(block, 0) + ((t * g_.inputs + c) * g_.kernel.h + r) * width + v * lanes,
                                  steps() * width);
            });
      }
    });
  }

  void run_task(Worker& worker, int64_t task) {
    const Piece p = tiles_.piece(task);
    if (p.empty()) return;
    tiles_.transform(worker.scratch, p, false, worker.inputs);
    for (int64_t z = 0; z < p.size[0]; ++z) {
      find_runs(worker, p, z);
      for (int64_t tile = 0; tile < p.size[2]; ++tile)
        for (int64_t block = 0; block < blocks_.count; ++block) {
          multiply(worker, p, tile, block);
          store(worker, p, z, tile, block);
        }
    }
  }

  // Of each phase the taps along D that lie within the volume, and the inputs: each is a run of the taps along H.
  void find_runs(Worker& worker, const Piece& p, int64_t z) {
    worker.runs.clear();
    for (int64_t phase = 0; phase < 2; ++phase)
      for (int64_t t = 0; t < g_.kernel.d; ++t) {
        const int64_t plane = (p.first[0] + z) * g_.in_step.d + tiles_.axis(0)[size_t(t)];
        if (plane < 0 || plane >= g_.in.d) continue;
        const int64_t slot = z * g_.in_step.d + tiles_.axis(0)[size_t(t)] - tiles_.axis(0).front();
        for (int64_t c = 0; c < g_.inputs; ++c)
          worker.runs.push_back({slot * tiles_.plane() + phase * tiles_.product + c * tiles_.rows,
                                 phase * steps() + (t * g_.inputs + c) * g_.kernel.h, g_.kernel.h});
      }
  }

  void multiply(Worker& worker, const Piece& p, int64_t tile, int64_t block) {
    ConvRow<A> row;
    row.runs = worker.runs.data();
    row.x_step = g_.in_step.h;
    row.width = blocks_.width(block);
    row.y_step = row.width * isa_.lanes;
    row.voxels = p.size[1];
    row.init = zeros_.data();
    for (int64_t f = 0; f < kPolyphaseFrequencies; ++f) {
      row.run_count = int64_t(worker.runs.size()) / 2 * polyphase_phases(f);
      row.x = worker.inputs + 2 * f * tiles_.product + tile * g_.inputs * tiles_.rows;
      row.w = weights(block, 2 * f);
      row.y = worker.products + f * product_;
      isa_.gather(row);
    }
  }

  void store(Worker& worker, const Piece& p, int64_t z, int64_t tile, int64_t block) {
    const typename PolyphaseTiles<A>::Part part = tiles_.part(p, tile, blocks_, block);
    const bool direct = y_.dtype == dtype_of<A> && part.is_whole();
    for (int64_t i = 0; i < p.size[1]; ++i) {
      const int64_t voxel = tiles_.voxel(p, part, z, i);
      void* to = element(y_, voxel * g_.out_channels + part.first);
      A* outputs = direct ? static_cast<A*>(to) : worker.outputs;
      tiles_.transforms.outputs(worker.products + i * part.width, product_, blocks_.width(block), bias_.data() + part.first, outputs,
                                direct ? g_.out_channels : part.width);
      if (!direct) isa_.store_rows(y_.dtype, outputs, part.width, to, g_.out_channels, part.voxels, part.channels);
      store_.finish(isa_, voxel, 1, part.voxels, part.first, part.channels);
    }
  }

  const ConvGather& g_;
  const PolyphaseTiles<A> tiles_;
  const ConvIsa<A>& isa_;
  View y_;
  const ConvStore& store_;
  ConvBlocks blocks_;
  int64_t product_ = 0;  // elements from one frequency to the next
  std::shared_ptr<DerivedWeight<A>> weights_;
  std::vector<A> bias_, zeros_;
};

}  // namespace

bool is_polyphase_square(const ConvGather& g) {
  if (g.in_step.h != 2 || g.kernel.h != kTaps || g.out.d < kFewestPlanes || !rises_by_one(g.axes[0][0].offset)) return false;
  const double products = double(kPolyphaseProducts) * kPolyphaseProducts,
               squares = double(g.out.d * chunk_count(g.out.h, kPolyphasePositions) * chunk_count(g.out.w, kPolyphasePositions));
  return squares * (products * double(g.kernel.d) * double(g.inputs) + kSquareTransforms) < cost(g);
}

bool is_polyphase(const ConvGather& g, int64_t lanes, double direct) {
  if (!winograd_is_wanted() || g.depthwise || g.slices != 1 || g.inputs > std::min(kMostChannels, lanes) || g.outputs < lanes) return false;
  if (g.in_step.w != 2 || g.kernel.w != kTaps || g.out_step != Int3{1, 1, 1} || g.out.d * g.out.h * g.out.w == 0) return false;
  if (!rises_by_one(g.axes[1][0].offset) || !rises_by_one(g.axes[2][0].offset)) return false;
  return cost(g) < direct * double(g.out.d * g.out.h * g.out.w) * kTaps * steps_of(g);
}

template <class A>
void polyphase_gather(const ConvGather& g, const ConvInput& x, const ConvWeight& weight, const ConvStore& y) {
  if (is_polyphase_square(g)) polyphase_squares_gather<A>(g, x, weight, y);
  else PolyphaseGather<A>(g, x, weight, y).run();
}
template void polyphase_gather<float>(const ConvGather&, const ConvInput&, const ConvWeight&, const ConvStore&);
template void polyphase_gather<double>(const ConvGather&, const ConvInput&, const ConvWeight&, const ConvStore&);

}  // namespace voxgrad
