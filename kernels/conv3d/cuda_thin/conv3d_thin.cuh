#pragma once
// Convolutions of up to 4 input channels on the tensor cores. The axis that they sum over is that of taps times channels: what a voxel
// reads of x, gathered from the halo of a tile in shared memory, is a row of one product, so that the cores are through long before the
// outputs are written. The gradient of weights sums over voxels, and what a voxel reads are the columns.
#include "core/cuda/ptx.h"
#include "kernels/conv3d/cuda/conv3d_mma.cuh"

namespace voxgrad {

inline constexpr int kThinWidth = 16;         // outputs of a tile along W: the rows of one product
inline constexpr int kThinLinesPerWarp = 4;
inline constexpr int kThinWarps = 8;          // of a block at most
inline constexpr int kMostThinInputs = 4;
inline constexpr int64_t kMostThinShared = 99 << 10;  // of a block on sm_86, sm_89 and sm_120; two of them fit sm_90

// The halo of a tile in shared memory, in words of 4 bytes: one f32 rounded to tf32, or a pair of 16-bit values. Forward, a pair is two
// channels of a position or, of one channel, a position and the next one; for the gradient of weights it is a channel at the positions of
// two neighbouring outputs. Three channels are kept as four. Lines are padded so that the words of a fragment lie in different banks
// (3x3x3, stride 1).
struct ThinTile {
  int extent[3] = {0, 1, kThinWidth};  // outputs; 0: no tile fits
  int halo[3] = {1, 1, 1};             // positions of x
  int step[3] = {}, tap[3] = {};       // positions from one output and from one tap to the next
  int unit[3] = {1, 1, 1};             // of x, from one position to the next
  int kept = 1;                        // channels of a position
  int per_position = 1;                // words of one
  int line = 0, plane = 0;             // words from one line, and from one plane, to the next

  VOXGRAD_HD int lines() const { return extent[0] * extent[1]; }  // of outputs
  VOXGRAD_HD int words() const { return halo[0] * plane; }
  VOXGRAD_HD int positions() const { return halo[0] * halo[1] * halo[2]; }
  // Of the halo, and of its positions.
  VOXGRAD_HD int64_t word_bytes() const { return words() * 4; }
  VOXGRAD_HD int64_t position_bytes() const { return positions() * 8; }
  VOXGRAD_HD bool is_small() const { return halo[0] < 1024 && halo[1] < 1024 && halo[2] < 1024; }
  // The first word of line `l` of outputs.
  VOXGRAD_HD int first_word(int l) const { return l / extent[1] * step[0] * plane + l % extent[1] * step[1] * line; }
};
ThinTile thin_tile(const ConvGather&, int element, bool gradient, int d, int h);
int64_t thin_tiles(const ConvGather&, const ThinTile&);
// Blocks that stay and work through the tiles: two of 256 threads on a multiprocessor.
int64_t thin_blocks(const ThinTile&, int64_t tiles, int multiprocessors);

// Forward: words of the halo that a row of the product consists of. Taps along W that are neighbours make a run of elements.
struct ThinPlan {
  ThinTile tile;
  int runs = 1, run_elements = 1, run_units = 1;  // of a run: elements, and words that it takes
  bool whole_lines = true;                        // a run has all taps along W
  int steps = 1;                                  // products of eight words
  int columns = 32;                               // output channels of a block
  int64_t shared = 0;

