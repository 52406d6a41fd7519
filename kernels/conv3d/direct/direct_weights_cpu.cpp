#include <algorithm>
#include <optional>

#include "core/device/parallel.h"
#include "kernels/conv3d/direct/direct.h"

// Weight gradient: a task holds the sums of a chunk of the tiles (for large weights: of a part of the channels and taps only) and adds to
// them the outer products of the inputs and the output gradients of tile after tile. Chunks depend on the shape alone and are added in
// order; a single one is summed in gw itself where its rows lie there as they are summed.
namespace voxgrad {
namespace {

constexpr int64_t kLaneBytes = 24 << 10;  // of the vector operand that stay in the first-level cache
constexpr int64_t kTasks = 16;
constexpr int64_t kFewInputs = 4;        // up to which all taps share a pass over the gradients
constexpr int64_t kChunkVoxels = 256;    // that a chunk sums at least: less would cost more in clearing and adding sums
constexpr int64_t kSumBytes = 64 << 20;  // of all chunks

template <class A>
class WeightPass {
 public:
  // g is the gather of the forward pass.
  WeightPass(const ConvGather& g, const ConvInput& x, View gy, View gw)
      : g_(g),
        isa_(conv_isa<A>()),
        x_(x),
        gy_(gy),
        gw_(gw),
        swapped_(wants_swap()),
        blocks_(swapped_ ? g.inputs : g.outputs, isa_.lanes, isa_.vectors) {
    const int64_t lanes = isa_.lanes;
    inputs_ = swapped_ || g.depthwise ? round_up(g.inputs, lanes) : g.inputs;
    outputs_ = swapped_ ? g.outputs : round_up(g.outputs, lanes);
    direct_ = gy.dtype == dtype_of<A> && outputs_ == g.outputs && g.out_channels % g.outputs == 0;
    extent_ = g.depthwise ? 1 : swapped_ ? g.outputs : g.inputs;
    if (g.depthwise) blocks_.count = 1;
    const int64_t bytes = g.slices * slice_sums() * int64_t(sizeof(A));
    int64_t chunks = std::clamp<int64_t>(std::min(voxels() / kChunkVoxels, kSumBytes / bytes), 1, (kTasks + g.slices - 1) / g.slices);
    const int64_t in_bytes = inputs_ * int64_t(sizeof(A)), out_bytes = outputs_ * int64_t(sizeof(A));
    tiling_ = tile_volume(g, in_bytes, out_bytes, (chunks + g.n - 1) / g.n);
    chunks_ = std::min(chunks, g.n * tiling_.tiles());
    block_parts_ = std::clamp<int64_t>(kTasks / (g.slices * chunks_), 1, blocks_.count);
    if (ConvTile<A>::is_readable(g, x, inputs_) && g.slices == 1) read_in_place(tiling_, g);
    phase_ = std::move(phases_of(g, tiling_, inputs_, swapped_ || g.depthwise ? 0 : int64_t(1) << 40)[0]);
    scattered_ = !swapped_ && !g.depthwise && !tiling_.in_place && g.inputs <= kFewInputs && g.taps() > 1;
    for (const ConvPiece& piece : phase_.pieces)
      for (int64_t s = 0; s < piece.run.steps && scattered_; ++s) offsets_.push_back(piece.run.x + s);
    const int64_t rows = int64_t(phase_.axis[0]->tap.size());
    tap_parts_ = std::clamp<int64_t>(kTasks / (g.slices * chunks_ * block_parts_), 1, rows);
    in_place_ = swapped_ && chunks_ == 1 && inputs_ == g.inputs;
    if (!in_place_) sums_.emplace(chunks_ * g.slices * slice_sums());
  }

