#include "kernels/binary/binary_loops.h"
#include "kernels/broadcast/broadcast_blocks.h"
#include "kernels/spans/spans.h"

namespace voxgrad {
namespace {

static_assert(BroadcastBlock::kMost == kSpan);

template <class T>
void forward_of(BinaryOp op, const Broadcast& p, View a, View b, T* y) {
  using A = accum_t<T>;
  const auto loop = binary_loops<A>(op).forward;
  for_broadcast_blocks(p, [=] {
    return [=, left = BroadcastOperand<A, T>(a), right = BroadcastOperand<A, T>(b)](const BroadcastBlock& k) mutable {
      A buffer[kSpan];
      const A *const u = left.block(k, 0), *const v = right.block(k, 1);
      span_into(y + k.at, k.count(), buffer, [&](A* to) { loop(u, v, to, k.count()); });
    };
  });
}

// The gradient of each element, as elements of T or A.
template <class T, class Loop>
void gradient_of(Loop loop, bool reads_a, bool reads_b, const Broadcast& p, View a, View b, const T* gy, View out) {
  using A = accum_t<T>;
  for_broadcast_blocks(p, [=] {
    return [=, left = BroadcastOperand<A, T>(a), right = BroadcastOperand<A, T>(b)](const BroadcastBlock& k) mutable {
      A gradients[kSpan], buffer[kSpan];
      const int64_t n = k.count();
      const A *const u = reads_a ? left.block(k, 0) : nullptr, *const v = reads_b ? right.block(k, 1) : nullptr;
      const A* const g = span_as(gy + k.at, n, gradients);
      const auto into = [&](auto* to) { span_into(to + k.at, n, buffer, [&](A* at) { loop(u, v, g, at, n); }); };
      out.dtype == dtype_of<T> ? into(out.as<T>()) : into(out.as<A>());
    };
  });
}

}  // namespace

void binary_broadcast(Cpu, BinaryOp op, const Broadcast& p, View a, View b, View y) {
  on_dtype(y.dtype, [&]<class T>() { forward_of(op, p, a, b, y.as<T>()); });
}

void binary_broadcast_backward(Cpu, BinaryOp op, const Broadcast& p, View a, View b, View gy, View ga, View gb) {
  on_dtype(gy.dtype, [&]<class T>() {
    const BinaryLoops<accum_t<T>> loops = binary_loops<accum_t<T>>(op);
    if (ga) gradient_of(loops.grad_a, loops.grad_a_reads_a, loops.grad_a_reads_b, p, a, b, gy.as<T>(), ga);
    if (gb) gradient_of(loops.grad_b, loops.grad_b_reads_a, loops.grad_b_reads_b, p, a, b, gy.as<T>(), gb);
  });
}

}  // namespace voxgrad
