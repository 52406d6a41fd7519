#include "kernels/broadcast/broadcast_blocks.h"
#include "kernels/compare/compare_dispatch.h"

namespace voxgrad {
namespace {

template <class A>
using Loop = void (*)(const A* a, const A* b, uint8_t* y, int64_t n);

template <class F, class A>
void relate(const A* a, const A* b, uint8_t* y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = F::of(a[i], b[i]);
}

}  // namespace

void compare(Cpu, Relation r, DType t, const Broadcast& p, View a, View b, View y) {
  on_any_dtype(t, [&]<class T>() {
    using A = typename Compared<T>::type;
    const auto loop = on_relation(r, []<class F>(F) -> Loop<A> { return relate<F, A>; });
    for_broadcast_blocks(p, [=] {
      return [=, left = BroadcastOperand<A, T>(a), right = BroadcastOperand<A, T>(b)](const BroadcastBlock& k) mutable {
        const A *const u = left.block(k, 0), *const v = right.block(k, 1);
        loop(u, v, y.as<uint8_t>() + k.at, k.count());
      };
    });
  });
}

}  // namespace voxgrad
