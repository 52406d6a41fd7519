#include "kernels/conv3d/narrow.h"

#include <algorithm>

#include "core/parallel.h"
#include "kernels/conv3d/winograd_pack.h"

// Forward pass and input gradient: a task takes a block of boxes, one box per lane, and goes through their rows of tiles: inputs to
// frequencies and products a plane of frequencies at a time, products to outputs.
namespace voxgrad {
namespace {

template <class A>
class NarrowGather {
 public:
  NarrowGather(const ConvGather& g, const NarrowPlan& plan, const ConvInput& x, const WinogradWeight& weight, View y)
      : g_(g),
        plan_(plan),
        isa_(conv_isa<A>()),
        transforms_(winograd_isa<A>(plan.tile)),
        narrow_(narrow_isa<A>()),
        x_(x),
        y_(y),
        tiling_(plan.inputs(g)),
        plane_(plan.tile.frequencies() / 4) {
    const int64_t lanes = isa_.lanes;
    bias_.resize(size_t(g.outputs * lanes));
    for (int64_t k = 0; weight.bias && k < g.outputs; ++k) std::fill_n(bias_.begin() + k * lanes, lanes, weight.bias.as<A>()[k]);
    transform_weights(weight);
  }

  void run() {
    const int64_t lanes = isa_.lanes, extents = round_up(tiling_.extents() * g_.inputs, lanes) + lanes;
    const int64_t boxes = NarrowBoxes<A>::scratch(plan_, g_.inputs, true), tiles = plan_.box[2];
    const int64_t input_step = frequency_step<A>(tiles, g_.inputs * lanes), product_step = frequency_step<A>(tiles, g_.outputs * lanes);
    const int64_t line = round_up(tiles * plan_.tile.w * g_.outputs, lanes) * lanes;
    parallel_ranges(g_.n * plan_.blocks(), 1, [&](int64_t begin, int64_t end) {
      ConvScratch<A> scratch(extents + boxes + plane_ * (input_step + 4 * product_step) + 2 * plan_.tile.h * line);
      A* at = scratch.data();
      ConvTile<A> tile(isa_, g_, tiling_, x_, g_.inputs, at);
      NarrowBoxes<A> inputs(plan_, narrow_, tiling_, g_.inputs, true, at += extents);
      Worker worker{.inputs = inputs, .frequency = at += boxes, .product = at += plane_ * input_step};
      worker.outputs = at + 4 * plane_ * product_step;
      for (auto* v : {&worker.place, &worker.counts, &worker.rest[0], &worker.rest[1], &worker.rest[2]}) v->resize(size_t(lanes));
      worker.input_step = input_step, worker.product_step = product_step, worker.line = line;
      for (int64_t task = begin; task < end; ++task) {
        const int64_t n = task / plan_.blocks();
        const NarrowBlock block(plan_, task % plan_.blocks());
        tile.load(n, 0, ConvStart(tiling_, task % plan_.blocks()), true);
        inputs.load(tile, block);
        find_lanes(worker, n, block);
        for (int64_t d = 0; d < block.size[0]; ++d)
          for (int64_t h = 0; h < block.size[1]; ++h) {
            multiply(worker, d, h, block.size[2]);
            store(worker, n, block, d, h);
          }
      }
    });
  }

 private:
  struct Worker {
    NarrowBoxes<A>& inputs;
    A *frequency = nullptr, *product = nullptr, *outputs = nullptr;
    int64_t input_step = 0, product_step = 0, line = 0;  // line: of outputs
    std::vector<const A*> lines = {};
    std::vector<void*> out_lines = {};
    std::vector<int64_t> place = {}, counts = {}, rest[3] = {};  // of the outputs of each lane
  };

  // {frequency, input, output}
  int64_t weight_step() const { return frequency_step<A>(g_.inputs, g_.outputs); }

  void transform_weights(const WinogradWeight& weight) {
    bool made = false;
    weights_ = TransformedWeight<A>::find(weight.kept, 128, 4 * plane_ * weight_step(), made);
    if (!made) return;
    const WinogradPack<A> pack(g_, isa_, transforms_, weight.w);
    const int64_t lanes = isa_.lanes, vectors = (g_.outputs + lanes - 1) / lanes;
    parallel_ranges(g_.inputs * vectors, 4, [&](int64_t begin, int64_t end) {
      ConvScratch<A> scratch(pack.scratch() + 4 * plane_ * lanes);
      A* const made_of = scratch.data() + pack.scratch();
      for (int64_t i = begin; i < end; ++i) {
        const int64_t c = i / vectors, first = i % vectors * lanes;
        pack.vector(i % vectors, c, 1, made_of, lanes, lanes, scratch.data());
        for (int64_t f = 0; f < 4 * plane_; ++f)
          std::copy_n(made_of + f * lanes, std::min(lanes, g_.outputs - first),
                      weights_->data.data() + f * weight_step() + c * g_.outputs + first);
      }
    });
  }

