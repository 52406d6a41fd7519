#include <algorithm>

#include "core/device/parallel.h"
#include "kernels/conv3d/winograd_boxes/winograd_boxes.h"

// Weight gradient: a task sums, over a chunk of the blocks, the products of the transformed inputs and output gradients of all tiles of a
// block, a plane of frequencies at a time. Chunks depend on the shape alone and are added in order.
namespace voxgrad {
namespace {

constexpr int64_t kTasks = 16, kTaps = 9;  // kTaps: of a plane

// The gather with its outputs in the place of its inputs: what a ConvTile of output gradients loads from.
ConvGather of_outputs(const ConvGather& g) {
  ConvGather to = g;
  to.in_channels = g.out_channels;
  to.in = g.out;
  to.inputs = g.outputs;
  return to;
}

template <class A>
class WinogradBoxesWeights {
 public:
  WinogradBoxesWeights(const ConvGather& g, const WinogradBoxesPlan& plan, const ConvInput& x, View gy, View gw)
      : g_(g),
        out_(of_outputs(g)),
        plan_(plan),
        isa_(conv_isa<A>()),
        boxes_(winograd_boxes_isa<A>()),
        x_(x),
        gradient_(gy, g.out_channels),
        gw_(gw),
        in_tiling_(plan.inputs(g)),
        out_tiling_(plan.outputs(g)),
        chunks_(std::min(kTasks, g.n * plan.blocks())),
        plane_count_(plan.tile.planes()) {
    for (const WinogradBoxesGroup& group : boxes_.groups)
      if (&group == boxes_.groups || group.count(g.outputs, g.inputs) < group_.count(g.outputs, g.inputs)) group_ = group;
    sum_step_ = group_.count(g.outputs, g.inputs) * isa_.lanes;
    planes_.emplace(chunks_ * plane_count_ * kTaps * sum_step_);
  }

  void run() {
    const int64_t lanes = isa_.lanes, tiles = plan_.box[1] * plan_.box[2];
    const int64_t in = round_up(in_tiling_.extents() * g_.inputs, lanes) + lanes,
                  out = round_up(out_tiling_.extents() * g_.outputs, lanes) + lanes;
    const int64_t in_boxes = WinogradBoxesLayer<A>::scratch(plan_, g_.inputs, true),
                  out_boxes = WinogradBoxesLayer<A>::scratch(plan_, g_.outputs, false);
    const int64_t in_step = frequency_step<A>(tiles, g_.inputs * lanes), out_step = frequency_step<A>(tiles, g_.outputs * lanes);
    parallel_ranges(chunks_, 1, [&](int64_t begin, int64_t end) {
      ConvScratch<A> scratch(in + out + in_boxes + out_boxes + kBoxesPlane * (in_step + out_step + plane_count_ * sum_step_));
      A *at = scratch.data(), *const frequency = at + in + out + in_boxes + out_boxes;
      Worker worker{.in = {ConvTile<A>(isa_, g_, in_tiling_, x_, g_.inputs, at),
                           WinogradBoxesLayer<A>(plan_, boxes_, in_tiling_, g_.inputs, true, at + in + out), frequency, in_step},
                    .out = {ConvTile<A>(isa_, out_, out_tiling_, gradient_, g_.outputs, at + in),
                            WinogradBoxesLayer<A>(plan_, boxes_, out_tiling_, g_.outputs, false, at + in + out + in_boxes),
                            frequency + kBoxesPlane * in_step, out_step}};
      worker.sums = frequency + kBoxesPlane * (in_step + out_step);
      for (int64_t chunk = begin; chunk < end; ++chunk) sum_chunk(worker, chunk);
    });
    restore();
  }

 private:
  struct Side {  // inputs or gradients of a block
    ConvTile<A> tile;
    WinogradBoxesLayer<A> boxes;
    A* frequency;
    int64_t step;
  };
  struct Worker {
    Side in, out;
    A* sums = nullptr;  // {frequency, pieces of outputs and inputs, lane}
  };

  void sum_chunk(Worker& worker, int64_t chunk) {
    std::fill_n(worker.sums, plane_count_ * kBoxesPlane * sum_step_, A(0));
    const int64_t blocks = g_.n * plan_.blocks();
    for (int64_t i = blocks * chunk / chunks_; i < blocks * (chunk + 1) / chunks_; ++i) {
      const WinogradBoxesBlock block(plan_, i % plan_.blocks());
      const ConvStart start(in_tiling_, i % plan_.blocks());
      for (Side* side : {&worker.in, &worker.out}) {
        side->tile.load(i / plan_.blocks(), 0, start, true);
        side->boxes.start(block);
      }
      for (int64_t d = 0; d < block.size[0]; ++d) sum_tiles(worker, block, d);
    }
    const WinogradIsa<A> transforms = winograd_isa<A>(plan_.tile);
    for (int64_t p = 0; p < plane_count_; ++p)
      for (int64_t i = 0; i < sum_step_; i += isa_.lanes)
        transforms.restore_plane(worker.sums + p * kBoxesPlane * sum_step_ + i, sum_step_, plane(chunk, p) + i, sum_step_);
  }

