#include "kernels/broadcast/broadcast.cuh"
#include "kernels/compare/compare_dispatch.h"

namespace voxgrad {
namespace {

template <class F, class A, class T>
__global__ void compare_kernel(Broadcast p, BroadcastSource<T> a, BroadcastSource<T> b, uint8_t* y) {
  for (int64_t i : grid_stride(p.count)) {
    int64_t at[2];
    broadcast_places(p, i, at);
    y[i] = F::of(a.template as<A>(at[0]), b.template as<A>(at[1]));
  }
}

}  // namespace

void compare(Cuda on, Relation r, DType t, const Broadcast& p, View a, View b, View y) {
  on_relation(r, [&]<class F>(F) {
    on_any_dtype(t, [&]<class T>() {
      using A = typename Compared<T>::type;
      launch<compare_kernel<F, A, T>>(on, grid_over(p.count), p, BroadcastSource<T>(a), BroadcastSource<T>(b), y.as<uint8_t>());
    });
  });
}

}  // namespace voxgrad
