#include "kernels/broadcast/broadcast_blocks.h"
#include "kernels/compare/compare_dispatch.h"

namespace voxgrad {

void compare(Cpu, Relation r, DType t, const Broadcast& p, View a, View b, View y) {
  on_relation(r, [&]<class F>(F) {
    on_any_dtype(t, [&]<class T>() {
      using A = typename Compared<T>::type;
      for_broadcast_blocks(p, [=] {
        return [y, left = BroadcastOperand<A, T>(a), right = BroadcastOperand<A, T>(b)](const BroadcastBlock& k) mutable {
          const A* const u = left.block(k, 0);
          const A* const v = right.block(k, 1);
          uint8_t* const out = y.as<uint8_t>() + k.at;
          for (int64_t i = 0; i < k.count(); ++i) out[i] = F::of(u[i], v[i]);
        };
      });
    });
  });
}

}  // namespace voxgrad
