#include <algorithm>

#include "core/device/parallel.h"
#include "kernels/conv3d/winograd_plane/winograd_plane.h"

// Weight gradient: a task goes through the planes of some blocks of tiles and sums, for a group of input and of output channels, the
// products of the transformed output gradients with the planes of transformed inputs that each tap along D meets. Chunks of blocks depend
// on the shape alone and are added in order.
namespace voxgrad {
namespace {

constexpr int64_t kTasks = 16, kFewTasks = 8;  // each chunk restores a weight of its own: none is made for more tasks than the few
constexpr int64_t kSumBytes = 1 << 20;         // of a task
constexpr int64_t kGroupChannels = 64;

template <class A>
class WinogradPlaneWeights {
 public:
  WinogradPlaneWeights(const ConvGather& g, WinogradPlaneTile tile, const ConvInput& x, View gy, View gw)
      : g_(g),
        isa_(conv_isa<A>()),
        transforms_(winograd_plane_isa<A>(tile)),
        tile_(tile),
        in_(grouped_channels(g, false, isa_.lanes, kGroupChannels)),
        out_(grouped_channels(g, true, isa_.lanes, outputs_of_group(tile, g, in_.inputs))),
        x_(x),
        gradient_(gy, g.out_channels),
        gw_(gw),
        inputs_(round_up(g.inputs, isa_.lanes)) {
    plan_ = winograd_plane_plan(g, tile, in_.inputs * int64_t(sizeof(A)), out_.inputs * int64_t(sizeof(A)));
    in_tiling_ = plane_tiling(g.in, plan_, tile.in_step(), tile.in_extent(), true);
    out_tiling_ = plane_tiling(g.out, plan_, tile.m, tile.m, false);
    const int64_t groups = in_.slices * out_.slices, columns = g.n * plan_.blocks();
    // Chunks are of whole blocks, or of some planes of one.
    chunks_ = groups >= kFewTasks ? 1 : (kTasks + groups - 1) / groups;
    cuts_ = columns >= chunks_ ? 1 : std::clamp<int64_t>(chunks_ / columns, 1, std::max<int64_t>(1, g.out.d / kPlanesPerCut));
    chunks_ = std::min(chunks_, columns * cuts_);
    zeros_.resize(size_t(std::max(in_tiling_.extent[2] * in_.inputs, out_tiling_.extent[2] * out_.inputs)));
    taps_.emplace(chunks_ * g.taps() * g.outputs * inputs_);
  }

  void run() {
    const int64_t line = 64 / int64_t(sizeof(A)), tiles = plan_.tiles_of_block(), groups = in_.slices * out_.slices;
    const int64_t in_extents = round_up(in_tiling_.extents() * in_.inputs, line),
                  out_extents = round_up(out_tiling_.extents() * out_.inputs, line);
    const int64_t in_size = WinogradPlaneLayout(tile_, tiles, in_.inputs, line).size,
                  out_size = WinogradPlaneLayout(tile_, tiles, out_.inputs, line).size;
    const int64_t sums = tile_.weights() * g_.kernel.d * in_.inputs * out_.inputs;
    parallel_ranges(chunks_ * groups, 1, [&](int64_t begin, int64_t end) {
      ConvScratch<A> scratch(in_extents + out_extents + sums + plan_.span * in_size + out_size);
      A* const at = scratch.data();
      Worker worker{.in = ConvTile<A>(isa_, in_, in_tiling_, x_, in_.inputs, at),
                    .out = ConvTile<A>(isa_, out_, out_tiling_, gradient_, out_.inputs, at + in_extents)};
      worker.sums = at + in_extents + out_extents;
      worker.inputs = worker.sums + sums;
      worker.plane_size = in_size;
      worker.gradients = worker.inputs + plan_.span * in_size;
      for (int64_t task = begin; task < end; ++task)
        sum_chunk(worker, task / groups, task % groups / out_.slices, task % groups % out_.slices);
    });
    combine();
  }

