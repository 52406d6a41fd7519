#pragma once
// Convolutions on CUDA are told as gathers: y[n, v, m] = sum over taps t and channels r of x[n, source(v, t), r] w[t, m, r], with the same
// affine map of positions along every axis. The forward pass is one gather; the input gradient is one for each residue of positions
// modulo the stride, since these see different taps.
#include "core/cuda/launch.h"
#include "core/view.h"
#include "kernels/conv3d/conv3d_traffic_kernels.h"

namespace voxgrad {

// Output j < count lies at first + j step of `out` positions; tap t reads position j in_step + offset + t tap_step of `in`, zero outside.
// In the weights the tap has index weight_first + t weight_step.
struct GatherAxis {
  int out = 1, first = 0, step = 1, count = 1;
  int in = 1, in_step = 1, offset = 0;
  int taps = 1, tap_step = 1, weight_first = 0, weight_step = 1;

  // Distance of the positions of x that are read at all, and how many of them `tile` neighbouring outputs need.
  VOXGRAD_HD int unit() const {
    if (taps == 1) return in_step;
    int a = in_step, b = tap_step;
    while (b) {
      const int rest = a % b;
      a = b;
      b = rest;
    }
    return a;
  }
  VOXGRAD_HD int halo(int tile) const { return ((tile - 1) * in_step + (taps - 1) * tap_step) / unit() + 1; }
};

struct ConvGather {
  int64_t n = 1;
  int groups = 1, inputs = 1, outputs = 1;  // channels of x and of y per group
  GatherAxis axis[3];
  int taps = 1;
  // A transposed convolution whose kernel is its stride makes all outputs of a voxel of x at once: `outputs` are then the channels of y at
  // each of its places[0] places[1] places[2] places, the last axis fastest, and positions of y are those of the first place.
  int places[3] = {1, 1, 1}, placed = 1;  // placed: their product

  // Voxels that the halos of all tiles of this extent, and `more` positions along W, read of one sample, together.
  double halo_voxels(const int (&tile)[3], int more = 0) const;
  VOXGRAD_HD int64_t out_voxels() const { return n * axis[0].count * axis[1].count * axis[2].count; }
  VOXGRAD_HD int64_t out_count() const { return int64_t(axis[0].out) * axis[1].out * axis[2].out; }
  // Of y: channels of all groups; that of output m of all groups; and the first element of its place, seen from that of the first place.
  VOXGRAD_HD int channels() const { return outputs * groups / placed; }
  VOXGRAD_HD int channel_of(int m) const { return placed == 1 ? m : m % channels(); }
  VOXGRAD_HD int place_along(int a, int m) const {
    const int place = m / channels();
    return a == 2 ? place % places[2] : a == 1 ? place / places[2] % places[1] : place / places[2] / places[1];
  }
  VOXGRAD_HD int64_t place_of(int m) const {
    if (placed == 1) return 0;
    return ((int64_t(place_along(0, m)) * axis[1].out + place_along(1, m)) * axis[2].out + place_along(2, m)) * channels();
  }
};

__device__ inline float activated(float z, float slope) { return z > 0 ? z : slope * z; }
// What normalises a channel: z = x factor + base.
struct GatherNorm {
  float factor = 0, base = 0;
  GatherNorm() = default;
  // From coefficients {3, channels} of a sample.
  __device__ GatherNorm(const float* of, int channels, int channel)
      : factor(of[channels + channel]), base(fmaf(-of[channel], factor, of[2 * channels + channel])) {}
  __device__ float operator()(float x) const { return fmaf(x, factor, base); }
};

// What a gather on the tensor cores reads, in pieces of 16 bytes of channels: one tensor, or two whose concatenation along the channels it
// is, each as it is or, with coefficients {n, 3, channels}, normalised and activated on the way (ConvPart). By wgmma all pieces of 64 bytes
// are of one part.
struct GatherInput {
  struct Part {
    const void* x = nullptr;
    const float* coefficients = nullptr;
    float slope = 1;
    int channels = 0;  // of a voxel in memory
    int used = 0;      // of them, by a group
  };
  Part part[2];
  int split = INT32_MAX;  // first piece of the second one
  bool whole = false;     // rows can be read in pieces of 16 bytes

