#include <algorithm>

#include "core/device/parallel.h"
#include "kernels/conv3d/direct/direct.h"
#include "kernels/conv3d/direct/paired_gather.h"

// Forward pass and input gradient: a task loads the inputs that a tile of outputs reads into the second-level cache, then sums run by
// run; the weights of a block of runs and of output channels stay in the first-level cache while the rows of the tile pass.
namespace voxgrad {
namespace {

// Of a block of runs: somewhat more than a first-level cache, since the sums of fewer steps are loaded and stored more often.
constexpr int64_t kWeightBytes = 64 << 10;
constexpr int64_t kFreshBytes = 256 << 10;  // the same where they are packed on the way: long rows of the weight are read
constexpr int64_t kTasks = 16;              // enough to keep a few threads evenly busy
constexpr int64_t kFewTiles = 2;            // that meet a weight, up to which it is not packed ahead

template <class A>
class GatherPass {
 public:
  // pairs: elements of x and w are pairs of bf16 (PairedGather).
  GatherPass(const ConvGather& g, const ConvInput& x, const ConvWeight& weight, const ConvStore& y, bool pairs = false)
      : g_(g), isa_(conv_isa<A>()), x_(x), w_(weight.w), y_(y.y), store_(y), blocks_(g.outputs, isa_.lanes, isa_.vectors) {
    const int64_t lanes = isa_.lanes, in_vectors = (g.inputs + lanes - 1) / lanes;
    // Lanes run along the outputs or, where these are few, along the inputs: then each output costs a sum over lanes as well.
    if constexpr (sizeof(A) == 4)
      if (pairs) isa_.gather = direct_kernels::avx512_bf16::gather_pairs;
    dot_ = !pairs && !g.depthwise && g.taps() * in_vectors * g.outputs + 3 * g.outputs < g.taps() * g.inputs * blocks_.vectors;
    inputs_ = dot_ || g.depthwise ? round_up(g.inputs, lanes) : g.inputs;
    outputs_ = dot_ ? g.outputs : blocks_.vectors * lanes;
    direct_ = y_.dtype == dtype_of<A> && (dot_ || g.out_channels % lanes == 0) && (dot_ || g.outputs % lanes == 0);
    streamed_ = direct_ && !dot_ && goes_past_caches(g, y_, lanes);
    if (dot_ || g.depthwise) blocks_.count = 1;
    const int64_t in_bytes = inputs_ * int64_t(sizeof(A)), out_bytes = outputs_ * int64_t(sizeof(A)), others = g.n * g.slices;
    parts_ = std::clamp<int64_t>(kTasks / (others * tile_volume(g, in_bytes, out_bytes, 1).tiles()), 1, blocks_.count);
    tiling_ = tile_volume(g, in_bytes, out_bytes, (kTasks + others * parts_ - 1) / (others * parts_));
    if (ConvTile<A>::is_readable(g, x, inputs_) && g.slices == 1) read_in_place(tiling_, g);
    const int64_t widest = blocks_.width(blocks_.count - 1) * lanes * int64_t(sizeof(A));
    const bool along_rows = g.w_output != 1 || g.taps() == 1;  // a block reads whole rows of the weight, not a piece of each
    fresh_ = !dot_ && !g.depthwise && along_rows && !weight.kept && g.n * tiling_.tiles() <= kFewTiles;
    most_steps_ = std::max<int64_t>((fresh_ ? kFreshBytes : kWeightBytes) / widest, 16);
    phases_ = phases_of(g, tiling_, inputs_, g.depthwise ? 0 : dot_ ? int64_t(1) << 40 : most_steps_);
    pack_bias(weight.bias);
    if (!fresh_) pack(weight.kept);
  }

  void run() {
    const int64_t tiles = tiling_.tiles();
    const int64_t sums = direct_ ? 0 : round_up(tiling_.voxels() * outputs_, 16), inputs = round_up(tiling_.extents() * inputs_, 16),
                  weights = fresh_ ? most_steps_ * blocks_.width(blocks_.count - 1) * isa_.lanes : 0;
    parallel_ranges(g_.n * g_.slices * tiles * parts_, 1, [&](int64_t begin, int64_t end) {
      ConvScratch<A> scratch(inputs + sums + weights);
      A* const at = scratch.data();
      Worker worker{ConvTile<A>(isa_, g_, tiling_, x_, inputs_, at), at + inputs, at + inputs + sums, {}, {}};
      int64_t loaded = -1;
      for (int64_t task = begin; task < end; ++task) {
        const int64_t part = task % parts_, tile = task / parts_ % tiles, slice = task / parts_ / tiles % g_.slices,
                      n = task / parts_ / tiles / g_.slices;
        const ConvStart start(tiling_, tile);
        if (task / parts_ != loaded) worker.tile.load(n, slice, start);
        loaded = task / parts_;
        for (const ConvPhase& phase : phases_) sum_phase(worker, phase, n, slice, start, part);
      }
    });
  }

