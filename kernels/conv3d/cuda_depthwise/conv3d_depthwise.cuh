#pragma once
// Depthwise convolutions: a block has a tile of H x W and some channels, and walks along D. The planes that it reads are a ring in shared
// memory, of which the next ones are on their way, and what is loaded of one serves all taps at once: a thread keeps the sums of all planes
// of outputs that the plane is read by.
#include "kernels/conv3d/cuda/conv3d_products.cuh"

namespace voxgrad {

inline constexpr int kDepthwiseWidth = 16, kDepthwiseThreads = 256;  // outputs of a tile along W
// Taps are 3, 5 or 7 along two axes at least, and along the third as many or one. Rows of outputs of a warp or thread, and planes of the
// ring.
VOXGRAD_HD constexpr int depthwise_rows(int taps) { return taps == 3 ? 4 : 2; }
VOXGRAD_HD constexpr int depthwise_stages(int element, int taps) { return element == 2 ? 4 : taps == 7 ? 2 : 3; }
// On the ordinary cores, whose warps have as many channels as lanes: outputs along W and H of a thread and of a block, with this stride.
inline constexpr int kDepthwiseLanes = 32;
VOXGRAD_HD constexpr int depthwise_lane_columns(int taps, int stride) { return stride == 2 && taps == 7 ? 2 : 4; }
VOXGRAD_HD constexpr int depthwise_lane_rows(int taps, int stride) { return stride == 2 ? 1 : depthwise_rows(taps); }
VOXGRAD_HD constexpr int depthwise_wide(int stride) { return stride == 2 ? kDepthwiseWidth / 2 : kDepthwiseWidth; }
VOXGRAD_HD constexpr int depthwise_lane_tile(int taps, int stride) {
  return kDepthwiseThreads / 32 * depthwise_lane_columns(taps, stride) / depthwise_wide(stride) * depthwise_lane_rows(taps, stride);
}

struct DepthwisePlan {
  int taps = 3, taps_d = 3, taps_h = 3, taps_w = 3;  // taps: the most along H and W
  int stride = 1;    // along H and W
  bool lanes = true;  // on the ordinary cores
  int bits = 2;      // a block has 2^bits pieces of 16 bytes of channels
  int wide = 16;     // outputs of a block along W
  int rows = 8;      // and along H
  int planes = 1;    // and along D
  int64_t shared = 0;