  VOXGRAD_HD bool normalises() const { return part[0].coefficients || part[1].coefficients; }
  // One tensor as it is, in whole pieces.
  bool is_plain() const { return whole && split == INT32_MAX && !normalises(); }
  // The part that has piece c, of which c becomes the number within the part.
  __device__ Part at(int& c) const {
    const bool second = c >= split;
    if (second) c -= split;
    return {second ? part[1].x : part[0].x, second ? part[1].coefficients : part[0].coefficients, second ? part[1].slope : part[0].slope,
            second ? part[1].channels : part[0].channels, second ? part[1].used : part[0].used};
  }
};
template <class T>
GatherInput gather_input(const ConvGather&, const T* x);

// Moments of parts of the voxels of y (conv3d_moments.cuh): parts {parts, 3, channels}, an origin and the sums of y - origin and its
// square over as many outputs as counts {parts} says; of no outputs they are anything. Null where they are not wanted.
struct GatherMoments {
  float* parts = nullptr;
  int* counts = nullptr;

  __device__ void set(int64_t part, int channels, int channel, float origin, float sum, float square) const {
    float* const at = parts + part * 3 * channels + channel;
    at[0] = origin, at[channels] = sum, at[2 * channels] = square;
  }
};

// Sums of parts of what is written, y, for the backward pass of the norm through which another convolution read x, of the shape of y:
// parts {parts, 2, channels}, of g = y act'(z) and of g (x - mean), z as WrittenSums says. Null where they are not wanted.
// GatherTotals, in host memory (as parameters of a kernel they would cost registers): where their totals go. With more, they are added to
// what gathers with other outputs have left there.
struct GatherTotals {
  const WrittenSums& into;
  bool more = false;
};
// The first `here` elements of x from `at` on; of all of them where they are whole pieces.
template <int N, class T>
__device__ Pack<T, N> load_here(const T* x, int64_t at, int here, bool whole) {
  if (whole) return *reinterpret_cast<const Pack<T, N>*>(x + at);
  Pack<T, N> v{};
#pragma unroll
  for (int k = 0; k < N; ++k)
    if (k < here) v.v[k] = x[at + k];
  return v;
}
template <class T>
struct GatherSums {
  const T* x = nullptr;
  const float* coefficients = nullptr;  // {samples, 3, channels}
  float slope = 1;
  float* parts = nullptr;
  const GatherTotals* totals = nullptr;

  template <int N>
  __device__ Pack<T, N> load(int64_t at, int here, bool whole) const {
    return load_here<N>(x, at, here, whole);
  }
  __device__ void set(int64_t part, int channels, int channel, float sum, float product) const {
    float* const at = parts + part * 2 * channels + channel;
    at[0] = sum, at[channels] = product;
  }
};

// What a gather writes: y = act(norm(gather + bias) + residual) (ConvOutput). The sum with its bias is rounded to the type of y first.
template <class T>
struct GatherOutput {
  T* y = nullptr;
  const float* bias = nullptr;          // of the channels of all groups, or null
  bool whole = false;                   // rows can be read and written in pieces of 16 bytes, those of sums.x as well
  const float* coefficients = nullptr;  // {3, channels}: of the norm, or null
  const T* residual = nullptr;          // as y, or null
  float slope = 1;
  int channels = 0;
  const WrittenStatistics* statistics = nullptr;  // in host memory: where they go, or null
  GatherMoments moments = {};           // while these are taken
  GatherSums<T> sums = {};              // where there is no bias and nothing behind the sum