  void run() {
    const int64_t inputs = round_up(tiling_.extents() * inputs_, 16), parts = block_parts_ * tap_parts_;
    parallel_ranges(chunks_ * g_.slices * parts, 1, [&](int64_t begin, int64_t end) {
      ConvScratch<A> scratch(inputs + (direct_ ? 0 : tiling_.voxels() * outputs_));
      Worker worker{ConvTile<A>(isa_, g_, tiling_, x_, inputs_, scratch.data()), scratch.data() + inputs, {}, {}, {}, -1};
      for (int64_t task = begin; task < end; ++task) sum_chunk(worker, task / parts / g_.slices, task / parts % g_.slices, task % parts);
    });
    if (!in_place_) combine();
  }

 private:
  struct Worker {
    ConvTile<A> tile;
    A* gradients;  // of the tile's outputs, {block, outputs_}, and their rows, there or in gy
    std::vector<const A*> gradient_rows;
    std::vector<ConvRowPair<A>> rows;
    std::vector<ConvRun> runs;
    int64_t loaded;  // which tile, for the parts of its sums that follow
  };
  struct Part {
    int64_t first_block, last_block, first_piece, last_piece;
  };

  int64_t voxels() const { return g_.n * g_.axes[0][0].positions * g_.axes[1][0].positions * g_.axes[2][0].positions; }
  // Lanes run along the channels that fill them better. Along inputs they are in the order of gw, which counts where each sum is of few
  // voxels.
  bool wants_swap() const {
    const int64_t l = isa_.lanes, by_outputs = g_.inputs * round_up(g_.outputs, l), by_inputs = g_.outputs * round_up(g_.inputs, l);
    return !g_.depthwise && (by_inputs < by_outputs || (by_inputs == by_outputs && voxels() < 2 * kChunkVoxels));
  }
  // Sums: [chunk][slice][block][tap][extent][lanes of the block].
  int64_t slice_sums() const { return g_.taps() * extent_ * blocks_.vectors * isa_.lanes; }
  A* sums(int64_t chunk, int64_t slice, int64_t block) {
    if (in_place_) return gw_.as<A>() + slice * g_.w_slice + blocks_.first(block) * isa_.lanes;
    return sums_->data() + (chunk * g_.slices + slice) * slice_sums() + blocks_.first(block) * isa_.lanes * g_.taps() * extent_;
  }

  bool adds() const { return scattered_ || g_.depthwise; }  // to zeros, from the beginning
  int64_t sum_step(int64_t block) const { return in_place_ ? g_.w_output : blocks_.width(block) * isa_.lanes; }
  int64_t tap_offset(int64_t tap, int64_t block) const {
    return in_place_ ? phase_.kernel_tap(g_, tap) * g_.w_tap : tap * extent_ * sum_step(block);
  }

  void sum_chunk(Worker& worker, int64_t chunk, int64_t slice, int64_t part) {
    const int64_t pieces = int64_t(phase_.pieces.size()), block_part = part / tap_parts_, tap_part = part % tap_parts_;
    const int64_t planes = int64_t(phase_.axis[0]->tap.size()), per_plane = pieces / planes, taps = g_.taps() / planes;
    const int64_t first_plane = planes * tap_part / tap_parts_, last_plane = planes * (tap_part + 1) / tap_parts_;
    const Part of{blocks_.count * block_part / block_parts_, blocks_.count * (block_part + 1) / block_parts_, first_plane * per_plane,
                  last_plane * per_plane};
    for (int64_t b = of.first_block; b < of.last_block && adds(); ++b) {
      const int64_t width = blocks_.width(b) * isa_.lanes * extent_;
      std::fill_n(sums(chunk, slice, b) + first_plane * taps * width, (last_plane - first_plane) * taps * width, A(0));
    }
    const int64_t tiles = g_.n * tiling_.tiles(), first = tiles * chunk / chunks_;
    for (int64_t i = first; i < tiles * (chunk + 1) / chunks_; ++i) sum_tile(worker, chunk, slice, i, of, i == first && !adds());
  }