  VOXGRAD_HD int pieces() const { return 1 << bits; }
  VOXGRAD_HD int halo() const { return (rows - 1) * stride + taps_h; }
  VOXGRAD_HD int width() const { return (wide - 1) * stride + taps_w; }
  VOXGRAD_HD int row_bytes() const { return width() * 16 << bits; }
  VOXGRAD_HD int plane_bytes() const { return halo() * row_bytes(); }
  VOXGRAD_HD int tile_bytes() const { return rows * wide * 16 << bits; }
};
// Blocks are tiles of all samples times blocks of channels, which are neighbours.
struct DepthwiseBlocks {
  int channels = 1, w = 1, h = 1, d = 1;
  VOXGRAD_HD int64_t count(int64_t n) const { return n * d * h * w * channels; }
};
VOXGRAD_HD inline DepthwiseBlocks depthwise_blocks(const ConvGather& g, const DepthwisePlan& p, int element) {
  const int channels = 16 / element << p.bits;
  return {(g.groups + channels - 1) / channels, (g.axis[2].count + p.wide - 1) / p.wide,
          (g.axis[1].count + p.rows - 1) / p.rows, (g.axis[0].count + p.planes - 1) / p.planes};
}
// Of a device with so many multiprocessors, of which results do not depend.
DepthwisePlan depthwise_plan(const ConvGather&, int element, int multiprocessors);
// Of the gradient of weights, whose blocks are the same on every device.
DepthwisePlan depthwise_weights_plan(const ConvGather&, int element);
// Planes of its rings: two where three of f32 are more than the 99 KiB that a block of some GPUs has.
VOXGRAD_HD constexpr int depthwise_weight_stages(int element, int taps_h, int taps_w) {
  return element == 4 && (taps_h == 7 || taps_w == 7 || (taps_h == 5 && taps_w == 1)) ? 2 : 3;
}
// A block has all taps along D where their sums and planes of gy find room, or one of them.
VOXGRAD_HD constexpr int depthwise_taps_together(int element, int taps_d, int taps_h, int taps_w) {
  return (taps_h == taps_w ? taps_h == 3 : element == 2 || taps_h < 7) ? taps_d : 1;
}
inline constexpr int kDepthwiseWeightRows = 4;  // of gy, of a block on the ordinary cores

struct DepthwiseBlock {
  int64_t n;
  int d, h, w, channel;  // the first ones
  __device__ DepthwiseBlock(const ConvGather& g, const DepthwisePlan& p, int element) {
    const DepthwiseBlocks b = depthwise_blocks(g, p, element);
    int64_t rest = blockIdx.x;
    channel = int(rest % b.channels) * (16 / element << p.bits);
    rest /= b.channels;
    w = int(rest % b.w) * p.wide;
    rest /= b.w;
    h = int(rest % b.h) * p.rows;
    rest /= b.h;
    d = int(rest % b.d) * p.planes;
    n = rest / b.d;
  }
  // Planes of outputs.
  __device__ int planes(const ConvGather& g, const DepthwisePlan& p) const {
    return d + p.planes <= g.axis[0].count ? p.planes : g.axis[0].count - d;
  }
};

// Where piece c of voxel `x` of a row lies among the pieces of that voxel: of 16-bit types eight neighbours along W meet no bank twice.
template <class T>
__device__ int depthwise_place(int x, int c, int bits) {
  return sizeof(T) == 2 ? c ^ (x >> (3 - bits) & ((1 << bits) - 1)) : c;
}

// How channels are read: pieces of 16 bytes, words of 4 or one by one.
enum class DepthwiseAccess { pieces, words, elements };
template <class T>
DepthwiseAccess depthwise_access(int channels, const T* x) {
  if (whole_pieces(channels, x)) return DepthwiseAccess::pieces;
  return reinterpret_cast<uintptr_t>(x) % 4 == 0 && channels * int64_t(sizeof(T)) % 4 == 0 ? DepthwiseAccess::words
                                                                                           : DepthwiseAccess::elements;
}

// The planes of a tensor {n, D, H, W, channels} in tiles of rows x kWidth voxels, which a block copies to shared memory: pieces of a
// thread.
template <class T, int kMostPieces, int kWidth, bool kSwizzled = sizeof(T) == 2>
class DepthwiseTile {
 public:
  // The tile begins at (h, w, channel) of planes of `extent`, counted along H and W.
  __device__ DepthwiseTile(int rows, int bits, int height, int width, int h, int w, int channels, int channel)
      : left_(channels - channel - (int(threadIdx.x) & ((1 << bits) - 1)) * kPackWidth<T>) {
    const int c = int(threadIdx.x) & ((1 << bits) - 1);
#pragma unroll
    for (int i = 0; i < kMostPieces; ++i) {
      const int at = (int(threadIdx.x) + i * kDepthwiseThreads) >> bits;
      const int y = at / kWidth, v = at % kWidth;
      if constexpr (kSwizzled)
        if (i < kPlaces) into_[i] = ((at << bits) + depthwise_place<T>(v, c, bits)) * 16;
      const bool inside = unsigned(h + y) < unsigned(height) && unsigned(w + v) < unsigned(width) && y < rows && left_ > 0;
      from_[i] = inside ? ((h + y) * width + w + v) * channels + channel + c * kPackWidth<T> : y < rows ? kZeros : kNothing;
    }
  }
  // Begins the copy of this plane; of zeros in its place where it is not `there`.
  __device__ void load(const T* plane, bool there, DepthwiseAccess access, unsigned char* into) const {
    if (access == DepthwiseAccess::pieces) {
#pragma unroll
      for (int i = 0; i < kMostPieces; ++i)
        if (from_[i] != kNothing) cp_async_16(SharedAddress(into) + place(i), plane + (from_[i] & INT32_MAX), there && from_[i] >= 0);
      return;
    }
#pragma unroll
    for (int i = 0; i < kMostPieces; ++i) {
      const int from = from_[i], to = place(i);
      if (from == kNothing) continue;
      const int here = there && from >= 0 ? left_ : 0;
      // Not unrolled: registers are for the kernel's sums.
      if (access == DepthwiseAccess::elements) {
#pragma unroll 1
        for (int k = 0; k < kPackWidth<T>; ++k) reinterpret_cast<T*>(into + to)[k] = k < here ? plane[from + k] : T(0.f);
        continue;
      }
#pragma unroll 1
      for (int k = 0; k < 4; ++k) {
        constexpr int kEach = 4 / int(sizeof(T));
        cp_async_4(SharedAddress(into) + to + 4 * k, plane + (k * kEach < here ? from + k * kEach : 0), k * kEach < here);
      }
    }
  }

