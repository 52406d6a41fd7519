#include <vector>

#include "core/device/parallel.h"
#include "kernels/pointwise_loss/loss_formulas.h"

namespace voxgrad {
namespace {
using namespace loss_formula;

constexpr int64_t kChunk = 1 << 12;

template <class T, class F>
void forward_of(const PointwiseLoss& p, const F& f, const LossWeights<accum_t<T>>& w, const T* x, const T* t, View y) {
  using A = accum_t<T>;
  const auto loss = [&](int64_t i) { return w.of(i) * f.value(A(x[i]), A(t[i]), w.positive_of(i)); };
  if (!p.reduced) return parallel_for(p.n, kChunk, [&](int64_t i) { y.as<T>()[i] = T(A(p.scale) * loss(i)); });
  std::vector<double> partial(size_t(chunk_count(p.n, kChunk)));
  parallel_chunks(p.n, kChunk, [&](int64_t c, int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) partial[size_t(c)] += double(loss(i));
  });
  double sum = 0;
  for (double v : partial) sum += v;
  *y.as<A>() = A(p.scale * sum);
}

template <class T, class F>
void backward_of(const PointwiseLoss& p, const F& f, const LossWeights<accum_t<T>>& w, const T* x, const T* t, View gy, T* gx, T* gt) {
  using A = accum_t<T>;
  parallel_for(p.n, kChunk, [&](int64_t i) {
    const A g = A(p.scale) * (p.reduced ? *gy.as<A>() : A(gy.as<T>()[i])) * w.of(i), c = w.positive_of(i);
    if (gx) gx[i] = T(g * f.by_x(A(x[i]), A(t[i]), c));
    if (gt) gt[i] = T(g * f.by_t(A(x[i]), A(t[i]), c));
  });
}

}  // namespace

void pointwise_loss(Cpu, const PointwiseLoss& p, View x, View target, View weight, View positive, View y) {
  on_dtype(x.dtype, [&]<class T>() {
    using A = accum_t<T>;
    on_formula<A>(p, [&](const auto& f) {
      forward_of<T>(p, f, LossWeights<A>{weight.as<A>(), positive.as<A>(), p.channels}, x.as<T>(), target.as<T>(), y);
    });
  });
}

void pointwise_loss_backward(Cpu, const PointwiseLoss& p, View x, View target, View weight, View positive, View gy, View gx, View gt) {
  on_dtype(x.dtype, [&]<class T>() {
    using A = accum_t<T>;
    on_formula<A>(p, [&](const auto& f) {
      backward_of<T>(p, f, LossWeights<A>{weight.as<A>(), positive.as<A>(), p.channels}, x.as<T>(), target.as<T>(), gy, gx.as<T>(),
                     gt.as<T>());
    });
  });
}

}  // namespace voxgrad