  // starts: there are no sums yet.
  void sum_tile(Worker& worker, int64_t chunk, int64_t slice, int64_t index, const Part& part, bool starts) {
    const int64_t n = index / tiling_.tiles(), tile = index % tiling_.tiles();
    const ConvStart start(tiling_, tile);
    int64_t size[3];
    for (int a = 0; a < 3; ++a) size[a] = start.size(tiling_, a, tiling_.positions[a]);
    if (worker.loaded != index * g_.slices + slice) load_tile(worker, n, slice, start, size);
    worker.loaded = index * g_.slices + slice;
    const int64_t widest = g_.depthwise ? blocks_.vectors : blocks_.width(blocks_.count - 1);
    const int64_t group = std::max<int64_t>(1, kLaneBytes / (widest * isa_.lanes * int64_t(sizeof(A)) * size[2])), rows = size[0] * size[1];
    for (int64_t first = 0; first < rows; first += group)
      for (int64_t b = part.first_block; b < part.last_block; ++b)
        sum_rows(worker, sums(chunk, slice, b), b, size, first, std::min(first + group, rows), part, starts && first == 0);
  }
  void load_tile(Worker& worker, int64_t n, int64_t slice, const ConvStart& start, const int64_t* size) {
    worker.tile.load(n, slice, start, scattered_);
    worker.gradient_rows.clear();
    for (int64_t z = 0; z < size[0]; ++z)
      for (int64_t y = 0; y < size[1]; ++y) {
        const int64_t voxel = ((n * g_.out.d + start.at[0] + z) * g_.out.h + start.at[1] + y) * g_.out.w + start.at[2];
        const void* from = element(gy_, voxel * g_.out_channels + slice * g_.outputs);
        A* to = worker.gradients + (z * tiling_.block[1] + y) * tiling_.block[2] * outputs_;
        if (!direct_) isa_.load_rows(gy_.dtype, from, g_.out_channels, to, outputs_, size[2], g_.outputs_of(slice));
        worker.gradient_rows.push_back(direct_ ? static_cast<const A*>(from) : to);
      }
  }

  // Rows [first, last) of the tile, in the order of z and y.
  void sum_rows(Worker& worker, A* sums, int64_t block, const int64_t* size, int64_t first, int64_t last, const Part& part, bool starts) {
    const int64_t lanes = isa_.lanes, shift = g_.depthwise ? 0 : blocks_.first(block) * lanes;
    ConvOuter<A> o;
    o.a_step = worker.tile.step();
    o.b_step = direct_ ? g_.out_channels : outputs_;
    if (swapped_) std::swap(o.a_step, o.b_step);
    o.vectors = blocks_.width(block);
    o.sum_step = sum_step(block);
    if (scattered_) {
      worker.rows.clear();
      for (int64_t row = first; row < last; ++row)
        worker.rows.push_back({worker.tile.row(row / size[1] * tiling_.step[0], row % size[1] * tiling_.step[1]),
                               worker.gradient_rows[size_t(row)] + shift, size[2]});
      const int64_t from = phase_.pieces[size_t(part.first_piece)].run.w, to = part.last_piece < int64_t(phase_.pieces.size())
                                                                                   ? phase_.pieces[size_t(part.last_piece)].run.w
                                                                                   : int64_t(offsets_.size());
      o.rows = worker.rows.data();
      o.row_count = int64_t(worker.rows.size());
      o.offsets = offsets_.data() + from;
      o.extent = to - from;
      o.sum = sums + from * o.sum_step;
      return isa_.outer_scattered(o);
    }
    for (int64_t i = part.first_piece; i < part.last_piece;) {
      const ConvPiece& piece = phase_.pieces[size_t(i)];
      int64_t next = i + 1;
      // Depthwise: the taps of a row share a pass over the gradients.
      while (g_.depthwise && next < part.last_piece && phase_.pieces[size_t(next)].z == piece.z && phase_.pieces[size_t(next)].y == piece.y)
        ++next;
      worker.rows.clear();
      for (int64_t row = first; row < last; ++row) {
        const int64_t z = row / size[1], y = row % size[1], tz = z * tiling_.step[0], ty = y * tiling_.step[1];
        if (!worker.tile.inside(tz + piece.z, ty + piece.y)) continue;
        const A *x = worker.tile.row(tz, ty) + (g_.depthwise ? 0 : piece.run.x), *g = worker.gradient_rows[size_t(row)];
        worker.rows.push_back(swapped_ ? ConvRowPair<A>{g, x + shift, size[2]} : ConvRowPair<A>{x, g + shift, size[2]});
      }
      o.rows = worker.rows.data();
      o.row_count = int64_t(worker.rows.size());
      if (o.row_count > 0 && g_.depthwise) {
        worker.runs.clear();
        for (int64_t j = i; j < next; ++j) worker.runs.push_back(phase_.pieces[size_t(j)].run);
        o.sum = sums;
        isa_.depthwise_outer(o, worker.runs.data(), next - i);
      } else {
        o.extent = swapped_ ? extent_ : piece.run.steps;
        o.starts = starts;
        o.sum = sums + tap_offset(piece.run.w / inputs_, block);
        if (o.row_count > 0) isa_.outer(o);
        else
          for (int64_t r = 0; r < o.extent && starts; ++r) std::fill_n(o.sum + r * o.sum_step, o.vectors * lanes, A(0));
      }
      i = next;
    }
  }