 private:
  static constexpr int64_t kPlanesPerCut = 4;
  struct Worker {
    ConvTile<A> in, out;
    A *inputs = nullptr, *gradients = nullptr;  // planes of frequencies, plane z of the inputs in slot z % span
    A* sums = nullptr;                          // {block of inputs, tap along D, weight, output, lanes of the block}
    int64_t plane_size = 0;
    WinogradPlaneLayout in_layout = {}, out_layout = {};
    std::vector<int64_t> held = {};  // the plane in each slot
    std::vector<const A*> lines = {};
  };

  static int64_t outputs_of_group(WinogradPlaneTile tile, const ConvGather& g, int64_t inputs) {
    const int64_t fit = kSumBytes / (tile.weights() * g.kernel.d * inputs * int64_t(sizeof(A)));
    return std::clamp<int64_t>(fit / 16 * 16, 16, kGroupChannels);
  }

  void sum_chunk(Worker& worker, int64_t chunk, int64_t in_group, int64_t out_group) {
    const int64_t outputs = out_.inputs_of(out_group), columns = g_.n * plan_.blocks();
    const ConvBlocks blocks(in_.inputs_of(in_group), isa_.lanes, isa_.vectors);
    std::fill_n(worker.sums, tile_.weights() * g_.kernel.d * outputs * blocks.vectors * isa_.lanes, A(0));
    const int64_t pieces = columns * cuts_;
    for (int64_t i = pieces * chunk / chunks_; i < pieces * (chunk + 1) / chunks_; ++i) {
      const int64_t column = i / cuts_, n = column / plan_.blocks(), cut = i % cuts_;
      const WinogradPlaneBlock block(plan_, column % plan_.blocks());
      const int64_t line = 64 / int64_t(sizeof(A));
      worker.in_layout = WinogradPlaneLayout(tile_, block.tiles(), in_.inputs, line);
      worker.out_layout = WinogradPlaneLayout(tile_, block.tiles(), out_.inputs, line);
      worker.held.assign(size_t(plan_.span), -1);
      for (int64_t d = g_.out.d * cut / cuts_; d < g_.out.d * (cut + 1) / cuts_; ++d) {
        transform(worker, worker.out, out_tiling_, out_group, n, d, block, false, worker.gradients);
        const ConvAxis& axis = g_.axes[0][0];
        for (size_t t = 0; t < axis.offset.size(); ++t) {
          const int64_t z = d * g_.in_step.d + axis.offset[t];
          if (z < 0 || z >= int64_t(g_.in.d)) continue;
          const int64_t slot = z % plan_.span;
          A* const plane = worker.inputs + slot * worker.plane_size;
          if (worker.held[size_t(slot)] != z) transform(worker, worker.in, in_tiling_, in_group, n, z, block, true, plane);
          worker.held[size_t(slot)] = z;
          multiply(worker, plane, blocks, outputs, axis.tap[t], block.tiles());
        }
      }
    }
    restore(worker, blocks, outputs, chunk, in_group, out_group);
  }

  void transform(Worker& worker, ConvTile<A>& tile, const ConvTiling& tiling, int64_t group, int64_t n, int64_t z,
                 const WinogradPlaneBlock& block, bool inputs, A* to) {
    const int step = inputs ? tile_.in_step() : tile_.m, extent = inputs ? tile_.in_extent() : tile_.m;
    const int64_t channels = inputs ? in_.inputs : out_.inputs;
    tile.load(n, group, block.start(tiling, z, step));
    WinogradPlaneRow<A> row;
    row.tiles = block.width;
    row.vectors = channels / isa_.lanes;
    row.tile_step = row.input_step = channels;
    row.place = (inputs ? worker.in_layout : worker.out_layout).place.data();
    for (int64_t y = 0; y < block.height; ++y) {
      find_lines(tile, 0, y * step, 1, extent, zeros_.data(), worker.lines);
      row.inputs = worker.lines.data();
      row.frequency = to + y * block.width * channels;
      inputs ? transforms_.transform_inputs(row) : transforms_.transform_gradients(row);
    }
  }

