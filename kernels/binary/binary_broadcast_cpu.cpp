#include "kernels/binary/binary_dispatch.h"
#include "kernels/broadcast/broadcast_blocks.h"

namespace voxgrad {
namespace {

template <class Formula, class T>
void forward_of(const Broadcast& p, View a, View b, T* y) {
  using A = accum_t<T>;
  for_broadcast_blocks(p, [=] {
    return [y, left = BroadcastOperand<A, T>(a), right = BroadcastOperand<A, T>(b)](const BroadcastBlock& k) mutable {
      const A* const u = left.block(k, 0);
      const A* const v = right.block(k, 1);
      T* const out = y + k.at;
      for (int64_t i = 0; i < k.count(); ++i) out[i] = T(Formula::forward(u[i], v[i]));
    };
  });
}

// gradient(a, b, g) of each element, as elements of T or A.
template <bool kReadsA, bool kReadsB, class T, class Gradient>
void gradients_of(const Broadcast& p, View a, View b, const T* gy, View out, Gradient gradient) {
  using A = accum_t<T>;
  const auto go = [&]<class Out>(Out* into_all) {
    for_broadcast_blocks(p, [=] {
      return [=, left = BroadcastOperand<A, T>(a), right = BroadcastOperand<A, T>(b)](const BroadcastBlock& k) mutable {
        const A* const u = kReadsA ? left.block(k, 0) : nullptr;
        const A* const v = kReadsB ? right.block(k, 1) : nullptr;
        const T* const g = gy + k.at;
        Out* const into = into_all + k.at;
        for (int64_t i = 0; i < k.count(); ++i) into[i] = Out(gradient(kReadsA ? u[i] : A(0), kReadsB ? v[i] : A(0), A(g[i])));
      };
    });
  };
  out.dtype == dtype_of<T> ? go(out.as<T>()) : go(out.as<A>());
}

}  // namespace

void binary_broadcast(Cpu, BinaryOp op, const Broadcast& p, View a, View b, View y) {
  on_formula(op, [&]<class F>(F) { on_dtype(y.dtype, [&]<class T>() { forward_of<F>(p, a, b, y.as<T>()); }); });
}

void binary_broadcast_backward(Cpu, BinaryOp op, const Broadcast& p, View a, View b, View gy, View ga, View gb) {
  on_formula(op, [&]<class F>(F) {
    on_dtype(gy.dtype, [&]<class T>() {
      const auto of_a = [](auto u, auto v, auto g) { return F::grad_a(u, v, g); };
      const auto of_b = [](auto u, auto v, auto g) { return F::grad_b(u, v, g); };
      if (ga) gradients_of<F::kGradAReadsA, F::kGradAReadsB>(p, a, b, gy.as<T>(), ga, of_a);
      if (gb) gradients_of<F::kGradBReadsA, F::kGradBReadsB>(p, a, b, gy.as<T>(), gb, of_b);
    });
  });
}

}  // namespace voxgrad
