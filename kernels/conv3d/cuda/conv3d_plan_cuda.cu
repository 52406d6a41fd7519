// Host side of conv3d_gather.cuh: how a convolution becomes gathers, and their tiles.
#include "kernels/conv3d/cuda/conv3d_gather.cuh"
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
