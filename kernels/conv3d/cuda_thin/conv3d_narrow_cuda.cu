// 3x3x3 and 3x3 convolutions from many channels to one to four on the tensor cores. Taps along H and W times outputs are the columns of one
// product of a voxel's channels: each voxel of a tile and its halo is multiplied once for each tap along D, by lanes that have copied the
// pieces of memory that they multiply, and what the taps of an output say, which lies at neighbouring voxels, is added in shared memory.
#include "core/cuda/chip.h"
#include "kernels/conv3d/cuda/conv3d_products.cuh"
#include "kernels/conv3d/cuda_thin/conv3d_narrow.cuh"

namespace voxgrad {
namespace {

struct alignas(16) NarrowPiece {
  uint32_t word[4];
};

// Weights as lanes want them: {taps along D, chunks, halves of pieces, eights of columns, lanes} halves of pieces; column (h 3 + w) outputs
// + output.
template <class T, int kOutputs>
__device__ void fill_narrow_weights(const ConvGather& g, const WeightPack& pack, const NarrowPlan& plan, const float* w, T* into) {
  constexpr int kHalf = kPackWidth<T> / 2, kEights = narrow_eights(kOutputs);
  for (int i = int(threadIdx.x); i < plan.weight_bytes() / int(sizeof(T)); i += kNarrowThreads) {
    const int e = i % kHalf, lane = i / kHalf % 32, rest = i / kHalf / 32, eight = rest % kEights;
    const int half = rest / kEights % 2, chunk = rest / kEights / 2 % plan.chunks, t = rest / kEights / 2 / plan.chunks;
    const int column = eight * 8 + lane / 4, channel = ((chunk * 4 + lane % 4) * 2 + half) * kHalf + e;
    float v = 0;
    if (column < kNarrowTaps * kOutputs)
      v = weight_of(g, pack, w, 0, t * kNarrowTaps + column / kOutputs, column % kOutputs, channel);
    if constexpr (dtype_of<T> == DType::f32) v = __uint_as_float(tf32_of(v));
    into[i] = T(v);
  }
}

template <class T, int kD, int kOutputs>
__global__ void __launch_bounds__(kNarrowThreads, kD * kOutputs > 9 ? 1 : 2)
    conv3d_narrow_kernel(ConvGather g, NarrowPlan plan, WeightPack pack, const T* x, const float* w, GatherOutput<T> out) {
  constexpr int kEights = narrow_eights(kOutputs), kColumns = kNarrowTaps * kOutputs, kPerPiece = kPackWidth<T>;
  constexpr int kStages = kNarrowStages;
  VOXGRAD_DYNAMIC_SHARED(memory);
  NarrowPiece* const ring = reinterpret_cast<NarrowPiece*>(memory);
  float* const sums = reinterpret_cast<float*>(memory + kStages * kNarrowStageBytes);
  T* const weights = reinterpret_cast<T*>(memory + kStages * kNarrowStageBytes + kColumns * kNarrowPitch * 4);
  const int lane = int(threadIdx.x) % 32, warp = int(threadIdx.x) / 32;
  fill_narrow_weights<T, kOutputs>(g, pack, plan, w, weights);

  int64_t rest = blockIdx.x;
  const int first_w = int(rest % plan.blocks[2]) * kNarrowWidth;
  rest /= plan.blocks[2];
  const int first_h = int(rest % plan.blocks[1]) * kNarrowRows;
  rest /= plan.blocks[1];
  const int first_d = int(rest % plan.blocks[0]) * plan.planes;
  const int64_t n = rest / plan.blocks[0];
  const int planes = first_d + plan.planes <= g.axis[0].count ? plan.planes : g.axis[0].count - first_d, steps = planes + kD - 1;

  // A warp has 32 voxels, a lane the pieces lane % 4 of chunks of four of voxels lane / 4, + 8, + 16 and + 24. Elements from the start of a
  // plane, -1 where there is no voxel.
  int from[4];
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const int v = warp * 32 + i * 8 + lane / 4, h = first_h + g.axis[1].offset + v / kNarrowHalo;
    const int at = first_w + g.axis[2].offset + v % kNarrowHalo;
    const bool inside =
        v < (kNarrowRows + 2) * kNarrowHalo && unsigned(h) < unsigned(g.axis[1].in) && unsigned(at) < unsigned(g.axis[2].in);
    from[i] = inside ? (h * g.axis[2].in + at) * g.inputs + lane % 4 * kPerPiece : -1;
  }
  const int64_t plane = int64_t(g.axis[1].in) * g.axis[2].in * g.inputs;
  // The copies of chunk `item` of all planes; each lane reads what it has copied itself.
  int copied_step = 0, copied_chunk = 0, copied_stage = 0;
  const auto copy = [&] {
    if (copied_step < steps) {
      const int z = first_d + g.axis[0].offset + copied_step, channel = copied_chunk * 4 * kPerPiece;
      const bool there = unsigned(z) < unsigned(g.axis[0].in) && channel + lane % 4 * kPerPiece < g.inputs;
      const T* const base = x + (n * g.axis[0].in + (there ? z : 0)) * plane;
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const bool valid = there && from[i] >= 0;
        cp_async_16(SharedAddress(ring + (copied_stage * 4 + i) * kNarrowThreads + threadIdx.x), base + (valid ? from[i] + channel : 0),
                    valid);
      }
    }
    cp_async_commit();
    if (++copied_stage == kStages) copied_stage = 0;
    if (++copied_chunk == plan.chunks) copied_chunk = 0, ++copied_step;
  };
#pragma unroll
  for (int s = 0; s < kStages - 1; ++s) copy();
  __syncthreads();