  void combine() {
    const int64_t taps = g_.taps(), blocks = blocks_.count, width_of_all = blocks_.vectors * isa_.lanes;
    parallel_for(g_.slices * taps * blocks, (1 << 14) * blocks / (extent_ * width_of_all * chunks_) + 1, [&](int64_t i) {
      const int64_t slice = i / blocks / taps, tap = i / blocks % taps, b = i % blocks;
      const int64_t real = swapped_ ? g_.inputs_of(slice) : g_.outputs_of(slice), first = blocks_.first(b) * isa_.lanes;
      const int64_t width = blocks_.width(b) * isa_.lanes, count = extent_ * width, kept = std::min(width, real - first);
      A *const to = gw_.as<A>() + slice * g_.w_slice + phase_.kernel_tap(g_, tap) * g_.w_tap, *const total =
                                                                                                  sums(0, slice, b) + tap * count;
      for (int64_t c = 1; c < chunks_; ++c) {
        const A* more = sums(c, slice, b) + tap * count;
        for (int64_t j = 0; j < count; ++j) total[j] += more[j];
      }
      if (swapped_) {
        for (int64_t r = 0; r < extent_; ++r) std::copy_n(total + r * width, kept, to + first + r * g_.w_output);
      } else isa_.transpose(total, width, to + first * g_.w_output, g_.w_output, extent_, kept);
    });
  }

  const ConvGather& g_;
  const ConvIsa<A> isa_;
  const ConvInput& x_;
  View gy_, gw_;
  std::vector<int64_t> offsets_;  // where scattered, of {tap, input} from the corner of a voxel's inputs
  bool scattered_ = false;
  bool swapped_, direct_ = false;  // lanes run along the inputs; output gradients are read where they are
  bool in_place_ = false;          // sums are those of gw
  ConvBlocks blocks_;
  int64_t inputs_, outputs_, extent_;  // channels of a slice, padded; those that are not lanes
  int64_t chunks_, block_parts_, tap_parts_;
  ConvTiling tiling_;
  ConvPhase phase_;
  std::optional<ConvScratch<A>> sums_;
};

}  // namespace

template <class A>
void direct_weight_gradient(const ConvGather& g, const ConvInput& x, View gy, View gw) {
  WeightPass<A>(g, x, gy, gw).run();
}
template void direct_weight_gradient<float>(const ConvGather&, const ConvInput&, View, View);
template void direct_weight_gradient<double>(const ConvGather&, const ConvInput&, View, View);

}  // namespace voxgrad