 private:
  struct Worker {
    ConvTile<A> tile;
    A* sums;
    A* weights;  // of a block of runs, where they are packed when they are multiplied
    std::vector<ConvRun> runs;
    std::vector<char> started;  // rows that have been written
  };
  struct Rows {  // of a phase and tile
    int64_t n, slice, depth, height, width;
  };

  // Weights as the kernels want them: [slice][phase][block][tap][input][lanes of the block] (dot: [slice][phase][output][tap][input],
  // depthwise: [slice][phase][tap][channel]); biases [slice][output]. Padded with zeros.
  void pack_bias(View bias) {
    bias_.resize(size_t(g_.slices * outputs_));
    for (int64_t i = 0; i < g_.slices; ++i)
      for (int64_t k = 0; k < outputs_; ++k)
        bias_[size_t(i * outputs_ + k)] = bias && k < g_.outputs_of(i) ? bias.as<A>()[i * g_.outputs + k] : A(0);
  }
  void pack(std::shared_ptr<void>* kept) {
    constexpr int64_t kAlgorithm = 256;  // numbers below are tiles of Winograd's
    bool made;
    packed_ = DerivedWeight<A>::find(kept, kAlgorithm, g_.slices * slice_weights(), DerivedWeight<A>::kAny, made);
    if (!made) return;
    const View w = w_;
    const bool turned = g_.w_output != 1 && !dot_ && !g_.depthwise;  // lanes are rows of the weight: a transposition, along whole rows
    const int64_t vectors = blocks_.vectors, item = std::max<int64_t>(1, slice_weights() / (turned ? vectors : g_.taps()));
    for (const ConvPhase& p : phases_) {
      parallel_for(g_.slices * (turned ? vectors : p.taps), (1 << 14) / item + 1, [&](int64_t i) {
        if (turned) return turn_vector(p, i % vectors, i / vectors, w.as<A>() + i / vectors * g_.w_slice);
        pack_tap(p, i % p.taps, i / p.taps, w.as<A>() + i / p.taps * g_.w_slice + p.kernel_tap(g_, i % p.taps) * g_.w_tap);
      });
    }
  }
  int64_t slice_weights() const { return g_.taps() * (g_.depthwise ? 1 : inputs_) * outputs_; }
  A* weights(int64_t slice, const ConvPhase& p) {
    return packed_->data.data() + slice * slice_weights() + p.first_tap * (slice_weights() / g_.taps());
  }

  void pack_tap(const ConvPhase& p, int64_t tap, int64_t slice, const A* w) {
    A* to = weights(slice, p);
    const int64_t outputs = g_.outputs_of(slice);
    if (g_.depthwise) {
      for (int64_t k = 0; k < outputs_; ++k) to[tap * outputs_ + k] = k < outputs ? w[k * g_.w_output] : A(0);
      return;
    }
    if (dot_) {
      for (int64_t k = 0; k < outputs; ++k)
        for (int64_t c = 0; c < inputs_; ++c)
          to[(k * p.taps + tap) * inputs_ + c] = c < g_.inputs ? w[k * g_.w_output + c * g_.w_input] : A(0);
      return;
    }
    for (int64_t b = 0; b < blocks_.count; ++b) {
      const int64_t first = blocks_.first(b) * isa_.lanes, width = blocks_.width(b) * isa_.lanes, real = std::min(width, outputs - first);
      A* block = to + (first * p.taps + tap * width) * inputs_;
      for (int64_t c = 0; c < inputs_; ++c) {
        std::copy_n(w + c * g_.w_input + first, real, block + c * width);
        std::fill(block + c * width + real, block + (c + 1) * width, A(0));
      }
    }
  }
  void turn_vector(const ConvPhase& p, int64_t vector, int64_t slice, const A* w) {
    int64_t b = 0;
    while (blocks_.first(b + 1) <= vector) ++b;
    const int64_t lanes = isa_.lanes, first = blocks_.first(b), width = blocks_.width(b) * lanes;
    const int64_t real = std::min(lanes, g_.outputs_of(slice) - vector * lanes);
    for (int64_t tap = 0; tap < p.taps; ++tap) {
      A* to = weights(slice, p) + (first * lanes * p.taps + tap * width) * inputs_ + (vector - first) * lanes;
      isa_.transpose(w + vector * lanes * g_.w_output + p.kernel_tap(g_, tap) * g_.w_tap, g_.w_output, to, width, real, inputs_);
      for (int64_t c = 0; c < inputs_ && real < lanes; ++c) std::fill(to + c * width + real, to + c * width + lanes, A(0));
    }
  }

