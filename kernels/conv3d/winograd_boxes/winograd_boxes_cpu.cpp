#include "kernels/conv3d/winograd_boxes/winograd_boxes.h"

#include <algorithm>

#include "core/device/parallel.h"
#include "kernels/conv3d/winograd/winograd_pack.h"

// Forward pass and input gradient: a task takes a block of boxes, one box per lane. It transforms a layer of their tiles along D, then goes
// through rows of them: inputs to frequencies, products and the way back along H and W, a plane of frequencies at a time, then along D.
namespace voxgrad {
namespace {

constexpr int64_t kTaps = 27, kMostLanes = 16;

template <class A>
class WinogradBoxesGather {
 public:
  WinogradBoxesGather(const ConvGather& g, const WinogradBoxesPlan& plan, const ConvInput& x, const ConvWeight& weight, View y)
      : g_(g),
        plan_(plan),
        isa_(conv_isa<A>()),
        boxes_(winograd_boxes_isa<A>()),
        x_(x),
        y_(y),
        tiling_(plan.inputs(g)),
        streamed_(goes_past_caches(g, y, isa_.lanes, kBoxesTile)),
        line_(winograd_boxes_row(plan.box[2] * kBoxesTile * g.outputs, isa_.lanes)) {
    bias_.resize(size_t(line_));
    for (int64_t i = 0; weight.bias && i < line_; ++i) bias_[size_t(i)] = weight.bias.as<A>()[i % g.outputs];
    transform_weights(weight);
  }

  void run() {
    const int64_t lanes = isa_.lanes, extents = round_up(tiling_.extents() * g_.inputs, lanes) + lanes, tiles = plan_.box[2];
    const int64_t boxes = WinogradBoxesLayer<A>::scratch(plan_, g_.inputs, true), sums = plan_.tile.planes() * kBoxesTile * line_;
    // Few products replace their inputs: both together would leave the first-level cache.
    const bool in_place = g_.outputs <= std::min(g_.inputs, boxes_.product_outputs);
    const int64_t in_step = frequency_step<A>(tiles, g_.inputs * lanes),
                  out_step = in_place ? in_step : frequency_step<A>(tiles, g_.outputs * lanes);
    parallel_ranges(g_.n * plan_.blocks(), 1, [&](int64_t begin, int64_t end) {
      ConvScratch<A> scratch(extents + boxes + sums + kBoxesPlane * (in_step + (in_place ? 0 : out_step)));
      A* at = scratch.data();
      ConvTile<A> tile(isa_, g_, tiling_, x_, g_.inputs, at);
      Worker worker{.boxes = WinogradBoxesLayer<A>(plan_, boxes_, tiling_, g_.inputs, true, at += extents), .sums = at += boxes};
      worker.frequency = at += sums;
      worker.in_step = in_step;
      worker.product = at + (in_place ? 0 : kBoxesPlane * in_step);
      worker.out_step = out_step;
      for (auto* v : {&worker.place, &worker.counts, &worker.planes, &worker.rest[0], &worker.rest[1], &worker.rest[2]})
        v->resize(size_t(lanes));
      for (int64_t task = begin; task < end; ++task) {
        const WinogradBoxesBlock block(plan_, task % plan_.blocks());
        tile.load(task / plan_.blocks(), 0, ConvStart(tiling_, task % plan_.blocks()), true);
        worker.boxes.start(block);
        find_lanes(worker, task / plan_.blocks(), block);
        for (int64_t d = 0; d < block.size[0]; ++d) {
          worker.boxes.load(tile, d);
          for (int64_t h = 0; h < block.size[1]; ++h) {
            for (int plane = 0; plane < int(plan_.tile.planes()); ++plane) sum_row(worker, plane, h, block.size[2]);
            store_row(worker, d, h, block.size[2]);
          }
        }
      }
    });
  }

 private:
  struct Worker {
    WinogradBoxesLayer<A> boxes;
    A* sums = nullptr;  // of a row of tiles: {plane of frequencies, y, x, output, lane}
    A *frequency = nullptr, *product = nullptr;
    int64_t in_step = 0, out_step = 0;
    std::vector<int64_t> place = {}, counts = {}, planes = {}, rest[3] = {};  // of the outputs of each lane
  };

  // {frequency, input, output}
  int64_t weight_step() const { return frequency_step<A>(g_.inputs, g_.outputs); }