 private:
  int left_;  // channels from the thread's first one on
  // A thread's pieces have one place along W where rows divide what all threads copy at once.
  static constexpr int kPlaces = kSwizzled && kWidth != kDepthwiseWidth ? kMostPieces : 1;
  static constexpr int kZeros = INT32_MIN, kNothing = -1;
  __device__ int place(int i) const {
    if (kPlaces > 1) return into_[kPlaces > 1 ? i : 0];
    return (kSwizzled ? into_[0] : int(threadIdx.x) * 16) + i * kDepthwiseThreads * 16;
  }

  int from_[kMostPieces];  // elements from the start of a plane; kZeros, or kNothing where the tile has no such piece
  int into_[kPlaces];
};
// Pieces of a thread, at most, of tiles with these rows and columns beyond the outputs.
VOXGRAD_HD constexpr int depthwise_pieces(int element, int taps, int more) {
  int most = 0;
  for (int bits = element == 2 ? 0 : 3; bits <= (element == 2 ? 2 : 3); ++bits) {
    const int rows = depthwise_rows(taps) * (element == 2 ? 8 >> bits : 2);
    const int pieces = ((rows + more) * (kDepthwiseWidth + more)) << bits;
    most = pieces > most ? pieces : most;
  }
  return (most + kDepthwiseThreads - 1) / kDepthwiseThreads;
}

// The planes of one tensor that a block reads on its walk: a ring of tiles in shared memory, in which the planes of kBefore steps stay
// beside those on their way.
template <class T, class Tile, int kStages, int kBefore = 0>
class DepthwiseRing {
 public:
  static constexpr int kKept = kBefore, kPlanes = kStages + kBefore;
  // At step s it is plane z + every s, of `planes` of so many elements from `first` on, zeros where there is none.
  __device__ DepthwiseRing(const Tile& tile, DepthwiseAccess access, const T* first, int elements, int z, int planes, int bytes,
                           unsigned char* memory, int every = 1)
      : tile_(tile), access_(access), first_(first), elements_(elements), z_(z), planes_(planes), every_(every), bytes_(bytes),
        memory_(memory) {}
  __device__ unsigned char* at(int step) const { return memory_ + (step + (kBefore > 0 ? kPlanes : 0)) % kPlanes * bytes_; }
  __device__ void load(int step) const {
    const int z = z_ + step * every_;
    const bool there = unsigned(z) < unsigned(planes_);
    tile_.load(first_ + (there ? z : 0) * int64_t(elements_), there, access_, at(step));
  }

