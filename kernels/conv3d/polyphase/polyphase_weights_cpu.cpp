#include <algorithm>

#include "core/device/parallel.h"
#include "kernels/conv3d/polyphase/polyphase_tiles.h"
#include "kernels/conv3d/winograd/winograd.h"

// Weight gradient: for each frequency the outer products of the inputs of all taps along D and H and of the output gradients are summed
// over tiles, and then come back to taps along W. Chunks of tasks depend on the shape alone and are added in order.
namespace voxgrad {
namespace {

constexpr int64_t kChunks = 16;
constexpr int64_t kGradientBytes = 24 << 10;  // of a frequency of the tiles that are added at a time, which stay in the first-level cache

template <class A>
class PolyphaseWeights {
 public:
  PolyphaseWeights(const ConvGather& g, const ConvInput& x, View gy, View gw)
      : g_(g),
        tiles_(g, x),
        isa_(tiles_.isa),
        gradient_(gy, g.out_channels),
        gw_(gw),
        blocks_(g.outputs, isa_.lanes, isa_.vectors),
        chunks_(std::min(kChunks, tiles_.tasks())),
        step_(frequency_step<A>(tiles_.most[1], widest())),
        together_(std::clamp<int64_t>(kGradientBytes / (step_ * int64_t(sizeof(A))), 1, tiles_.most[2])),
        sums_(chunks_ * chunk_sums()) {
    for (int64_t phase = 0; phase < 2; ++phase)
      for (int64_t t = 0; t < g.kernel.d; ++t)
        for (int64_t c = 0; c < g.inputs; ++c)
          for (int64_t r = 0; r < g.kernel.h; ++r)
            offsets_.push_back((tiles_.axis(0)[size_t(t)] - tiles_.axis(0).front()) * tiles_.plane() + phase * tiles_.product +
                               c * tiles_.rows + r);
  }

  void run() {
    const int64_t column = tiles_.column(), inputs = tiles_.planes * tiles_.plane();
    parallel_ranges(chunks_, 1, [&](int64_t begin, int64_t end) {
      ConvScratch<A> scratch(2 * column + inputs + together_ * kPolyphaseFrequencies * step_ + kPolyphasePositions * widest());
      Worker w{{scratch.data(), scratch.data() + column}};
      w.inputs = scratch.data() + 2 * column, w.gradients = w.inputs + inputs;
      w.outputs = w.gradients + together_ * kPolyphaseFrequencies * step_;
      for (int64_t chunk = begin; chunk < end; ++chunk) {
        std::fill_n(sums(chunk, 0), chunk_sums(), A(0));
        for (int64_t task = tiles_.tasks() * chunk / chunks_; task < tiles_.tasks() * (chunk + 1) / chunks_; ++task) add(w, chunk, task);
      }
    });
    restore();
  }

 private:
  using Piece = typename PolyphaseTiles<A>::Piece;
  struct Worker {
    typename PolyphaseTiles<A>::Scratch scratch;
    A *inputs = nullptr, *gradients = nullptr;  // {plane, product, tile, channel, row}; {tile, frequency, row, channel}
    A* outputs = nullptr;                       // of a tile
    std::vector<ConvRowPair<A>> pairs = {};
  };

  int64_t widest() const { return blocks_.width(blocks_.count - 1) * isa_.lanes; }
  int64_t chunk_sums() const { return kPolyphaseProducts * tiles_.steps() * blocks_.vectors * isa_.lanes; }
  // {chunk, block of output channels, product, tap along D, input, tap along H, lanes of the block}
  A* sums(int64_t chunk, int64_t block) {
    return sums_.data() + chunk * chunk_sums() + kPolyphaseProducts * tiles_.steps() * blocks_.first(block) * isa_.lanes;
  }

  void add(Worker& worker, int64_t chunk, int64_t task) {
    const Piece p = tiles_.piece(task);
    if (p.empty()) return;
    tiles_.transform(worker.scratch, p, true, worker.inputs);
    for (int64_t z = 0; z < p.size[0]; ++z)
      for (int64_t first = 0; first < p.size[2]; first += together_)
        for (int64_t block = 0; block < blocks_.count; ++block) {
          const int64_t last = std::min(first + together_, p.size[2]);
          for (int64_t row = 0; row < p.size[1]; ++row)
            for (int64_t tile = first; tile < last; ++tile)
              transform_gradients(worker, p, z, row, tile, block, worker.gradients + (tile - first) * kPolyphaseFrequencies * step_);
          multiply(worker, p, z, first, last, block, sums(chunk, block));
        }
  }