  // Steps [from, to) of a block as [step][lanes of the block]. Weights that meet few tiles are read once so, in their own layout; packed
  // ahead they would be written to memory and read back.
  void pack_steps(const ConvPhase& p, int64_t slice, int64_t block, int64_t from, int64_t to, A* out) const {
    const int64_t lanes = isa_.lanes, first = blocks_.first(block) * lanes, width = blocks_.width(block) * lanes,
                  real = std::min(width, g_.outputs_of(slice) - first);
    for (int64_t s = from, n; s < to; s += n, out += n * width) {
      n = std::min(inputs_ - s % inputs_, to - s);  // of one tap
      const A* w = w_.as<A>() + slice * g_.w_slice + p.kernel_tap(g_, s / inputs_) * g_.w_tap + first * g_.w_output +
                   s % inputs_ * g_.w_input;
      for (int64_t v = 0; v < width && g_.w_output != 1; v += lanes)
        isa_.transpose(w + v * g_.w_output, g_.w_output, out + v, width, std::min(lanes, real - v), n);
      for (int64_t c = 0; c < n; ++c) {
        if (g_.w_output == 1) std::copy_n(w + c * g_.w_input, real, out + c * width);
        std::fill(out + c * width + real, out + (c + 1) * width, A(0));
      }
    }
  }

  void sum_phase(Worker& worker, const ConvPhase& p, int64_t n, int64_t slice, const ConvStart& start, int64_t part) {
    const Rows rows{n, slice, start.size(tiling_, 0, p.axis[0]->positions), start.size(tiling_, 1, p.axis[1]->positions),
                    start.size(tiling_, 2, p.axis[2]->positions)};
    if (rows.depth <= 0 || rows.height <= 0 || rows.width <= 0) return;
    const bool whole = dot_ || g_.depthwise;  // all runs at once
    const int64_t first_block = blocks_.count * part / parts_, last_block = blocks_.count * (part + 1) / parts_;
    for (int64_t b = first_block; b < last_block; ++b) {
      worker.started.assign(size_t(rows.depth * rows.height), 0);
      const int64_t pieces = int64_t(p.pieces.size());
      int64_t from = 0;
      do {
        int64_t to = from, steps = 0;
        while (to < pieces && (to == from || whole || steps + p.pieces[size_t(to)].run.steps <= most_steps_))
          steps += p.pieces[size_t(to++)].run.steps;
        sum_rows(worker, p, rows, start, b, from, to);
        from = to;
      } while (from < pieces);
    }
    if (!direct_) store(worker, p, rows, start, first_block, last_block);
  }

  // Where the outputs of a row are summed: in y itself if it has the type of the sums, else in the worker's scratch.
  A* sums_at(Worker& worker, const ConvPhase& p, const Rows& r, const ConvStart& start, int64_t z, int64_t y) {
    if (!direct_) return worker.sums + (z * tiling_.block[1] + y) * tiling_.block[2] * outputs_;
    return static_cast<A*>(element(y_, voxel_at(p, r, start, z, y) * g_.out_channels + r.slice * g_.outputs));
  }
  int64_t voxel_at(const ConvPhase& p, const Rows& r, const ConvStart& start, int64_t z, int64_t y) const {
    const int64_t d = (start.at[0] + z) * g_.out_step.d + p.axis[0]->out_offset,
                  h = (start.at[1] + y) * g_.out_step.h + p.axis[1]->out_offset, w = start.at[2] * g_.out_step.w + p.axis[2]->out_offset;
    return ((r.n * g_.out.d + d) * g_.out.h + h) * g_.out.w + w;
  }

