// Host side of conv3d_gather.cuh and conv3d_gathers.cuh.
#include "kernels/conv3d/cuda/conv3d_gathers.cuh"
#include "kernels/conv3d/cuda/conv3d_products.cuh"

namespace voxgrad {
namespace {
int floor_mod(int a, int b) { return (a % b + b) % b; }
int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
}  // namespace

GatherAxis forward_axis(const Conv3dProblem& p, int a) {
  return {.out = p.out[a], .count = p.out[a], .in = p.in[a], .in_step = p.stride[a], .offset = -p.padding[a], .taps = p.kernel[a],
          .tap_step = p.dilation[a]};
}

// Position i = residue + j stride of x got x[i] w[t] at the outputs o with o stride = i + padding - t dilation. Taps are taken in the
// order of rising o, which is that of falling t.
GatherAxis gradient_axis(const Conv3dProblem& p, int a, int residue) {
  const int s = p.stride[a], dilation = p.dilation[a];
  GatherAxis g{.out = p.in[a], .first = residue, .step = s, .count = int(ceil_div(p.in[a] - residue, s)), .in = p.out[a], .taps = 0};
  for (int t = p.kernel[a] - 1; t >= 0; --t) {
    const int shifted = residue + p.padding[a] - t * dilation;
    if (floor_mod(shifted, s) != 0) continue;
    const int offset = (shifted - floor_mod(shifted, s)) / s;
    if (g.taps == 0) {
      g.offset = offset;
      g.weight_first = t;
    }
    if (g.taps == 1) {
      g.tap_step = offset - g.offset;
      g.weight_step = t - g.weight_first;
    }
    ++g.taps;
  }
  return g;
}

ConvGather placed_gather(const Conv3dProblem& p) {
  ConvGather g{.n = p.n, .inputs = int(p.k), .taps = p.groups == 1};
  for (int a = 0; a < 3; ++a) {
    if (p.kernel[a] != p.stride[a] || p.padding[a] != 0 || (p.dilation[a] != 1 && p.kernel[a] > 1) ||
        int64_t(p.out[a]) * p.stride[a] != p.in[a])
      g.taps = 0;
    g.axis[a] = {.out = p.in[a], .step = p.stride[a], .count = p.out[a], .in = p.out[a]};
    g.places[a] = p.stride[a];
    g.placed *= p.stride[a];
  }
  if (g.placed == 1 || g.placed * p.c > INT32_MAX) g.taps = 0;
  g.outputs = g.taps ? int(g.placed * p.c) : 0;
  return g;
}

ConvGather conv_forward_gather(const Conv3dProblem& p) {
  ConvGather g{.n = p.n, .groups = p.groups, .inputs = int(p.c / p.groups), .outputs = int(p.k / p.groups), .taps = int(p.taps())};
  for (int a = 0; a < 3; ++a) g.axis[a] = forward_axis(p, a);
  return g;
}

ConvGather joined_gather(const ConvGather& g, int element, bool exact) {
  if (g.groups == 1 || !few_channels(g) || exact || g.inputs == 1 || g.outputs == 1) return g;
  ConvGather all = g;
  int joined = kSlot / element / (g.inputs > g.outputs ? g.inputs : g.outputs);
  while (joined > 1 && g.groups % joined) --joined;
  if (joined > 1) all.groups /= joined, all.inputs *= joined, all.outputs *= joined;
  return few_channels(all) ? g : all;
}

WeightPack forward_pack(const Conv3dProblem& p, const ConvGather& g) {
  const int64_t filter = p.taps() * g.inputs;
  return {.row_stride = filter, .column_stride = 1, .tap_stride = g.inputs, .group_stride = filter * g.outputs, .kernel_h = p.kernel.h,
          .kernel_w = p.kernel.w};
}
WeightPack gradient_pack(const Conv3dProblem& p) {
  const int64_t channels = p.w_channels ? p.w_channels : p.c / p.groups, filter = p.taps() * channels;
  return {.row_stride = 1, .column_stride = filter, .tap_stride = channels, .group_stride = filter * (p.k / p.groups),
          .kernel_h = p.kernel.h, .kernel_w = p.kernel.w};
}

double ConvGather::halo_voxels(const int (&tile)[3], int more) const {
  double all = 1;
  for (int a = 0; a < 3; ++a) {
    int64_t read = 0;
    for (int first = 0; first < axis[a].count; first += tile[a])
      for (int i = 0; i < axis[a].halo(tile[a]) + (a == 2 ? more : 0); ++i) {
        const int at = first * axis[a].in_step + axis[a].offset + i * axis[a].unit();
        read += at >= 0 && at < axis[a].in;
      }
    all *= double(read);
  }
  return all;
}

template <class T>
GatherInput gather_input(const ConvGather& g, const T* x) {
  return {.part = {{.x = x, .channels = g.inputs * g.groups, .used = g.inputs}}, .whole = whole_pieces(g.inputs, x)};
}
#define X(T) template GatherInput gather_input(const ConvGather&, const T*);
X(float) X(bf16) X(f16)
#undef X

int64_t packed_count(const ConvGather& g, const WeightPack& w) { return int64_t(g.groups) * g.taps * w.rows * w.columns; }

}  // namespace voxgrad