 private:
  Tile tile_;
  DepthwiseAccess access_;
  const T* first_;
  int elements_, z_, planes_, every_, bytes_;
  unsigned char* memory_;
};
// That of what outputs read of x; at step 0 it is what the first ones of the block read at this tap along D.
template <class T, class Tile, int kStages, int kBefore = 0>
__device__ DepthwiseRing<T, Tile, kStages, kBefore> depthwise_halo(const ConvGather& g, const DepthwisePlan& plan, const DepthwiseBlock& b,
                                                                   int tap, DepthwiseAccess access, const T* x, unsigned char* memory,
                                                                   int stride = 1, int every = 1) {
  const int plane = g.axis[1].in * g.axis[2].in * g.groups;
  return {{plan.halo(), plan.bits, g.axis[1].in, g.axis[2].in, b.h * stride + g.axis[1].offset, b.w * stride + g.axis[2].offset, g.groups,
           b.channel},
          access, x + b.n * g.axis[0].in * plane, plane, b.d * g.axis[0].in_step + g.axis[0].offset + tap, g.axis[0].in, plan.plane_bytes(),
          memory, every};
}
// With stride 1 and as many taps along H as along W.
template <class T, int kTaps>
using DepthwiseSquare = DepthwiseTile<T, depthwise_pieces(sizeof(T), kTaps, kTaps - 1), kDepthwiseWidth + kTaps - 1>;

// A ring of which there is a new plane at every kEach-th step: that of step s is at(s / kEach) of the ring.
template <int kEach, class Ring>
struct DepthwiseSlowRing {
  const Ring& ring;
  static constexpr int kKept = Ring::kKept * kEach;
  __device__ void load(int step) const {
    if (step % kEach == 0) ring.load(step / kEach);
  }
};

// A block's steps along D. At each one its rings have the planes of that step, and of those before it that they keep.
template <int kStages>
struct DepthwiseWalk {
  int steps;

  template <class... Rings>
  __device__ void begin(const Rings&... rings) const {
    constexpr int kBefore = (0 + ... + Rings::kKept);
#pragma unroll
    for (int s = -kBefore; s < kStages - 1; ++s) {
      if (s < steps) ((s >= -Rings::kKept ? rings.load(s) : void()), ...);
      if (s >= 0) cp_async_commit();
    }
  }
  // Waits for the planes of this step, and begins to load those of a later one.
  template <class... Rings>
  __device__ void advance(int step, const Rings&... rings) const {
    cp_async_wait<kStages - 2>();
    __syncthreads();
    if (step + kStages - 1 < steps) (rings.load(step + kStages - 1), ...);
    cp_async_commit();
  }
};

// Planes of outputs of a block of these tiles, on a device with so many multiprocessors.
int depthwise_planes(const ConvGather&, const DepthwisePlan&, int element, int multiprocessors);
bool depthwise_is_possible(const ConvGather&);
// Bytes of global memory that the kernel reads and writes.
ConvTraffic depthwise_traffic(const ConvGather&, int element, int multiprocessors);
ConvTraffic depthwise_weights_traffic(const ConvGather&, int element);
template <class T>
void conv_gather_depthwise(Cuda, const ConvGather&, const WeightPack&, const T* x, const float* w, const GatherOutput<T>&);
// The input gradient with stride 2, of all residues at once.
bool depthwise_gradient_is_possible(const Conv3dProblem&);
ConvTraffic depthwise_gradient_traffic(const Conv3dProblem&, int element, int multiprocessors);
template <class T>
void conv_input_gradient_depthwise(Cuda, const Conv3dProblem&, const T* gy, const float* w, const GatherOutput<T>&);
template <class T>
void conv_gather_depthwise_lanes(Cuda, const ConvGather&, const DepthwisePlan&, const WeightPack&, const T* x, const float* w,
                                 const GatherOutput<T>&);
// gw {channels, taps} of the forward gather.
template <class T>
void conv_weights_depthwise(Cuda, const ConvGather&, const T* x, const T* gy, float* gw);

}  // namespace voxgrad
