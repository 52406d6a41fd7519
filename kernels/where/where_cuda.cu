#include "kernels/broadcast/broadcast.cuh"
#include "kernels/where/where_kernels.h"

namespace voxgrad {
namespace {

template <class T>
__global__ void where_kernel(Broadcast p, const uint8_t* condition, BroadcastSource<T> a, BroadcastSource<T> b, T* y) {
  for (int64_t i : grid_stride(p.count)) {
    int64_t at[3];
    broadcast_places(p, i, at);
    const BroadcastSource<T>& from = condition[at[0]] != 0 ? a : b;
    const int64_t place = condition[at[0]] != 0 ? at[1] : at[2];
    y[i] = from.wide ? T(from.wide[place]) : from.narrow[place];
  }
}

}  // namespace

void where(Cuda on, const Broadcast& p, View condition, View a, View b, View y) {
  on_any_dtype(y.dtype, [&]<class T>() {
    launch<where_kernel<T>>(on, grid_over(p.count), p, condition.as<const uint8_t>(), BroadcastSource<T>(a), BroadcastSource<T>(b),
                            y.as<T>());
  });
}

}  // namespace voxgrad
