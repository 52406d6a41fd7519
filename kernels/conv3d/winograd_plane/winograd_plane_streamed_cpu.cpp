#include "core/device/parallel.h"
#include "kernels/conv3d/winograd_plane/winograd_plane_passes.h"

// The gather where weights exceed the caches and meet few tiles: all tiles of all planes are transformed first; then a task takes a block
// of output channels and multiplies the weights of a few inputs as soon as it has transformed them.
namespace voxgrad {
namespace {

constexpr int64_t kInputs = 64, kVectors = 2;  // of weights in memory at a time
constexpr int64_t kTransforms = 8;             // tasks of the first part, at least, where there are as many rows of tiles

template <class A>
class WinogradPlaneStreamed {
 public:
  WinogradPlaneStreamed(const ConvGather& g, WinogradPlaneTile tile, const ConvInput& x, const ConvWeight& weight, const ConvStore& y)
      : g_(g),
        passes_(g, plan_of(g, tile), x, weight.bias, y, kVectors * conv_isa<A>().lanes),
        blocks_(g.outputs, passes_.isa.lanes, kVectors),
        planes_in_(g.n * g.in.d),
        planes_out_(g.n * g.out.d),
        tiles_w_(passes_.plan.axis[1].tiles),
        tiles_(passes_.plan.axis[0].tiles * tiles_w_),
        in_(tile, planes_in_ * tiles_, passes_.inputs, kLine),
        inputs_(in_.size) {
    for (int64_t z = 0; z < g.kernel.d; ++z) vectors_.push_back(passes_.weights_of(weight.w, z));
    find_pairs();
  }

  void run() {
    const int64_t blocks = passes_.plan.blocks();
    parallel_ranges(planes_in_ * blocks, 1, [&](int64_t begin, int64_t end) {
      ConvScratch<A> scratch(round_up(passes_.tiling.extents() * passes_.inputs, kLine));
      ConvTile<A> tile(passes_.isa, g_, passes_.tiling, passes_.x, passes_.inputs, scratch.data());
      typename WinogradPlanePasses<A>::Lines lines;
      for (int64_t i = begin; i < end; ++i) {
        const WinogradPlaneBlock block(passes_.plan, i % blocks);
        const int64_t plane = i / blocks, first = plane * tiles_ + block.h * tiles_w_ + block.w;
        passes_.transform_inputs(tile, lines, plane / g_.in.d, plane % g_.in.d, block, in_.place.data(), tiles_w_,
                                 inputs_.data() + first * passes_.inputs);
      }
    });
    parallel_for(blocks_.count, 1, [&](int64_t b) { run_block(b); });
  }

 private:
  static constexpr int64_t kLine = 64 / int64_t(sizeof(A));
  // Planes of inputs and of outputs that meet at a tap along D: `count` neighbours of both.
  struct Pairs {
    int64_t in, out, count;
  };

  static WinogradPlanePlan plan_of(const ConvGather& g, WinogradPlaneTile tile) {
    const WinogradPlanePlan whole = winograd_plane_plan(g, tile, INT64_MAX);
    return winograd_plane_plan(g, tile, chunk_count(g.n * g.in.d * whole.tiles_of_block(), kTransforms));
  }

  void find_pairs() {
    pairs_.resize(size_t(g_.kernel.d));
    for (int64_t n = 0; n < g_.n; ++n)
      for (int64_t d = 0; d < g_.out.d; ++d) {
        const ConvAxis& phase = g_.axes[0][size_t(d % g_.out_step.d)];
        for (size_t i = 0; i < phase.offset.size(); ++i) {
          const int64_t z = d / g_.out_step.d * g_.in_step.d + phase.offset[i];
          if (z < 0 || z >= int64_t(g_.in.d)) continue;
          std::vector<Pairs>& of = pairs_[size_t(phase.tap[i])];
          const Pairs next{n * g_.in.d + z, n * g_.out.d + d, 1};
          if (!of.empty() && of.back().in + of.back().count == next.in && of.back().out + of.back().count == next.out) ++of.back().count;
          else of.push_back(next);
        }
      }
  }