  void transform_weights(const ConvWeight& weight) {
    bool made = false;
    weights_ =
        DerivedWeight<A>::find(weight.kept, 128 + plan_.tile.d, plan_.tile.frequencies() * weight_step(), kMostKeptFrequencies, made);
    if (!made) return;
    // Vectors of pairs of an input and an output.
    const WinogradIsa<A> transforms = winograd_isa<A>(plan_.tile);
    const std::vector<int64_t> taps = taps_in_order(g_);
    const int64_t lanes = isa_.lanes, pairs = g_.inputs * g_.outputs;
    const A* const w = weight.w.as<A>();
    parallel_ranges((pairs + lanes - 1) / lanes, 8, [&](int64_t begin, int64_t end) {
      alignas(64) A values[kTaps * kMostLanes];
      int64_t at[kTaps], place[kMostLanes];
      for (int64_t t = 0; t < kTaps; ++t) at[t] = t * lanes;
      for (int64_t v = begin; v < end; ++v) {
        for (int64_t l = 0; l < lanes; ++l) {
          const int64_t pair = std::min(v * lanes + l, pairs - 1);
          place[l] = pair / g_.outputs * g_.w_input + pair % g_.outputs * g_.w_output;
        }
        for (int64_t t = 0; t < kTaps; ++t)
          for (int64_t l = 0; l < lanes; ++l) values[t * lanes + l] = w[taps[size_t(t)] * g_.w_tap + place[l]];
        transforms.transform_weights(values, at, weights_->data.data() + v * lanes, weight_step());
      }
    });
  }

  int64_t plane_step() const { return kBoxesTile * line_; }

  void sum_row(Worker& worker, int plane, int64_t h, int64_t tiles) {
    boxes_.transform_inputs({.tiles = tiles,
                             .channels = g_.inputs,
                             .row_step = worker.boxes.row_step(),
                             .frequency_step = worker.in_step,
                             .from = worker.boxes.row(plane, h),
                             .to = worker.frequency});
    WinogradBoxesProduct<A> p{.tiles = tiles, .inputs = g_.inputs, .outputs = g_.outputs};
    p.w = weights_->data.data() + plane * kBoxesPlane * weight_step();
    p.in = worker.frequency;
    p.out = worker.product;
    p.w_step = weight_step();
    p.in_step = worker.in_step;
    p.out_step = worker.out_step;
    boxes_.multiply(p);
    boxes_.transform_outputs({.tiles = tiles,
                              .channels = g_.outputs,
                              .row_step = line_,
                              .frequency_step = worker.out_step,
                              .from = worker.product,
                              .to = worker.sums + plane * plane_step()});
  }

  void store_row(Worker& worker, int64_t d, int64_t h, int64_t tiles) {
    const int64_t z = d * plan_.tile.d;
    for (size_t l = 0; l < worker.planes.size(); ++l) worker.planes[l] = worker.rest[0][l] - z;
    for (int64_t i = 0; i < kBoxesTile; ++i) {
      const int64_t y = h * kBoxesTile + i;
      for (size_t l = 0; l < worker.counts.size(); ++l) worker.counts[l] = y < worker.rest[1][l] ? worker.rest[2][l] * g_.outputs : 0;
      boxes_.store_lanes({.dtype = y_.dtype,
                          .tile = int(plan_.tile.d),
                          .from = worker.sums + i * line_,
                          .bias = bias_.data(),
                          .plane_step = plane_step(),
                          .most = tiles * kBoxesTile * g_.outputs,
                          .to = element(y_, (z * g_.out.h + y) * g_.out.w * g_.outputs),
                          .to_step = g_.out.h * g_.out.w * g_.outputs,
                          .place = worker.place.data(),
                          .count = worker.counts.data(),
                          .planes = worker.planes.data(),
                          .streamed = streamed_});
    }
  }

  // Where the outputs of each lane start, and how many of them the volume has along each axis.
  void find_lanes(Worker& worker, int64_t n, const WinogradBoxesBlock& block) {
    const Int3 m = plan_.tile.outputs();
    for (size_t l = 0; l < size_t(isa_.lanes); ++l) {
      const WinogradBoxesLane lane(plan_, block, int64_t(l));
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
  const WinogradBoxesPlan& plan_;
  const ConvIsa<A> isa_;
  const WinogradBoxesIsa<A> boxes_;
  const ConvInput& x_;
  View y_;
  const ConvTiling tiling_;
  const bool streamed_;
  const int64_t line_;  // elements of a row of sums
  std::shared_ptr<DerivedWeight<A>> weights_;
  std::vector<A> bias_;
};

}  // namespace

template <class A>
void winograd_boxes_gather(const ConvGather& g, const WinogradBoxesPlan& plan, const ConvInput& x, const ConvWeight& w, View y) {
  WinogradBoxesGather<A>(g, plan, x, w, y).run();
}
template void winograd_boxes_gather<float>(const ConvGather&, const WinogradBoxesPlan&, const ConvInput&, const ConvWeight&, View);
template void winograd_boxes_gather<double>(const ConvGather&, const WinogradBoxesPlan&, const ConvInput&, const ConvWeight&, View);

}  // namespace voxgrad
