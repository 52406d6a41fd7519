#include <algorithm>
#include <vector>

#include "core/device/parallel.h"
#include "kernels/pointwise_loss/pointwise_loss_isa.h"
#include "kernels/spans/spans.h"

namespace voxgrad {
namespace {

constexpr int64_t kChunk = 1 << 12;

// Calls f(kernels, span, at) for spans of elements that cover [begin, end), in the type they are computed in.
template <class T>
class LossSpans {
 public:
  using A = accum_t<T>;
  LossSpans(const PointwiseLoss& p, View x, View target, View weight, View positive)
      : p_(p), x_(x.as<T>()), t_(target.as<T>()), weight_(weight.as<A>()), positive_(positive.as<A>()) {}

  template <class F>
  void each(int64_t begin, int64_t end, F&& f) const {
    const PointwiseLossIsa<A> kernels = VOXGRAD_BY_ISA(pointwise_loss_kernels, kernels<A>());
    A ones[kSpan], x[kSpan], t[kSpan], positive[kSpan];
    std::fill_n(ones, std::min(kSpan, end - begin), A(1));
    for_spans(begin, end, [&](int64_t at, int64_t n) {
      for (int64_t i = 0, k = at % p_.channels; positive_ && i < n; ++i, k = k + 1 == p_.channels ? 0 : k + 1) positive[i] = positive_[k];
      f(kernels,
        typename PointwiseLossIsa<A>::Span{span_as(x_ + at, n, x), span_as(t_ + at, n, t), weight_ ? weight_ + at : ones,
                                           positive_ ? positive : ones, n},
        at);
    });
  }

 private:
  const PointwiseLoss& p_;
  const T *x_, *t_;
  const A *weight_, *positive_;
};

}  // namespace

void pointwise_loss(Cpu, const PointwiseLoss& p, View x, View target, View weight, View positive, View y) {
  on_dtype(x.dtype, [&]<class T>() {
    using A = accum_t<T>;
    const LossSpans<T> spans(p, x, target, weight, positive);
    std::vector<double> partial(size_t(chunk_count(p.n, kChunk)));
    parallel_chunks(p.n, kChunk, [&](int64_t c, int64_t begin, int64_t end) {
      A losses[kSpan];
      spans.each(begin, end, [&](const auto& kernels, const auto& span, int64_t at) {
        kernels.value(p, span, losses);
        for (int64_t i = 0; i < span.n; ++i)
          if (p.reduced) partial[size_t(c)] += double(losses[i]);
          else y.as<T>()[at + i] = T(A(p.scale) * losses[i]);
      });
    });
    if (!p.reduced) return;
    double sum = 0;
    for (double v : partial) sum += v;
    *y.as<A>() = A(p.scale * sum);
  });
}

void pointwise_loss_backward(Cpu, const PointwiseLoss& p, View x, View target, View weight, View positive, View gy, View gx, View gt) {
  on_dtype(x.dtype, [&]<class T>() {
    using A = accum_t<T>;
    const LossSpans<T> spans(p, x, target, weight, positive);
    parallel_chunks(p.n, kChunk, [&](int64_t, int64_t begin, int64_t end) {
      A g[kSpan];
      spans.each(begin, end, [&](const auto& kernels, const auto& span, int64_t at) {
        const auto times_gy = [&](T* to) {
          for (int64_t i = 0; i < span.n; ++i) to[at + i] = T(A(p.scale) * (p.reduced ? *gy.as<A>() : A(gy.as<T>()[at + i])) * g[i]);
        };
        if (gx) kernels.by_x(p, span, g), times_gy(gx.as<T>());
        if (gt) kernels.by_target(p, span, g), times_gy(gt.as<T>());
      });
    });
  });
}

}  // namespace voxgrad