  void multiply(Worker& worker, int64_t d, int64_t h, int64_t tiles) {
    const int64_t lanes = isa_.lanes;
    const Int3 m = plan_.tile.outputs();
    WinogradRow<A> row;
    row.tiles = tiles, row.vectors = g_.inputs, row.frequency = worker.frequency, row.frequency_step = worker.input_step;
    row.tile_step = row.input_step = g_.inputs * lanes, row.planes = 1;
    worker.lines.clear();
    for (int64_t i = 0; i < m.d + 2; ++i)
      for (int64_t j = 0; j < m.h + 2; ++j) worker.lines.push_back(worker.inputs.row(d * m.d + i, h * m.h + j));
    row.inputs = worker.lines.data();
    NarrowProduct<A> p{.frequencies = plane_, .tiles = tiles, .inputs = g_.inputs, .outputs = g_.outputs};
    p.in = worker.frequency, p.w_step = weight_step(), p.in_step = worker.input_step, p.out_step = worker.product_step;
    for (int z = 0; z < 4; ++z) {
      row.first_plane = z;
      transforms_.transform_inputs(row);
      p.w = weights_->data.data() + z * plane_ * p.w_step, p.out = worker.product + z * plane_ * p.out_step;
      narrow_.multiply(p);
    }
  }

  void store(Worker& worker, int64_t n, const NarrowBlock& block, int64_t d, int64_t h) {
    const int64_t lanes = isa_.lanes, tiles = block.size[2];
    const Int3 m = plan_.tile.outputs();
    WinogradRow<A> row;
    row.tiles = tiles, row.vectors = g_.outputs, row.frequency = worker.product, row.frequency_step = worker.product_step;
    row.tile_step = row.output_step = row.channels = g_.outputs * lanes, row.dtype = dtype_of<A>;
    row.voxels = tiles * m.w, row.bias = bias_.data();
    worker.out_lines.clear();
    for (int64_t i = 0; i < m.d * m.h; ++i) worker.out_lines.push_back(worker.outputs + i * worker.line);
    row.outputs = worker.out_lines.data();
    transforms_.transform_outputs(row);
    for (int64_t i = 0; i < m.d; ++i)
      for (int64_t j = 0; j < m.h; ++j) {
        const int64_t z = d * m.d + i, y = h * m.h + j;
        for (size_t l = 0; l < size_t(lanes); ++l)
          worker.counts[l] = z < worker.rest[0][l] && y < worker.rest[1][l] ? worker.rest[2][l] * g_.outputs : 0;
        narrow_.store_lanes(y_.dtype, worker.outputs + (i * m.h + j) * worker.line, row.voxels * g_.outputs,
                            element(y_, (z * g_.out.h + y) * g_.out.w * g_.outputs), worker.place.data(), worker.counts.data());
      }
  }

  // Where the outputs of each lane start, and how many of them the volume has along each axis.
  void find_lanes(Worker& worker, int64_t n, const NarrowBlock& block) {
    const Int3 m = plan_.tile.outputs();
    for (size_t l = 0; l < size_t(isa_.lanes); ++l) {
      const NarrowLane lane(plan_, block, int64_t(l));
      int64_t place = n;
      for (int a = 0; a < 3; ++a) {
        const int64_t first = block.first[a] * m[a] + lane.first[a];
        place = place * g_.out[a] + first;
        worker.rest[a][l] = std::clamp<int64_t>(g_.out[a] - first, 0, block.size[a] * m[a]);
      }
      worker.place[l] = place * g_.outputs;
    }
  }

  const ConvGather& g_;
  const NarrowPlan& plan_;
  const ConvIsa<A> isa_;
  const WinogradIsa<A> transforms_;
  const NarrowIsa<A> narrow_;
  const ConvInput& x_;
  View y_;
  const ConvTiling tiling_;
  const int64_t plane_;  // frequencies of a plane
  std::shared_ptr<TransformedWeight<A>> weights_;
  std::vector<A> bias_;
};

}  // namespace

template <class A>
void narrow_gather(const ConvGather& g, const NarrowPlan& plan, const ConvInput& x, const WinogradWeight& w, View y) {
  NarrowGather<A>(g, plan, x, w, y).run();
}
template void narrow_gather<float>(const ConvGather&, const NarrowPlan&, const ConvInput&, const WinogradWeight&, View);
template void narrow_gather<double>(const ConvGather&, const NarrowPlan&, const ConvInput&, const WinogradWeight&, View);

}  // namespace voxgrad
