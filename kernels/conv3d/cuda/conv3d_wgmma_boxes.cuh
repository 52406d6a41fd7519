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
HaloMaps halo_maps(const ConvGather& g, const WgmmaPlan& plan, const GatherInput& x) {
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
      t.box[3 - a] = a == 2 ? plan.tile.line : plan.tile.halo[a];
      t.step[3 - a] = g.axis[a].unit() * (a == 2 && plan.tile.odd ? 2 : 1);
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

// Has 64 bytes of channels of the halo of an item copied, the `chunk`th ones, which completes on the barrier; split: as in GatherInput. By
// one thread.
template <class T>
__device__ inline void load_boxes(const ConvGather& g, const WgmmaPlan& plan, const WgmmaItem& item, int chunk, int split,
                                  const HaloMaps& maps, unsigned char* into, SharedAddress full) {
  if (!item.there) return transactions_arrive(full);
  const bool second = chunk * kPieces >= split;
  const TensorMap& map = second ? maps.part[1] : maps.part[0];
  int at[5] = {item.group * g.inputs + (second ? chunk - split / kPieces : chunk) * kMmaChunk<T>, 0, 0, 0, int(item.n)};
#pragma unroll
  for (int a = 0; a < 3; ++a) at[3 - a] = item.first[a] * g.axis[a].in_step + g.axis[a].offset;
  transactions_expect(full, plan.halo_boxes() * plan.box_bytes());
  box_copy(SharedAddress(into), map, at, full);
  if (plan.tile.odd == 0) return;
  at[1] += g.axis[2].unit();
  box_copy(SharedAddress(into + plan.tile.odd * kSlot), map, at, full);
}

}  // namespace voxgrad
