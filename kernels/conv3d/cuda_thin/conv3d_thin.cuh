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

// What a unit of the axis that is summed over reads: a word of a position, of the tap at these places along the axes.
struct ThinRead {
  int part, tap[3];
};

// The output and the unit, of eight by four or for the gradient of weights four by eight, of which a lane reads a word at a time.
struct ThinLane {
  int output, unit;
};
VOXGRAD_HD inline ThinLane thin_lane(int lane, bool gradient) {
  return gradient ? ThinLane{lane % 4, lane / 4} : ThinLane{lane / 4, lane % 4};
}

// The halo of a tile in shared memory, in words of 4 bytes: one f32 rounded to tf32, or a pair of 16-bit values. Forward, a pair is two
// channels of a position or, of one channel, a position and the next one; for the gradient of weights it is a channel of what an output
// and the fourth behind it read. The words of a channel lie together, and within a line those of the same residue of the stride, so that
// neighbouring outputs read neighbouring words; how far lines, planes and channels lie apart, padding included, is searched for by the
// words that lanes read (spread_over_banks).
struct ThinTile {
  int extent[3] = {0, 1, kThinWidth};  // outputs; 0: no tile fits
  int halo[3] = {1, 1, 1};             // positions of x
  int taps[3] = {1, 1, 1};
  int step[3] = {}, tap[3] = {};  // positions from one output and from one tap to the next
  int unit[3] = {1, 1, 1};        // of x, from one position to the next
  int ahead = 0;                  // positions to the second element of a pair; 0: none, or the next channel
  int parts = 1;                  // words of a position
  int taps_of_unit = 1;           // neighbours along W
  int residues = 1;               // of the stride along W, whose first ones are read
  int pitch = 0, line = 0, plane = 0, part = 0;  // words from one residue, line, plane and word of a position to the next

  VOXGRAD_HD int lines() const { return extent[0] * extent[1]; }  // of outputs
  VOXGRAD_HD int positions() const { return halo[0] * halo[1] * halo[2]; }
  // Threads fill words that are neighbours, whether they are positions or padding.
  VOXGRAD_HD int slots() const { return halo[0] * plane; }
  VOXGRAD_HD int words() const { return (parts * part + 31) / 32 * 32; }
  VOXGRAD_HD int64_t word_bytes() const { return words() * 4; }
  VOXGRAD_HD int64_t slot_bytes() const { return slots() * 8; }
  VOXGRAD_HD bool is_small() const { return halo[0] < 1024 && halo[1] < 1024 && halo[2] < 1024; }
  // The first word of line `l` of outputs; those of its outputs follow.
  VOXGRAD_HD int first_word(int l) const { return l / extent[1] * step[0] * plane + l % extent[1] * step[1] * line; }

  VOXGRAD_HD int line_units() const { return (taps[2] + taps_of_unit - 1) / taps_of_unit; }
  VOXGRAD_HD int plane_units() const { return taps[1] * line_units(); }
  VOXGRAD_HD int part_units() const { return taps[0] * plane_units(); }
  VOXGRAD_HD int units() const { return parts * part_units(); }
  // Of a line in the order in which they lie in memory, where taps are neighbours.
  VOXGRAD_HD ThinRead read_of(int u) const {
    ThinRead r{u / part_units(), {u / plane_units() % taps[0], u / line_units() % taps[1], u % line_units() * taps_of_unit}};
    if (taps_of_unit > 1 || tap[2] != 1) return r;
    for (int residue = 0, i = r.tap[2];; ++residue) {
      const int here = (taps[2] - residue + step[2] - 1) / step[2];
      if (i < here) {
        r.tap[2] = residue + i * step[2];
        return r;
      }
      i -= here;
    }
  }
  VOXGRAD_HD int tap_of(const ThinRead& r) const { return (r.tap[0] * taps[1] + r.tap[1]) * taps[2] + r.tap[2]; }
  // Words from that of the first tap to that of unit u.
  VOXGRAD_HD int word_of(int u) const {
    const ThinRead r = read_of(u);
    const int w = r.tap[2] * tap[2];
    return r.part * part + r.tap[0] * tap[0] * plane + r.tap[1] * tap[1] * line + w % step[2] * pitch + w / step[2];
  }
};
ThinTile thin_tile(const ConvGather&, int element, bool gradient, int d, int h);
// Pads the tile so that the words that the lanes of a warp read at a time lie in different banks.
void spread_over_banks(ThinTile&, bool gradient);
int64_t thin_tiles(const ConvGather&, const ThinTile&);
// Blocks that stay and work through the tiles: two of 256 threads on a multiprocessor.
int64_t thin_blocks(const ThinTile&, int64_t tiles, int multiprocessors);

