#pragma once
// Halos of conv3d_wgmma_cuda.cu as boxes of the inputs, which one thread has copied.
#include "core/cuda/wgmma.h"
#include "kernels/conv3d/cuda/conv3d_wgmma_parts.cuh"

namespace voxgrad {

// Of the parts of a GatherInput.
struct HaloMaps {
  TensorMap part[2];
};

// Whether a halo can be boxes of the input: rows as they are.
inline bool is_boxed(const GatherInput& x) { return x.whole && !x.normalises(); }

template <class T>
HaloMaps halo_maps(const ConvGather& g, const MmaTile& tile, const GatherInput& x) {
  HaloMaps maps{};
  for (int i = 0; i < (x.split == INT32_MAX ? 1 : 2); ++i) {
    const GatherInput::Part& part = x.part[i];
    BoxedTensor t{.address = part.x, .dtype = dtype_of<T>, .tf32 = dtype_of<T> == DType::f32, .swizzle = Swizzle::bytes64};
    t.extent[0] = g.groups > 1 ? part.channels : part.used;
    t.box[0] = kMmaChunk<T>;
    int64_t stride = part.channels * int64_t(sizeof(T));
    for (int a = 2; a >= 0; --a) {
      t.extent[3 - a] = g.axis[a].in;
      t.stride[3 - a] = stride;
      t.box[3 - a] = a == 2 ? tile.line : tile.halo[a];
      t.step[3 - a] = g.axis[a].unit() * (a == 2 && tile.odd ? 2 : 1);
      stride *= g.axis[a].in;
    }
    t.extent[4] = g.n;
    t.stride[4] = stride;
    maps.part[i] = tensor_map(t);
  }
  return maps;
}

// Halos as products read them: slots of 16 bytes, or of 64 with the swizzle of their boxes.
template <bool kBoxes>
__device__ inline uint64_t halo_descriptor(const WgmmaPlan& plan, const unsigned char* halos) {
  return kBoxes ? matrix_descriptor(SharedAddress(halos), 16, plan.down(), Swizzle::bytes64)
                : matrix_descriptor(SharedAddress(halos), plan.plane * 16, plan.down());
}

// All that the barrier waits for of such a halo. By one thread.
__device__ inline void expect_halo(const MmaTile& tile, SharedAddress full) {
  transactions_expect(full, halo_boxes(tile) * box_bytes(tile));
}
// Has the halo of the tile with these first outputs copied, 64 bytes of channels from `channel` on, which completes on the barrier. By one
// thread. With `blocks` to all of these of the cluster, each of which expects it.
template <class T>
__device__ inline void copy_halo(const ConvGather& g, const MmaTile& tile, int64_t n, const int (&first)[3], int channel,
                                 const TensorMap& map, unsigned char* into, SharedAddress full, uint16_t blocks = 0) {
  int at[5] = {channel, 0, 0, 0, int(n)};
#pragma unroll
  for (int a = 0; a < 3; ++a) at[3 - a] = first[a] * g.axis[a].in_step + g.axis[a].offset;
  const auto copy = [&](int slot) {
    if (blocks) box_copy_to(SharedAddress(into + slot * kSlot), map, at, full, blocks);
    else box_copy(SharedAddress(into + slot * kSlot), map, at, full);
  };
  copy(0);
  if (tile.odd == 0) return;
  at[1] += g.axis[2].unit();
  copy(tile.odd);
}
// The same of the `chunk`th 64 bytes of an item's channels, and expects it; split: as in GatherInput. The blocks of a tile copy chunks in
// turn, for all of them.
template <class T>
__device__ inline void load_boxes(const ConvGather& g, const WgmmaPlan& plan, const ClusterPlace& in, const WgmmaItem& item, int chunk,
                                  int split, const HaloMaps& maps, unsigned char* into, SharedAddress full) {
  if (!item.there) return transactions_arrive(full);
  expect_halo(plan.tile, full);
  if (plan.cluster_columns > 1 && chunk % plan.cluster_columns != in.column) return;
  const bool second = chunk * kPieces >= split;
  copy_halo<T>(g, plan.tile, item.n, item.first, item.group * g.inputs + (second ? chunk - split / kPieces : chunk) * kMmaChunk<T>,
               second ? maps.part[1] : maps.part[0], into, full, plan.cluster_columns > 1 ? in.all_of_tile(plan) : uint16_t(0));
}

}  // namespace voxgrad