  __device__ bool ends() const { return residual || coefficients || slope != 1; }
  // What is added to channel m of all groups.
  __device__ float added(int m) const { return bias ? bias[m] : 0.f; }
  // What is stored of the first `here` of these sums, of the channels of all groups from m on: elements of y from `at` on. With whole they
  // start and lie in pieces of 16 bytes, or are fewer.
  template <int N>
  __device__ Pack<T, N> ended(Pack<T, N> v, int m, int64_t at, int here) const {
    if (ends()) {
      constexpr int kHalf = N > 4 ? N / 2 : N;  // of eight at once, registers would spill
#pragma unroll
      for (int first = 0; first < N; first += kHalf) {
        Pack<T, kHalf> more{};
        if (residual && whole) more = *reinterpret_cast<const Pack<T, kHalf>*>(residual + at + first);
#pragma unroll
        for (int k = 0; k < kHalf; ++k) {
          if (first + k >= here) continue;
          float z = float(v.v[first + k]);
          if (coefficients) z = GatherNorm(coefficients, channels, m + first + k)(z);
          if (residual && !whole) more.v[k] = residual[at + first + k];
          v.v[first + k] = T(activated(z + float(more.v[k]), slope));
        }
      }
    }
    return v;
  }
  template <int N>
  __device__ void store(const Pack<T, N>& v, int m, int64_t at, int here) const {
    put(ended(v, m, at, here), at, here);
  }
  // What ended has made.
  template <int N>
  __device__ void put(const Pack<T, N>& v, int64_t at, int here) const {
    if (whole) {
      *reinterpret_cast<Pack<T, N>*>(y + at) = v;
      return;
    }
#pragma unroll
    for (int k = 0; k < N; ++k)
      if (k < here) y[at + k] = v.v[k];
  }
  __device__ void store(float sum, int m, int64_t at) const { store(Pack<T, 1>{{T(sum)}}, m, at, 1); }
};

// The weights of a gather as a kernel wants them: {groups, taps, rows, columns} of T, row = output channel, column = input channel, zeros
// beyond those that there are. For direct kernels rows and columns change places.
struct WeightPack {
  int rows = 1, columns = 1;
  int64_t row_stride = 0, column_stride = 0, tap_stride = 0, group_stride = 0;  // in w
  int kernel_h = 1, kernel_w = 1;
  bool transposed = false;
  int joined = 1;  // groups of w that are one of the gather (joined_gather)
};
int64_t packed_count(const ConvGather&, const WeightPack&);

// The element of w that is row, column and tap of a group of the gather; 0 beyond its channels.
__device__ inline float weight_of(const ConvGather& g, const WeightPack& p, const float* w, int group, int tap, int row, int column) {
  const int t[3] = {tap / (g.axis[1].taps * g.axis[2].taps), tap / g.axis[2].taps % g.axis[1].taps, tap % g.axis[2].taps};
  int index[3];
  for (int a = 0; a < 3; ++a)
    index[a] = g.axis[a].weight_first + t[a] * g.axis[a].weight_step + (g.placed > 1 && row < g.outputs ? g.place_along(a, row) : 0);
  const int64_t at = group * p.group_stride + g.channel_of(row) * p.row_stride + column * p.column_stride +
                     ((int64_t(index[0]) * p.kernel_h + index[1]) * p.kernel_w + index[2]) * p.tap_stride;
  return row < g.outputs && column < g.inputs ? w[at] : 0.f;
}

// The voxel of y of output j of sample n, or -1 where there is none; `dense`: counted among the outputs of the gather alone.
__device__ inline int64_t output_voxel(const ConvGather& g, int64_t n, const int (&j)[3], bool dense) {
  int64_t voxel = n;
  for (int a = 0; a < 3; ++a) {
    if (j[a] >= g.axis[a].count) return -1;
    voxel = dense ? voxel * g.axis[a].count + j[a] : voxel * g.axis[a].out + g.axis[a].first + int64_t(j[a]) * g.axis[a].step;
  }
  return voxel;
}

// Which way of computing there is for a gather, and for the gradient of its weights.
bool mma_is_possible(const ConvGather&);
bool mma_weights_are_possible(const ConvGather&);
// From f32 weights packed by `pack`. T = f32 is rounded to tf32 or, exact, multiplied as sums of two values of tf32, with the error of f32.
template <class T>
void conv_gather_mma(Cuda, const ConvGather&, const WeightPack&, bool exact, const GatherInput& x, const float* w, const GatherOutput<T>&);
// The same by wgmma; by boxes: with halos that are copied as such where x is read as it is. wgmma_waste: outputs that its tiles compute per
// output that there is, for elements of so many bytes; 0 where no tile is possible.
double wgmma_waste(const ConvGather&, int element, bool exact, bool boxes);
template <class T>
void conv_gather_wgmma(Cuda, const ConvGather&, const WeightPack&, bool exact, bool boxes, const GatherInput& x, const float* w,
                       const GatherOutput<T>&);
// The same to up to 32 output channels, with three taps along H at once. wgmma_lines_gain: how many times as fast that should be; 0 where
// it is not possible.
double wgmma_lines_gain(const ConvGather&, int element, bool exact);
bool wgmma_lines_have_boxes(const ConvGather&, int element);
template <class T>
void conv_gather_lines(Cuda, const ConvGather&, const WeightPack&, bool boxes, const GatherInput& x, const float* w,
                       const GatherOutput<T>&);
// What the kernels of each way read and write of global memory.
ConvTraffic mma_traffic(Cuda, const ConvGather&, int element, bool exact);
ConvTraffic wgmma_traffic(Cuda, const ConvGather&, int element, bool exact, bool boxes);
ConvTraffic wgmma_lines_traffic(const ConvGather&, int element, bool boxes, int multiprocessors);
ConvTraffic mma_weights_traffic(const ConvGather&, int joined, int element);
ConvTraffic wgmma_weights_traffic(Cuda, const ConvGather&, int element, bool boxes);
// The gather is the sum of the shares of partial {shares, outputs of the gather, channels}, in their order.
template <class T>
void add_shares(Cuda, const ConvGather&, int shares, const float* partial, const GatherOutput<T>&);
// statistics, from the moments of so many parts of all samples, those of a sample behind one another.
void merge_moments(Cuda, const ConvGather&, int64_t parts, const GatherMoments&, const WrittenStatistics&);
// The totals, from the sums of so many parts of all samples.
void merge_sums(Cuda, const ConvGather&, int64_t parts, const float* sums, const GatherTotals&);
// In f32 throughout.
template <class T>
void conv_gather_direct(Cuda, const ConvGather&, const WeightPack&, const T* x, const float* w, const GatherOutput<T>&);

// The same of f32 for 3x3x3 taps with stride 1, of few input channels, from weights packed for direct kernels.
bool rows_are_possible(const ConvGather&);
template <class T>
void conv_gather_rows(Cuda, const ConvGather&, const T* x, const float* packed, const GatherOutput<T>&);

// gw {outputs, taps, inputs} of the forward gather, per group, from x and gy.
// joined: groups of the convolution that are one of the gather.
template <class T>
void conv_weights_mma(Cuda, const ConvGather&, int joined, bool exact, const GatherInput& x, const T* gy, float* gw);
// The same by wgmma. wgmma_weights_waste: products that it computes per product that there is; 0 where it is not possible.
double wgmma_weights_waste(const ConvGather&, int element, bool boxes);
template <class T>
void conv_weights_wgmma(Cuda, const ConvGather&, bool boxes, const GatherInput& x, const T* gy, float* gw);
template <class T>
void conv_weights_direct(Cuda, const ConvGather&, const T* x, const T* gy, float* gw);
template <class T>
void conv_weights_rows(Cuda, const ConvGather&, const T* x, const T* gy, float* gw);
// gw[i] = the sum over the chunks of partial {chunks, weights}, in f64.
void total_weights(Cuda, int64_t weights, int64_t chunks, const float* partial, float* gw);

// Packs f32 weights as T; f32 is rounded to tf32 where `rounded`.
template <class T>
void pack_weights(Cuda, const ConvGather&, const WeightPack&, bool rounded, const float* w, T* packed);

}  // namespace voxgrad