  // The output that this thread adds up, of as many columns as the halo has, so that neighbours read neighbours.
  const int h = int(threadIdx.x) / kNarrowHalo, v = int(threadIdx.x) % kNarrowHalo;
  const bool works = h < kNarrowRows && v < kNarrowWidth && first_h + h < g.axis[1].count && first_w + v < g.axis[2].count;
  float sum[kD][2][kEights][4] = {};
  int stage = 0;
  for (int step = 0; step < steps; ++step) {
    for (int chunk = 0; chunk < plan.chunks; ++chunk) {
      cp_async_wait<kStages - 2>();
      NarrowPiece part[4];
#pragma unroll
      for (int i = 0; i < 4; ++i) part[i] = ring[(stage * 4 + i) * kNarrowThreads + threadIdx.x];
      if (++stage == kStages) stage = 0;
      copy();
      const uint2* const own = reinterpret_cast<const uint2*>(weights) + chunk * kEights * 64 + lane;
#pragma unroll
      for (int k = 0; k < 2; ++k) {
        uint32_t a[2][4];
#pragma unroll
        for (int m = 0; m < 2; ++m) {
          a[m][0] = part[2 * m].word[2 * k], a[m][1] = part[2 * m + 1].word[2 * k];
          a[m][2] = part[2 * m].word[2 * k + 1], a[m][3] = part[2 * m + 1].word[2 * k + 1];
          round_fragment<T>(a[m]);
        }
#pragma unroll
        for (int t = 0; t < kD; ++t)
#pragma unroll
          for (int j = 0; j < kEights; ++j) {
            const uint2 b = own[((t * plan.chunks * 2 + k) * kEights + j) * 32];
#pragma unroll
            for (int m = 0; m < 2; ++m) multiply_add<T>(sum[kD - 1 - t][m][j], a[m], b.x, b.y);
          }
      }
    }
    if (step >= kD - 1) {
      // The oldest plane is complete: {columns, voxels}.
#pragma unroll
      for (int m = 0; m < 2; ++m)
#pragma unroll
        for (int j = 0; j < kEights; ++j)
#pragma unroll
          for (int e = 0; e < 4; ++e) {
            const int column = j * 8 + lane % 4 * 2 + e % 2;
            if (column < kColumns) sums[column * kNarrowPitch + warp * 32 + m * 16 + e / 2 * 8 + lane / 4] = sum[0][m][j][e];
          }
      __syncthreads();
      if (works) {
        const int64_t d = n * g.axis[0].count + first_d + step - (kD - 1);
        const int64_t voxel = (d * g.axis[1].count + first_h + h) * g.axis[2].count + first_w + v;
#pragma unroll
        for (int o = 0; o < kOutputs; ++o) {
          float total = out.added(o);
#pragma unroll
          for (int tap = 0; tap < kNarrowTaps; ++tap)
            total += sums[(tap * kOutputs + o) * kNarrowPitch + int(threadIdx.x) + tap / 3 * kNarrowHalo + tap % 3];
          out.store(total, o, voxel * kOutputs + o);
        }
      }
      __syncthreads();
    }
#pragma unroll
    for (int m = 0; m < 2; ++m)
#pragma unroll
      for (int j = 0; j < kEights; ++j)
#pragma unroll
        for (int e = 0; e < 4; ++e) {
#pragma unroll
          for (int i = 0; i + 1 < kD; ++i) sum[i][m][j][e] = sum[i + 1][m][j][e];
          sum[kD - 1][m][j][e] = 0;
        }
  }
  cp_async_wait<0>();
}

}  // namespace

