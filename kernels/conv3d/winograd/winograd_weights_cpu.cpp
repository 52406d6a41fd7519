#include <algorithm>

#include "core/device/parallel.h"
#include "kernels/conv3d/winograd/winograd.h"

// Weight gradient: a task sums, over a chunk of the blocks of tiles, the products of the transformed inputs and output gradients, for one
// of the planes of frequencies and for a group of input and of output channels, so that its sums stay in the second-level cache.
// Chunks depend on the shape alone and are added in order.
namespace voxgrad {
namespace {

constexpr int64_t kTasks = 16;
constexpr int64_t kGroupChannels = 64;
constexpr int64_t kAllPlanes = 2048;  // products of channels of a group up to which a task sums all planes, for one load of the tile

template <class A>
class WinogradWeights {
 public:
  WinogradWeights(const ConvGather& g, WinogradTile tile, const ConvInput& x, View gy, View gw)
      : g_(g),
        isa_(conv_isa<A>()),
        in_(grouped_channels(g, false, isa_.lanes, kGroupChannels)),
        out_(grouped_channels(g, true, isa_.lanes, kGroupChannels)),
        transforms_(winograd_isa<A>(tile)),
        x_(x),
        gradient_(gy, g.out_channels),
        gw_(gw),
        all_planes_(tile.planes()),
        plane_(tile.plane()),
        inputs_(round_up(g.inputs, isa_.lanes)),
        planes_per_task_(in_.inputs * out_.inputs <= kAllPlanes ? all_planes_ : 1) {
    const int64_t tasks = all_planes_ / planes_per_task_ * in_.slices * out_.slices, chunks = (kTasks + tasks - 1) / tasks;
    plan_ = winograd_plan(g, tile, planes_per_task_ * plane_ * (in_.inputs + out_.inputs) * int64_t(sizeof(A)), (chunks + g.n - 1) / g.n);
    chunks_ = std::min(chunks, g.n * plan_.blocks());
    in_tiling_ = plan_.inputs(g);
    out_tiling_ = plan_.outputs(g);
    zeros_.resize(size_t(std::max(in_tiling_.extent[2] * in_.inputs, out_tiling_.extent[2] * out_.inputs)));
    planes_.emplace(chunks_ * all_planes_ * 9 * g.outputs * inputs_);
  }

  void run() {
    const int64_t tiles = plan_.tiles_of_block(), in_step = frequency_step<A>(tiles, in_.inputs),
                  out_step = frequency_step<A>(tiles, out_.inputs);
    const int64_t in = round_up(in_tiling_.extents() * in_.inputs, 16), out = round_up(out_tiling_.extents() * out_.inputs, 16);
    const int64_t frequencies = planes_per_task_ * plane_, parts = all_planes_ / planes_per_task_;
    const int64_t sums = frequencies * out_.inputs * in_.inputs, groups = in_.slices * out_.slices;
    parallel_ranges(chunks_ * groups * parts, 1, [&](int64_t begin, int64_t end) {
      ConvScratch<A> scratch(in + out + sums + frequencies * (in_step + out_step));
      A *const at = scratch.data() + in + out + sums, *const out_at = at + frequencies * in_step;
      Worker worker{{ConvTile<A>(isa_, in_, in_tiling_, x_, in_.inputs, scratch.data()), in_.inputs, 2, at, in_step},
                    {ConvTile<A>(isa_, out_, out_tiling_, gradient_, out_.inputs, scratch.data() + in), out_.inputs, 0, out_at, out_step},
                    scratch.data() + in + out,
                    {}};
      for (int64_t task = begin; task < end; ++task) {
        const int64_t group = task / parts % groups;
        sum_chunk(worker, {task / parts / groups, int(task % parts * planes_per_task_), group / out_.slices, group % out_.slices});
      }
    });
    restore();
  }

 private:
  struct Side {  // inputs or gradients of a block
    ConvTile<A> tile;
    int64_t channels, halo;
    A* frequency;  // {frequency, tile, channel}
    int64_t step;
  };
  struct Worker {
    Side in, out;
    A* sums;  // {plane, block of inputs, frequency, output, lanes of the block}
    std::vector<const A*> lines;
  };
  struct Task {
    int64_t chunk;
    int first_plane;
    int64_t in_group, out_group;
  };

  void sum_chunk(Worker& worker, const Task& task) {
    const int64_t outputs = out_.inputs_of(task.out_group), all = g_.n * plan_.blocks();
    const ConvBlocks blocks(in_.inputs_of(task.in_group), isa_.lanes, isa_.vectors);
    std::fill_n(worker.sums, planes_per_task_ * plane_ * outputs * blocks.vectors * isa_.lanes, A(0));
    for (int64_t i = all * task.chunk / chunks_; i < all * (task.chunk + 1) / chunks_; ++i) {
      const ConvStart start(in_tiling_, i % plan_.blocks());
      const Int3 m = plan_.tile.outputs();
      int64_t size[3];
      for (int a = 0; a < 3; ++a) size[a] = std::min(plan_.block[a], plan_.tiles[a] - start.at[a] / m[a]);
      worker.in.tile.load(i / plan_.blocks(), task.in_group, start);
      transform(worker, worker.in, size, task.first_plane);
      worker.out.tile.load(i / plan_.blocks(), task.out_group, start);
      transform(worker, worker.out, size, task.first_plane);
      multiply(worker, blocks, outputs, size[0] * size[1] * size[2]);
    }
    restore_planes(worker, blocks, outputs, task);
  }