  void sum_rows(Worker& worker, const ConvPhase& p, const Rows& r, const ConvStart& start, int64_t block, int64_t from, int64_t to) {
    const bool last = to == int64_t(p.pieces.size());
    const int64_t lanes = isa_.lanes, first = blocks_.first(block) * lanes;
    ConvRow<A> row;
    row.w = fresh_ ? worker.weights : weights(r.slice, p) + (dot_ || g_.depthwise ? 0 : first * p.taps * inputs_);
    const int64_t first_step = from < to ? p.pieces[size_t(from)].run.w : 0;
    bool packed = !fresh_;
    row.x_step = worker.tile.step();
    row.voxels = r.width;
    row.y_step = direct_ ? g_.out_step.w * g_.out_channels : outputs_;
    row.width = dot_ ? g_.outputs : g_.depthwise ? (g_.outputs_of(r.slice) + lanes - 1) / lanes : blocks_.width(block);
    const A* bias = bias_.data() + r.slice * outputs_ + first;
    const bool ends = store_.ends() && direct_ && last;
    ConvEnd<A> of_row;
    if (ends)
      of_row = store_.end<A>(0, g_.out_step.w, r.width, r.slice * g_.outputs + first,
                             dot_ || g_.depthwise ? g_.outputs_of(r.slice) : row.width * lanes);
    const A *const y_first = static_cast<const A*>(of_row.y), *const residual = static_cast<const A*>(of_row.residual);
    if (ends && !dot_ && !g_.depthwise) row.end = &of_row;
    for (int64_t z = 0; z < r.depth; ++z)
      for (int64_t y = 0; y < r.height; ++y) {
        worker.runs.clear();
        const int64_t tz = z * tiling_.step[0], ty = y * tiling_.step[1];
        for (int64_t i = from; i < to; ++i) {
          const ConvPiece& piece = p.pieces[size_t(i)];
          if (!worker.tile.inside(tz + piece.z, ty + piece.y)) continue;
          worker.runs.push_back(piece.run);
          if (fresh_) worker.runs.back().w -= first_step;
        }
        char& started = worker.started[size_t(z * r.height + y)];
        row.y = sums_at(worker, p, r, start, z, y) + first;
        if (ends) of_row.y = row.y;
        if (residual) of_row.residual = residual + (row.y - y_first);
        if (worker.runs.empty() && (started || !last)) {
          if (ends) isa_.end_rows(of_row);
          continue;
        }
        if (!packed && !worker.runs.empty()) {
          const ConvRun& end = p.pieces[size_t(to - 1)].run;
          pack_steps(p, r.slice, block, first_step, end.w + end.steps, worker.weights);
          packed = true;
        }
        row.x = worker.tile.row(tz, ty);
        if (tiling_.in_place && block == 0) {  // these inputs come from memory
          const bool turn = y + 1 == r.height;
          row.ahead =
              turn && z + 1 == r.depth ? 0 : worker.tile.row(turn ? tz + tiling_.step[0] : tz, turn ? 0 : ty + tiling_.step[1]) - row.x;
        }
        row.runs = worker.runs.data();
        row.run_count = int64_t(worker.runs.size());
        row.init = started ? nullptr : bias;
        row.streamed = streamed_ && last && !started;
        started = 1;
        if (dot_) isa_.dot(row, p.taps * inputs_);
        else if (g_.depthwise) isa_.depthwise(row);
        else isa_.gather(row);
        if (ends && !row.end) isa_.end_rows(of_row);
      }
  }

  void store(Worker& worker, const ConvPhase& p, const Rows& r, const ConvStart& start, int64_t first_block, int64_t last_block) {
    const int64_t first = blocks_.first(first_block) * isa_.lanes,
                  last = std::min(blocks_.first(last_block) * isa_.lanes, g_.outputs_of(r.slice));
    for (int64_t z = 0; z < r.depth; ++z)
      for (int64_t y = 0; y < r.height; ++y) {
        const int64_t voxel = voxel_at(p, r, start, z, y);
        isa_.store_rows(y_.dtype, sums_at(worker, p, r, start, z, y) + first, outputs_,
                        element(y_, voxel * g_.out_channels + r.slice * g_.outputs + first), g_.out_step.w * g_.out_channels, r.width,
                        last - first);
        store_.finish(isa_, voxel, g_.out_step.w, r.width, r.slice * g_.outputs + first, last - first);
      }
  }

  const ConvGather& g_;
  ConvIsa<A> isa_;
  const ConvInput& x_;
  View w_, y_;
  const ConvStore& store_;
  bool dot_, direct_, streamed_, fresh_ = false;
  ConvBlocks blocks_;
  int64_t inputs_, outputs_, parts_, most_steps_;  // channels of a slice, padded; tasks that share the blocks of a tile
  ConvTiling tiling_;
  std::vector<ConvPhase> phases_;
  std::shared_ptr<DerivedWeight<A>> packed_;
  std::vector<A> bias_;
};

}  // namespace

double direct_time(const ConvGather& g, const ConvInput& x) {
  constexpr double kPairedTime = 0.55;
  return PairedGather::is_possible(g, x) ? kPairedTime : 1;
}

template <class A>
void direct_gather(const ConvGather& g, const ConvInput& x, const ConvWeight& weight, const ConvStore& y) {
  if (PairedGather::is_possible(g, x)) {
    const PairedGather paired(g, x, weight.w);
    GatherPass<A>(paired.g, paired.x, {paired.w, weight.bias}, y, true).run();
  } else {
    GatherPass<A>(g, x, weight, y).run();
  }
}
template void direct_gather<float>(const ConvGather&, const ConvInput&, const ConvWeight&, const ConvStore&);
template void direct_gather<double>(const ConvGather&, const ConvInput&, const ConvWeight&, const ConvStore&);

}  // namespace voxgrad