  void multiply(const Worker& worker, const A* plane, const ConvBlocks& blocks, int64_t outputs, int64_t tap, int64_t tiles) {
    ConvRowPair<A> pair;
    ConvOuter<A> o{.a_step = out_.inputs, .b_step = in_.inputs, .rows = &pair, .row_count = 1};
    o.extent = outputs;
    for (int64_t b = 0; b < blocks.count; ++b) {
      o.vectors = blocks.width(b);
      o.sum_step = o.vectors * isa_.lanes;
      o.sum = worker.sums + (blocks.first(b) * g_.kernel.d + tap * o.vectors) * isa_.lanes * tile_.weights() * outputs;
      for (size_t i = 0; i < worker.in_layout.groups.size(); ++i, o.sum += outputs * o.sum_step) {
        pair.voxels = worker.in_layout.groups[i].rows * tiles;
        pair.a = worker.gradients + worker.out_layout.groups[i].at;
        pair.b = plane + worker.in_layout.groups[i].at + blocks.first(b) * isa_.lanes;
        isa_.outer(o);
      }
    }
  }

  // {chunk, tap, output, inputs_}
  A* taps(int64_t chunk, int64_t tap) { return taps_->data() + (chunk * g_.taps() + tap) * g_.outputs * inputs_; }

  void restore(const Worker& worker, const ConvBlocks& blocks, int64_t outputs, int64_t chunk, int64_t in_group, int64_t out_group) {
    const A* from = worker.sums;
    for (int64_t b = 0; b < blocks.count; ++b) {
      const int64_t width = blocks.width(b) * isa_.lanes, step = outputs * width;
      for (int64_t z = 0; z < g_.kernel.d; ++z, from += tile_.weights() * step) {
        A* const to = taps(chunk, z * 9) + out_group * out_.inputs * inputs_ + in_group * in_.inputs + blocks.first(b) * isa_.lanes;
        for (int64_t k = 0; k < outputs; ++k)
          for (int64_t l = 0; l < width; l += isa_.lanes)
            transforms_.restore(from + k * width + l, step, to + k * inputs_ + l, g_.outputs * inputs_);
      }
    }
  }

  void combine() {
    parallel_ranges(g_.taps() * g_.outputs, std::max<int64_t>(1, 4096 / (inputs_ * chunks_)), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t tap = i / g_.outputs, k = i % g_.outputs;
        A* const total = taps(0, tap) + k * inputs_;
        for (int64_t c = 1; c < chunks_; ++c) {
          const A* more = taps(c, tap) + k * inputs_;
          for (int64_t l = 0; l < inputs_; ++l) total[l] += more[l];
        }
        const int64_t h = plan_.axis[0].tap[tap / 3 % 3], w = plan_.axis[1].tap[tap % 3];
        std::copy_n(total, g_.inputs, gw_.as<A>() + k * g_.w_output + g_.tap(tap / 9, h, w) * g_.w_tap);
      }
    });
  }

  const ConvGather& g_;
  const ConvIsa<A> isa_;
  const WinogradPlaneIsa<A> transforms_;
  const WinogradPlaneTile tile_;
  const ConvGather in_, out_;  // slices: groups of channels; inputs: channels of a group, padded
  const ConvInput& x_;
  const ConvInput gradient_;
  View gw_;
  const int64_t inputs_;   // channels of all groups, padded
  int64_t chunks_, cuts_;  // cuts_: of the planes of a block
  WinogradPlanePlan plan_;
  ConvTiling in_tiling_, out_tiling_;
  std::vector<A> zeros_;
  std::optional<ConvScratch<A>> taps_;
};

}  // namespace

template <class A>
void winograd_plane_weight_gradient(const ConvGather& g, WinogradPlaneTile tile, const ConvInput& x, View gy, View gw) {
  WinogradPlaneWeights<A>(g, tile, x, gy, gw).run();
}
template void winograd_plane_weight_gradient<float>(const ConvGather&, WinogradPlaneTile, const ConvInput&, View, View);
template void winograd_plane_weight_gradient<double>(const ConvGather&, WinogradPlaneTile, const ConvInput&, View, View);

}  // namespace voxgrad