  void transform(Worker& worker, Side& side, const int64_t* size, int first_plane) {
    const Int3 m = plan_.tile.outputs();
    WinogradRow<A> row;
    row.tiles = size[2];
    row.vectors = side.channels / isa_.lanes;
    row.frequency_step = side.step;
    row.tile_step = row.input_step = side.channels;
    row.first_plane = first_plane;
    row.planes = int(planes_per_task_);
    for (int64_t z = 0; z < size[0]; ++z)
      for (int64_t y = 0; y < size[1]; ++y) {
        find_lines(side.tile, z * m.d, y * m.h, m.d + side.halo, m.h + side.halo, zeros_.data(), worker.lines);
        row.inputs = worker.lines.data();
        row.frequency = side.frequency + (z * size[1] + y) * size[2] * side.channels;
        side.halo > 0 ? transforms_.transform_inputs(row) : transforms_.transform_gradients(row);
      }
  }

  void multiply(const Worker& worker, const ConvBlocks& blocks, int64_t outputs, int64_t tiles) {
    ConvRowPair<A> pair{.voxels = tiles};
    ConvOuter<A> o{.a_step = worker.out.channels, .b_step = worker.in.channels, .rows = &pair, .row_count = 1};
    o.sum = worker.sums;
    o.extent = outputs;
    for (int64_t i = 0; i < planes_per_task_ * blocks.count; ++i) {
      const int64_t b = i % blocks.count, first = i / blocks.count * plane_;
      o.vectors = blocks.width(b);
      o.sum_step = o.vectors * isa_.lanes;
      for (int64_t f = first; f < first + plane_; ++f, o.sum += outputs * o.sum_step) {
        pair.a = worker.out.frequency + f * worker.out.step;
        pair.b = worker.in.frequency + f * worker.in.step + blocks.first(b) * isa_.lanes;
        isa_.outer(o);
      }
    }
  }

  // {chunk, plane, 9 taps, output, inputs_}
  A* plane(int64_t chunk, int64_t plane) { return planes_->data() + (chunk * all_planes_ + plane) * 9 * g_.outputs * inputs_; }

  void restore_planes(const Worker& worker, const ConvBlocks& blocks, int64_t outputs, const Task& task) {
    const A* from = worker.sums;
    for (int64_t i = 0; i < planes_per_task_ * blocks.count; ++i) {
      const int64_t b = i % blocks.count;
      A* const to =
          plane(task.chunk, task.first_plane + i / blocks.count) + task.out_group * out_.inputs * inputs_ + task.in_group * in_.inputs;
      const int64_t width = blocks.width(b) * isa_.lanes, step = outputs * width;
      for (int64_t k = 0; k < outputs; ++k)
        for (int64_t l = 0; l < width; l += isa_.lanes)
          transforms_.restore_plane(from + k * width + l, step, to + k * inputs_ + blocks.first(b) * isa_.lanes + l, g_.outputs * inputs_);
      from += plane_ * step;
    }
  }

  void restore() {
    const int64_t lanes = isa_.lanes;
    parallel_ranges(9 * g_.outputs, std::max<int64_t>(1, 4096 / inputs_), [&](int64_t begin, int64_t end) {
      ConvScratch<A> scratch((all_planes_ + 3) * inputs_);
      A *const total = scratch.data(), *const taps = total + all_planes_ * inputs_;
      for (int64_t i = begin; i < end; ++i) {
        const int64_t tap = i / g_.outputs, k = i % g_.outputs;
        for (int64_t p = 0; p < all_planes_; ++p) {
          std::copy_n(plane(0, p) + i * inputs_, inputs_, total + p * inputs_);
          for (int64_t c = 1; c < chunks_; ++c) {
            const A* more = plane(c, p) + i * inputs_;
            for (int64_t l = 0; l < inputs_; ++l) total[p * inputs_ + l] += more[l];
          }
        }
        for (int64_t l = 0; l < inputs_; l += lanes) transforms_.restore_depth(total + l, inputs_, taps + l, inputs_);
        for (int64_t z = 0; z < 3; ++z)
          std::copy_n(taps + z * inputs_, g_.inputs, gw_.as<A>() + k * g_.w_output + (z * 9 + tap) * g_.w_tap);
      }
    });
  }

  const ConvGather& g_;
  const ConvIsa<A> isa_;
  const ConvGather in_, out_;  // slices: groups of channels; inputs: channels of a group, padded
  const WinogradIsa<A> transforms_;
  const ConvInput& x_;
  const ConvInput gradient_;
  View gw_;
  const int64_t all_planes_, plane_, inputs_, planes_per_task_;  // planes and frequencies of one; channels of all groups, padded
  int64_t chunks_;
  WinogradPlan plan_;
  ConvTiling in_tiling_, out_tiling_;
  std::vector<A> zeros_;
  std::optional<ConvScratch<A>> planes_;
};

}  // namespace

template <class A>
void winograd_weight_gradient(const ConvGather& g, WinogradTile tile, const ConvInput& x, View gy, View gw) {
  WinogradWeights<A>(g, tile, x, gy, gw).run();
}
template void winograd_weight_gradient<float>(const ConvGather&, WinogradTile, const ConvInput&, View, View);
template void winograd_weight_gradient<double>(const ConvGather&, WinogradTile, const ConvInput&, View, View);

}  // namespace voxgrad
