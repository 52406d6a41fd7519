#include "kernels/broadcast/broadcast_blocks.h"
#include "kernels/where/where_kernels.h"

namespace voxgrad {
namespace {

template <class A, class T>
void where_of(const Broadcast& p, View condition, View a, View b, T* y) {
  for_broadcast_blocks(p, [=] {
    return [y, which = BroadcastOperand<uint8_t, uint8_t>(condition), left = BroadcastOperand<A, T>(a),
            right = BroadcastOperand<A, T>(b)](const BroadcastBlock& k) mutable {
      const uint8_t* const c = which.block(k, 0);
      const A* const u = left.block(k, 1);
      const A* const v = right.block(k, 2);
      T* const out = y + k.at;
      for (int64_t i = 0; i < k.count(); ++i) {
        const A l = u[i], r = v[i];  // both are read, so that nothing branches
        out[i] = T(c[i] != 0 ? l : r);
      }
    };
  });
}

}  // namespace

void where(Cpu, const Broadcast& p, View condition, View a, View b, View y) {
  on_any_dtype(y.dtype, [&]<class T>() {
    if constexpr (std::is_integral_v<T>) where_of<T>(p, condition, a, b, y.as<T>());
    else where_of<accum_t<T>>(p, condition, a, b, y.as<T>());
  });
}

}  // namespace voxgrad