bool narrow_is_possible(const ConvGather& g, int element) {
  for (const GatherAxis& a : g.axis)
    if (a.in_step != 1 || (a.taps > 1 && a.tap_step != 1) || a.first != 0 || a.step != 1) return false;
  if (g.axis[1].taps != 3 || g.axis[2].taps != 3 || (g.axis[0].taps != 3 && g.axis[0].taps != 1)) return false;
  if (g.groups != 1 || g.outputs > kMostNarrowOutputs || g.inputs * element % 16 != 0 || g.inputs * element < 32) return false;
  return double(g.axis[1].in) * g.axis[2].in * g.inputs <= INT32_MAX && narrow_plan(g, element, 1).shared <= kMostNarrowShared;
}

NarrowPlan narrow_plan(const ConvGather& g, int element, int multiprocessors) {
  NarrowPlan p{.chunks = (g.inputs * element + 63) / 64, .outputs = g.outputs, .taps_d = g.axis[0].taps, .planes = g.axis[0].count};
  p.blocks[1] = (g.axis[1].count + kNarrowRows - 1) / kNarrowRows;
  p.blocks[2] = (g.axis[2].count + kNarrowWidth - 1) / kNarrowWidth;
  const auto blocks = [&] { return g.n * p.blocks[1] * p.blocks[2] * ((g.axis[0].count + p.planes - 1) / p.planes); };
  while (p.planes > 8 && blocks() < int64_t(multiprocessors) * 4) p.planes = (p.planes + 1) / 2;
  p.blocks[0] = (g.axis[0].count + p.planes - 1) / p.planes;
  p.shared = kNarrowStages * int64_t(kNarrowStageBytes) + kNarrowTaps * p.outputs * kNarrowPitch * 4 + p.weight_bytes();
  return p;
}

ConvTraffic narrow_traffic(const ConvGather& g, int element, int multiprocessors) {
  const NarrowPlan p = narrow_plan(g, element, multiprocessors);
  const int tile[3] = {p.planes, kNarrowRows, kNarrowWidth};
  const double weights = double(g.n) * p.blocks[0] * p.blocks[1] * p.blocks[2] * g.taps * g.inputs * g.outputs * 4;
  const double halos = double(g.n) * g.halo_voxels(tile) * g.inputs * element;
  return {.activations = halos, .halos = halos, .others = double(g.out_voxels()) * g.outputs * element + weights};
}

template <class T>
void conv_gather_narrow(Cuda on, const ConvGather& g, const WeightPack& pack, const T* x, const float* w, const GatherOutput<T>& out) {
  const NarrowPlan plan = narrow_plan(g, sizeof(T), cuda::chip_of(on).multiprocessors);
  const Grid grid{.x = g.n * plan.blocks[0] * plan.blocks[1] * plan.blocks[2], .threads = kNarrowThreads, .shared = plan.shared};
  const auto go = [&]<int kOutputs>(Width<kOutputs>) {
    if (plan.taps_d == 1) launch<conv3d_narrow_kernel<T, 1, kOutputs>>(on, grid, g, plan, pack, x, w, out);
    else launch<conv3d_narrow_kernel<T, 3, kOutputs>>(on, grid, g, plan, pack, x, w, out);
  };
  g.outputs == 1 ? go(Width<1>{}) : g.outputs == 2 ? go(Width<2>{}) : g.outputs == 3 ? go(Width<3>{}) : go(Width<4>{});
}

#define X(T) template void conv_gather_narrow(Cuda, const ConvGather&, const WeightPack&, const T*, const float*, const GatherOutput<T>&);
X(float) X(bf16) X(f16)
#undef X

}  // namespace voxgrad
