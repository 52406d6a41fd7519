// Convolutions on the tensor cores by mma.sync: implicit matrix products {outputs voxels} x {channels of a chunk} for every tap. A block
// makes 128 or 64 voxels times kColumns channels; what its voxels read of x for all taps (the halo) lies in shared memory once per chunk
// of 64 bytes of channels, and every tap is another set of row addresses for ldmatrix.
#include "kernels/conv3d/cuda/conv3d_halo.cuh"

namespace voxgrad {
namespace {

// Block x: tiles of all samples; y: blocks of kColumns output channels of all groups. Dynamic shared memory: the halo, two taps of weights.
// Weights {groups, taps, rows, columns} of T, rows a multiple of kColumns and columns of the chunk.
template <class T, int kVoxels, int kColumns>
__global__ void __launch_bounds__(kVoxels)
    conv3d_mma_kernel(ConvGather g, GatherTile tile, int rows, int columns, bool whole, const T* x, const T* w, const float* bias, T* y) {
  VOXGRAD_DYNAMIC_SHARED(memory);
  unsigned char* const halo = memory;
  unsigned char* const weights = memory + tile.halo_voxels() * kPitch;
  const int warp = int(threadIdx.x) / 32, lane = int(threadIdx.x) % 32;
  const int group = int(blockIdx.y) / (rows / kColumns), column0 = int(blockIdx.y) % (rows / kColumns) * kColumns;

  int first[3];
  const HaloPlace at = place_tile(g, tile, blockIdx.x, first);
  const HaloSteps steps = halo_steps(g, tile);
  // The rows that this lane names to ldmatrix: voxel lane % 16 of each of the warp's two sixteens, 16 bytes at lane / 16.
  int row[2];
  for (int i = 0; i < 2; ++i) row[i] = halo_row(tile, steps, warp * 32 + i * 16 + lane % 16) + lane / 16 * 16;
  const int weight_row = (lane / 16 * 8 + lane % 8) * kPitch + lane / 8 % 2 * 16;

  const auto load_weights = [&](int tap, int begin, int stage) {
    const T* from = w + ((int64_t(group) * g.taps + tap) * rows + column0) * columns + begin;
    for (int item = int(threadIdx.x); item < kColumns * (kRow / 16); item += kVoxels) {
      const int m = item / (kRow / 16), piece = item % (kRow / 16);
      cp_async_16(SharedAddress(weights + (stage * kColumns + m) * kPitch + piece * 16),
                  from + int64_t(m) * columns + piece * (16 / int(sizeof(T))), true);
    }
  };

  float sum[2][kColumns / 8][4] = {};
  for (int begin = 0; begin < columns; begin += kChunk<T>) {
    __syncthreads();
    load_halo(g, tile, at, group, begin, whole, x, halo);
    load_weights(0, begin, 0);
    cp_async_commit();
    int tap[3] = {};
    for (int t = 0; t < g.taps; ++t) {
      cp_async_wait<0>();
      __syncthreads();
      if (t + 1 < g.taps) load_weights(t + 1, begin, (t + 1) % 2);
      cp_async_commit();
      const SharedAddress shifted(halo + tap[0] * steps.tap[0] + tap[1] * steps.tap[1] + tap[2] * steps.tap[2]);
      const SharedAddress matrix(weights + t % 2 * kColumns * kPitch);
#pragma unroll
      for (int k = 0; k < kRow; k += kStep) {
        uint32_t a[2][4];
        for (int i = 0; i < 2; ++i) {
          ldmatrix_x4(a[i], shifted + (row[i] + k));
          round_fragment<T>(a[i]);
        }
#pragma unroll
        for (int j = 0; j < kColumns / 16; ++j) {
          uint32_t b[4];
          ldmatrix_x4(b, matrix + (j * 16 * kPitch + weight_row + k));
          for (int i = 0; i < 2; ++i) {
            multiply_add<T>(sum[i][2 * j], a[i], b[0], b[1]);
            multiply_add<T>(sum[i][2 * j + 1], a[i], b[2], b[3]);
          }
        }
      }
      if (++tap[2] == g.axis[2].taps) {
        tap[2] = 0;
        if (++tap[1] == g.axis[1].taps) {
          tap[1] = 0;
          ++tap[0];
        }
      }
    }
  }
  cp_async_wait<0>();

  for (int i = 0; i < 2; ++i)
    for (int half = 0; half < 2; ++half) {
      const int v = warp * 32 + i * 16 + half * 8 + lane / 4;
      const int j[3] = {first[0] + v / (tile.extent[1] * tile.extent[2]), first[1] + v / tile.extent[2] % tile.extent[1],
                        first[2] + v % tile.extent[2]};
      if (j[0] >= g.axis[0].count || j[1] >= g.axis[1].count || j[2] >= g.axis[2].count) continue;
      int64_t voxel = at.n;
      for (int a = 0; a < 3; ++a) voxel = voxel * g.axis[a].out + g.axis[a].first + int64_t(j[a]) * g.axis[a].step;
      T* into = y + voxel * (int64_t(g.outputs) * g.groups) + int64_t(group) * g.outputs;
      const float* b = bias ? bias + group * g.outputs : nullptr;
#pragma unroll
      for (int n = 0; n < kColumns / 8; ++n)
        for (int e = 0; e < 2; ++e) {
          const int m = column0 + n * 8 + lane % 4 * 2 + e;
          if (m < g.outputs) into[m] = T(sum[i][n][half * 2 + e] + (b ? b[m] : 0.f));
        }
    }
}

}  // namespace

bool mma_is_possible(const ConvGather& g) { return g.taps > 0 && halo_tile(g).extent[0] > 0; }

template <class T>
void conv_gather_mma(Cuda on, const ConvGather& g, const WeightPack& pack, const T* x, const float* w, const float* bias, T* y) {
  const GatherTile tile = halo_tile(g);
  const auto go = [&]<int kVoxels, int kColumns>(Width<kVoxels>, Width<kColumns>) {
    WeightPack padded = pack;
    padded.rows = (g.outputs + kColumns - 1) / kColumns * kColumns;
    padded.columns = (g.inputs + kChunk<T> - 1) / kChunk<T> * kChunk<T>;
    const Scratch packed(on, packed_count(g, padded) * int64_t(sizeof(T)));
    pack_weights(on, g, padded, dtype_of<T> == DType::f32, w, packed.as<T>());
    const Grid grid{.x = tile_count(g, tile), .y = int64_t(padded.rows / kColumns) * g.groups, .threads = kVoxels,
                    .shared = (tile.halo_voxels() + 2 * kColumns) * kPitch};
    launch<conv3d_mma_kernel<T, kVoxels, kColumns>>(on, grid, g, tile, padded.rows, padded.columns, whole_pieces(g.inputs, x), x,
                                                    packed.as<T>(), bias, y);
  };
  const auto go_on = [&](auto voxels) {
    if (g.outputs % 64 == 0 || g.outputs > 96) go(voxels, Width<64>{});
    else if (g.outputs > 16) go(voxels, Width<32>{});
    else go(voxels, Width<16>{});
  };
  tile.voxels() == 128 ? go_on(Width<128>{}) : go_on(Width<64>{});
}

#define X(T) template void conv_gather_mma(Cuda, const ConvGather&, const WeightPack&, const T*, const float*, const float*, T*);
X(float) X(bf16) X(f16)
#undef X

}  // namespace voxgrad