  void sum_tiles(Worker& worker, const WinogradBoxesBlock& block, int64_t d) {
    worker.in.boxes.load(worker.in.tile, d);
    worker.out.boxes.load(worker.out.tile, d);
    for (int plane = 0; plane < int(plane_count_); ++plane) {
      transform(worker.in, plane, block, g_.inputs, boxes_.transform_inputs);
      transform(worker.out, plane, block, g_.outputs, boxes_.transform_gradients);
      boxes_.outer({.group = group_,
                    .tiles = block.size[1] * block.size[2],
                    .inputs = g_.inputs,
                    .outputs = g_.outputs,
                    .x = worker.in.frequency,
                    .g = worker.out.frequency,
                    .sum = worker.sums + plane * kBoxesPlane * sum_step_,
                    .x_step = worker.in.step,
                    .g_step = worker.out.step,
                    .sum_step = sum_step_});
    }
  }

  void transform(Side& side, int plane, const WinogradBoxesBlock& block, int64_t channels,
                 void (*transformed)(const WinogradBoxesRow<A>&)) {
    WinogradBoxesRow<A> row{.tiles = block.size[2], .channels = channels, .frequency_step = side.step, .to = side.frequency};
    row.row_step = side.boxes.row_step();
    for (int64_t h = 0; h < block.size[1]; ++h, row.to += row.tiles * channels * isa_.lanes) {
      row.from = side.boxes.row(plane, h);
      transformed(row);
    }
  }

  // {chunk, plane, 9 taps, sum_step_}
  A* plane(int64_t chunk, int64_t plane) { return planes_->data() + (chunk * plane_count_ + plane) * kTaps * sum_step_; }

  void restore() {
    const int64_t lanes = isa_.lanes;
    const WinogradIsa<A> transforms = winograd_isa<A>(plan_.tile);
    parallel_ranges(kTaps, std::max<int64_t>(1, 16384 / (chunks_ * plane_count_ * sum_step_)), [&](int64_t begin, int64_t end) {
      ConvScratch<A> scratch((plane_count_ + 3) * sum_step_);
      A *const total = scratch.data(), *const taps = total + plane_count_ * sum_step_;
      for (int64_t tap = begin; tap < end; ++tap) {
        for (int64_t p = 0; p < plane_count_; ++p) {
          A* const sum = total + p * sum_step_;
          std::copy_n(plane(0, p) + tap * sum_step_, sum_step_, sum);
          for (int64_t c = 1; c < chunks_; ++c) {
            const A* more = plane(c, p) + tap * sum_step_;
            for (int64_t l = 0; l < sum_step_; ++l) sum[l] += more[l];
          }
        }
        for (int64_t l = 0; l < sum_step_; l += lanes) transforms.restore_depth(total + l, sum_step_, taps + l, sum_step_);
        for (int64_t z = 0; z < 3; ++z) unpack(taps + z * sum_step_, gw_.as<A>() + (z * kTaps + tap) * g_.w_tap);
      }
    });
  }
  void unpack(const A* from, A* to) const {
    for_pieces(g_.outputs, group_.outputs, [&](int64_t k, int64_t outputs) {
      for_pieces(g_.inputs, group_.inputs, [&](int64_t c, int64_t inputs) {
        for (int64_t i = 0; i < outputs; ++i) std::copy_n(from + i * inputs, inputs, to + (k + i) * g_.w_output + c);
        from += isa_.lanes;
      });
    });
  }

  const ConvGather& g_;
  const ConvGather out_;
  const WinogradBoxesPlan& plan_;
  const ConvIsa<A> isa_;
  const WinogradBoxesIsa<A> boxes_;
  const ConvInput& x_;
  const ConvInput gradient_;
  View gw_;
  const ConvTiling in_tiling_, out_tiling_;
  const int64_t chunks_, plane_count_;
  WinogradBoxesGroup group_;
  int64_t sum_step_ = 0;  // of all groups
  std::optional<ConvScratch<A>> planes_;
};

}  // namespace

template <class A>
void winograd_boxes_weight_gradient(const ConvGather& g, const WinogradBoxesPlan& plan, const ConvInput& x, View gy, View gw) {
  WinogradBoxesWeights<A>(g, plan, x, gy, gw).run();
}
template void winograd_boxes_weight_gradient<float>(const ConvGather&, const WinogradBoxesPlan&, const ConvInput&, View, View);
template void winograd_boxes_weight_gradient<double>(const ConvGather&, const WinogradBoxesPlan&, const ConvInput&, View, View);

}  // namespace voxgrad