  void run_block(int64_t b) {
    const int64_t lanes = passes_.isa.lanes, width = blocks_.width(b) * lanes, groups = int64_t(in_.groups.size());
    const WinogradPlaneLayout out(passes_.plan.tile, planes_out_ * tiles_, width, kLine);
    const int64_t weight_step = frequency_step<A>(kInputs, width);
    ConvScratch<A> scratch(out.size + groups * weight_step + vectors_[0].scratch());
    A *const products = scratch.data(), *const weights = products + out.size, *const squares = weights + groups * weight_step;
    std::fill_n(products, out.size, A(0));
    for (int64_t first = 0; first < g_.inputs; first += kInputs)
      for (int64_t z = 0; z < g_.kernel.d; ++z) {
        const int64_t count = std::min(kInputs, g_.inputs - first);
        for (int64_t v = 0; v < blocks_.width(b); ++v)
          for (int64_t c = 0; c < count; c += lanes)
            vectors_[size_t(z)].each(blocks_.first(b) + v, first + c, std::min(lanes, count - c), squares,
                                     [&](int64_t i, const A* at, const int64_t* offset) {
                                       passes_.transforms.transform_weights(at, offset, weights + (c + i) * width + v * lanes, weight_step);
                                     });
        for (int64_t i = 0; i < groups; ++i)
          for (const Pairs& p : pairs_[size_t(z)]) multiply(p, i, first, count, out, width, weights + i * weight_step, products);
      }
    typename WinogradPlanePasses<A>::Lines lines;
    for (int64_t plane = 0; plane < planes_out_; ++plane)
      for (int64_t i = 0; i < passes_.plan.blocks(); ++i) {
        const WinogradPlaneBlock block(passes_.plan, i);
        passes_.transform_outputs(lines, plane / g_.out.d, plane % g_.out.d, block, out.place.data(), tiles_w_, width,
                                  blocks_.first(b) * lanes, width, products + (plane * tiles_ + block.h * tiles_w_ + block.w) * width);
      }
  }

  // The frequencies of group i, which share a weight, of these planes.
  void multiply(const Pairs& p, int64_t i, int64_t first, int64_t count, const WinogradPlaneLayout& out, int64_t width, const A* weights,
                A* products) {
    const ConvRun run{.steps = count};
    ConvRow<A> row;
    row.runs = &run;
    row.run_count = 1;
    row.x_step = passes_.inputs;
    row.y_step = width;
    row.width = width / passes_.isa.lanes;
    row.w = weights;
    const WinogradPlaneLayout::Group &from = in_.groups[size_t(i)], &to = out.groups[size_t(i)];
    const bool all = p.count == planes_in_ && p.count == planes_out_;
    row.voxels = p.count * tiles_ * (all ? from.rows : 1);
    for (int64_t r = 0; r < (all ? 1 : from.rows); ++r) {
      row.x = inputs_.data() + from.at + (r * planes_in_ + p.in) * tiles_ * passes_.inputs + first;
      row.y = products + to.at + (r * planes_out_ + p.out) * tiles_ * width;
      passes_.isa.gather(row);
    }
  }

  const ConvGather& g_;
  const WinogradPlanePasses<A> passes_;
  const ConvBlocks blocks_;
  const int64_t planes_in_, planes_out_, tiles_w_, tiles_;  // of all samples; of a plane: tiles in a row and in all
  const WinogradPlaneLayout in_;
  ConvScratch<A> inputs_;
  std::vector<WeightVectors<A>> vectors_;  // of each tap along D
  std::vector<std::vector<Pairs>> pairs_;
};

}  // namespace

template <class A>
void winograd_plane_streamed(const ConvGather& g, WinogradPlaneTile tile, const ConvInput& x, const ConvWeight& w, const ConvStore& y) {
  WinogradPlaneStreamed<A>(g, tile, x, w, y).run();
}
template void winograd_plane_streamed<float>(const ConvGather&, WinogradPlaneTile, const ConvInput&, const ConvWeight&, const ConvStore&);
template void winograd_plane_streamed<double>(const ConvGather&, WinogradPlaneTile, const ConvInput&, const ConvWeight&, const ConvStore&);

}  // namespace voxgrad