  void transform_gradients(Worker& worker, const Piece& p, int64_t z, int64_t row, int64_t tile, int64_t block, A* to) {
    const typename PolyphaseTiles<A>::Part part = tiles_.part(p, tile, blocks_, block);
    const int64_t voxel = tiles_.voxel(p, part, z, row), width = part.width;
    const bool direct = gradient_.dtype() == dtype_of<A> && part.is_whole();
    const A* gy = direct ? gradient_.whole().template as<A>() + voxel * g_.out_channels + part.first : worker.outputs;
    if (direct && row + 1 < p.size[1]) {  // the next row, which the processor does not foresee
      for (int64_t v = 0; v < kPolyphasePositions; ++v)
        for (int64_t l = 0; l < width; l += 64 / int64_t(sizeof(A))) __builtin_prefetch(gy + (g_.out.w + v) * g_.out_channels + l);
    } else if (!direct) {
      std::fill_n(worker.outputs, kPolyphasePositions * width, A(0));
      gradient_.load(isa_, p.n, voxel, part.voxels, part.first, part.channels, worker.outputs, width);
    }
    tiles_.transforms.gradients(gy, direct ? g_.out_channels : width, blocks_.width(block), to + row * width, step_);
  }

  // Tiles [first, last).
  void multiply(Worker& worker, const Piece& p, int64_t z, int64_t first, int64_t last, int64_t block, A* sums) {
    worker.pairs.assign(size_t(last - first), {.voxels = p.size[1]});
    ConvOuter<A> o{.a_step = g_.in_step.h, .rows = worker.pairs.data(), .row_count = last - first};
    o.vectors = blocks_.width(block);
    o.b_step = o.sum_step = o.vectors * isa_.lanes;
    o.offsets = offsets_.data();
    for (int64_t f = 0; f < kPolyphaseFrequencies; ++f) {
      for (int64_t tile = first; tile < last; ++tile) {
        ConvRowPair<A>& pair = worker.pairs[size_t(tile - first)];
        pair.a = worker.inputs + z * g_.in_step.d * tiles_.plane() + 2 * f * tiles_.product + tile * g_.inputs * tiles_.rows;
        pair.b = worker.gradients + ((tile - first) * kPolyphaseFrequencies + f) * step_;
      }
      o.extent = tiles_.steps() * polyphase_phases(f);
      o.sum = sums + 2 * f * tiles_.steps() * o.sum_step;
      isa_.outer_scattered(o);
    }
  }

  void restore() {
    const int64_t steps = tiles_.steps(), lanes = isa_.lanes;
    parallel_ranges(steps, 4, [&](int64_t begin, int64_t end) {
      std::vector<A> taps(size_t(7 * lanes));
      for (int64_t i = begin; i < end; ++i)
        for (int64_t b = 0; b < blocks_.count; ++b)
          for (int64_t v = 0, width = blocks_.width(b) * lanes; v < width; v += lanes) {
            const int64_t t = i / g_.kernel.h / g_.inputs, c = i / g_.kernel.h % g_.inputs, r = i % g_.kernel.h;
            A* const total = sums(0, b) + i * width + v;
            for (int64_t j = 0; j < kPolyphaseProducts; ++j)
              for (int64_t chunk = 1; chunk < chunks_; ++chunk) {
                const A* more = sums(chunk, b) + (j * steps + i) * width + v;
                for (int64_t l = 0; l < lanes; ++l) total[j * steps * width + l] += more[l];
              }
            tiles_.transforms.restore(total, steps * width, taps.data(), lanes);
            const int64_t first = blocks_.first(b) * lanes + v;
            for (int64_t s = 0; s < 7; ++s)
              for (int64_t l = 0; l < std::min(lanes, g_.outputs - first); ++l)
                gw_.as<A>()[(first + l) * g_.w_output + g_.tap(t, r, s) * g_.w_tap + c * g_.w_input] = taps[size_t(s * lanes + l)];
          }
    });
  }

  const ConvGather& g_;
  const PolyphaseTiles<A> tiles_;
  const ConvIsa<A>& isa_;
  const ConvInput gradient_;
  const View gw_;
  const ConvBlocks blocks_;
  const int64_t chunks_, step_;  // step_: elements of the gradients from one frequency to the next
  const int64_t together_;       // tiles that are added at a time
  ConvScratch<A> sums_;
  std::vector<int64_t> offsets_;  // of {phase, tap along D, input, tap along H} from what a tile of outputs reads
};

}  // namespace

template <class A>
void polyphase_weight_gradient(const ConvGather& g, const ConvInput& x, View gy, View gw) {
  PolyphaseWeights<A>(g, x, gy, gw).run();
}
template void polyphase_weight_gradient<float>(const ConvGather&, const ConvInput&, View, View);
template void polyphase_weight_gradient<double>(const ConvGather&, const ConvInput&, View, View);

}  // namespace voxgrad