// Forward: units of the halo are what a row of the product consists of.
struct ThinPlan {
  ThinTile tile;
  int steps = 1;     // products of eight units
  int columns = 32;  // output channels of a block
  int64_t shared = 0;
};
// For so many multiprocessors, of which outputs do not depend; 0: the largest tiles.
ThinPlan thin_plan(const ConvGather&, int element, int multiprocessors);

__device__ inline uint32_t thin_bits(float v) { return tf32_of(v); }
__device__ inline uint32_t thin_bits(bf16 v) { return v.bits; }
__device__ inline uint32_t thin_bits(f16 v) { return v.bits; }

// A slot of the halo, in shared memory: the place of its position along the axes, ten bits each, or -1 if it is padding, and voxels of x
// from the first one in the upper half.
using ThinSlot = int64_t;
// By all threads of the block.
__device__ inline void fill_slots(const ConvGather& g, const ThinTile& t, ThinSlot* slots) {
  for (int i = int(threadIdx.x); i < t.slots(); i += int(blockDim.x)) {
    const int d = i / t.plane, h = i % t.plane / t.line, in_line = i % t.plane % t.line;
    const int w = in_line % t.pitch * t.step[2] + in_line / t.pitch;
    const bool there = h < t.halo[1] && in_line < t.residues * t.pitch && w < t.halo[2];
    const int voxel = (d * t.unit[0] * g.axis[1].in + h * t.unit[1]) * g.axis[2].in + w * t.unit[2];
    slots[i] = int64_t(voxel) << 32 | uint32_t(there ? d << 20 | h << 10 | w : -1);
  }
}

// Where the halo of a tile begins: positions of x, and its first element.
template <class T>
struct ThinHalo {
  int start[3];
  const T* origin;
};
template <class T, bool kGradient, bool kWhole>
__device__ void load_thin_words(const ConvGather& g, const ThinTile& t, const ThinSlot* slots, const ThinHalo<T>& halo, uint32_t* words) {
  for (int i = int(threadIdx.x); i < t.slots(); i += int(blockDim.x)) {
    const ThinSlot slot = slots[i];
    const int place = int(slot), voxel = int(slot >> 32);
    if (place < 0) continue;
    const int at[3] = {place >> 20, place >> 10 & 1023, place & 1023};
    bool here = true, next = at[2] + t.ahead < t.halo[2];
    if constexpr (!kWhole) {
      const int w = at[2] * t.unit[2] + halo.start[2];
      const bool row = unsigned(at[0] * t.unit[0] + halo.start[0]) < unsigned(g.axis[0].in) &&
                       unsigned(at[1] * t.unit[1] + halo.start[1]) < unsigned(g.axis[1].in);
      here = row && unsigned(w) < unsigned(g.axis[2].in);
      next = next && row && unsigned(w + t.ahead * t.unit[2]) < unsigned(g.axis[2].in);
    }
    const T* const from = halo.origin + voxel * g.inputs;
    const auto bits = [&](bool there, int element) -> uint32_t { return there ? thin_bits(from[element]) : 0; };
#pragma unroll
    for (int part = 0; part < kMostThinInputs; ++part) {
      if (part >= t.parts) break;
      uint32_t word;
      if constexpr (sizeof(T) == 4) word = bits(here, part);
      else if (kGradient || t.ahead > 0) word = bits(here, part) | bits(next, part + t.ahead * t.unit[2] * g.inputs) << 16;
      else word = bits(here, 2 * part) | bits(here && 2 * part + 1 < g.inputs, 2 * part + 1) << 16;
      words[i + part * t.part] = word;
    }
  }
}
// The halo of the tile with these first outputs of sample n, by all threads of the block.
template <class T, bool kGradient>
__device__ void load_thin_halo(const ConvGather& g, const ThinTile& t, const ThinSlot* slots, int64_t n, const int (&first)[3],
                               const T* x, uint32_t* words) {
  ThinHalo<T> halo;
  int64_t voxel = n;
  bool whole = true;  // all that is read lies in the volume
  for (int a = 0; a < 3; ++a) {
    halo.start[a] = first[a] * g.axis[a].in_step + g.axis[a].offset;
    voxel = voxel * g.axis[a].in + halo.start[a];
    whole = whole && halo.start[a] >= 0 && halo.start[a] + t.halo[a] * t.unit[a] <= g.axis[a].in;
  }
  halo.origin = x + voxel * g.inputs;
  if (whole) load_thin_words<T, kGradient, true>(g, t, slots, halo, words);
  else load_thin_words<T, kGradient, false>(g, t, slots, halo, words);
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