  VOXGRAD_HD int units() const { return runs * run_units; }
};
// For so many multiprocessors, of which outputs do not depend; 0: the largest tiles.
ThinPlan thin_plan(const ConvGather&, int element, int multiprocessors);

// The first tap of a run.
__device__ inline int first_tap(const ConvGather& g, const ThinPlan& p, int run) { return p.whole_lines ? run * g.axis[2].taps : run; }
// Words from that of tap 0 to that of another tap.
__device__ inline int tap_words(const ConvGather& g, const ThinTile& t, int tap) {
  const int row = tap / g.axis[2].taps;
  return row / g.axis[1].taps * t.tap[0] * t.plane + row % g.axis[1].taps * t.tap[1] * t.line +
         tap % g.axis[2].taps * t.tap[2] * t.per_position;
}

__device__ inline uint32_t thin_bits(float v) { return tf32_of(v); }
__device__ inline uint32_t thin_bits(bf16 v) { return v.bits; }
__device__ inline uint32_t thin_bits(f16 v) { return v.bits; }

// A position of the halo, in shared memory: voxels of x from the first one, and its place along the axes, ten bits each.
struct alignas(8) ThinPosition {
  int voxel, at;
};
// By all threads of the block.
__device__ inline void fill_positions(const ConvGather& g, const ThinTile& t, ThinPosition* positions) {
  for (int i = int(threadIdx.x); i < t.positions(); i += int(blockDim.x)) {
    const int w = i % t.halo[2], h = i / t.halo[2] % t.halo[1], d = i / t.halo[2] / t.halo[1];
    positions[i] = {(d * t.unit[0] * g.axis[1].in + h * t.unit[1]) * g.axis[2].in + w * t.unit[2], d << 20 | h << 10 | w};
  }
}

// Where the halo of a tile begins: positions of x, and its first element.
template <class T>
struct ThinHalo {
  int start[3];
  const T* origin;
};
template <class T, bool kGradient, bool kWhole>
__device__ void load_thin_words(const ConvGather& g, const ThinTile& t, const ThinPosition* positions, const ThinHalo<T>& halo, int ahead,
                                uint32_t* words) {
  for (int i = int(threadIdx.x); i < t.positions(); i += int(blockDim.x)) {
    const ThinPosition p = positions[i];
    const int at[3] = {p.at >> 20, p.at >> 10 & 1023, p.at & 1023};
    uint32_t* const into = words + at[0] * t.plane + at[1] * t.line + at[2] * t.per_position;
    bool here = true, next = true;
    if constexpr (!kWhole) {
      const int w = at[2] * t.unit[2] + halo.start[2];
      const bool row = unsigned(at[0] * t.unit[0] + halo.start[0]) < unsigned(g.axis[0].in) &&
                       unsigned(at[1] * t.unit[1] + halo.start[1]) < unsigned(g.axis[1].in);
      here = row && unsigned(w) < unsigned(g.axis[2].in);
      next = row && unsigned(w + ahead) < unsigned(g.axis[2].in);
    }
    const T* const from = halo.origin + p.voxel * g.inputs;
    const auto bits = [&](bool there, int element) -> uint32_t { return there ? thin_bits(from[element]) : 0; };
#pragma unroll
    for (int part = 0; part < kMostThinInputs; ++part) {
      if (part >= t.per_position) break;
      uint32_t word;
      if constexpr (sizeof(T) == 4) word = bits(here && part < g.inputs, part);
      else if constexpr (kGradient)
        word = bits(here && part < g.inputs, part) | bits(next && part < g.inputs, part + ahead * g.inputs) << 16;
      else if (t.kept == 1) word = bits(here, 0) | bits(next, ahead) << 16;
      else word = bits(here, 2 * part) | bits(here && 2 * part + 1 < g.inputs, 2 * part + 1) << 16;
      into[part] = word;
    }
  }
}
// The halo of the tile with these first outputs of sample n, by all threads of the block.
template <class T, bool kGradient>
__device__ void load_thin_halo(const ConvGather& g, const ThinTile& t, const ThinPosition* positions, int64_t n, const int (&first)[3],
                               const T* x, uint32_t* words) {
  // A pair's second element is that of so many positions of x further along W.
  const int ahead = (kGradient ? t.step[2] : 1) * t.unit[2];
  ThinHalo<T> halo;
  int64_t voxel = n;
  bool whole = true;  // all that is read lies in the volume
  for (int a = 0; a < 3; ++a) {
    halo.start[a] = first[a] * g.axis[a].in_step + g.axis[a].offset;
    voxel = voxel * g.axis[a].in + halo.start[a];
    whole = whole && halo.start[a] >= 0 && halo.start[a] + t.halo[a] * t.unit[a] + (a == 2 ? ahead : 0) <= g.axis[a].in;
  }
  halo.origin = x + voxel * g.inputs;
  if (whole) load_thin_words<T, kGradient, true>(g, t, positions, halo, ahead, words);
  else load_thin_words<T, kGradient, false>(g, t, positions, halo, ahead, words);
}

// y = gather + bias, by tensor cores; f32 as tf32.
bool thin_is_possible(const ConvGather&, int element);
// Bytes of global memory that the kernels read and write, halos as often as they are read.
ConvTraffic thin_traffic(const ConvGather&, int element, int multiprocessors);
template <class T>
void conv_gather_thin(Cuda, const ConvGather&, const WeightPack&, const T* x, const float* w, const GatherOutput<T>&);

// Where the gradient of a weight of a wide channel, a tap and a narrow channel lies in gw.
struct ThinWeights {
  int64_t wide = 1, tap = 1, narrow = 1, first = 0;
};
// gw = the sum over the voxels of `wide` {outputs of the gather, its channels}, which may be normalised, times what the gather reads of
// `narrow`. sliced: those whose halo of all taps is too large as well, by a launch for each plane of taps along D.
bool thin_weights_are_possible(const ConvGather&, int element, bool sliced);
// The gradient of weights of few output channels as one of few input channels: x is the wide tensor, and gy is gathered at the positions
// that read a voxel of x. With stride 1 alone.
ConvGather exchanged(const ConvGather&);
// Which side of the gradient of weights has so few channels that they are summed by conv3d_thin_weights_kernel.
enum class ThinSide { none, x, gy };
ThinSide thin_side(const ConvGather&, int element, bool exact);
ConvTraffic thin_weights_traffic(const ConvGather&, int element);
template <class T>
void conv_weights_thin(Cuda, const ConvGather&, const ThinWeights&, const T* narrow, const GatherInput& wide, float* gw);

// 1x1x1 to up to 8 outputs, of whole pieces of 16 bytes of channels: a warp multiplies voxels as they come from memory.
bool head_is_possible(const ConvGather&, int element);
bool head_may_normalise(const ConvGather&, int element);  // x, without spilling registers
ConvTraffic head_traffic(const ConvGather&, int element);
template <class T>
void conv_gather_head(Cuda, const ConvGather&, const WeightPack&, const GatherInput& x, const float* w, const GatherOutput<T>&);

}  // namespace voxgrad
