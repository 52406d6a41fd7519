#include <algorithm>

#include "core/device/parallel.h"
#include "kernels/box_iou/box_formulas.h"
#include "kernels/box_iou/box_iou_kernels.h"

namespace voxgrad {
namespace {

constexpr int64_t kGrain = 1 << 12;  // pairs

// f(tag) in the dtype of boxes.
template <class F>
void on_box_dtype(DType t, F&& f) {
  t == DType::f64 ? f.template operator()<double>() : f.template operator()<float>();
}

}  // namespace

void box_iou(Cpu, const BoxIou& p, View a, View b, View y) {
  on_box_dtype(a.dtype, [&]<class T>() {
    parallel_for(p.n, kGrain / std::max<int64_t>(1, p.m) + 1, [&](int64_t i) {
      for (int64_t j = 0; j < p.m; ++j) {
        const BoxPair<T> pair{a.as<T>() + 6 * i, b.as<T>() + 6 * j};
        y.as<T>()[i * p.m + j] = p.generalized ? pair.giou() : pair.iou();
      }
    });
  });
}

void giou_loss(Cpu, int64_t n, View a, View b, View y) {
  on_box_dtype(a.dtype, [&]<class T>() {
    parallel_for(n, kGrain, [&](int64_t i) { y.as<T>()[i] = T(1) - BoxPair<T>{a.as<T>() + 6 * i, b.as<T>() + 6 * i}.giou(); });
  });
}

void giou_loss_backward(Cpu, int64_t n, View a, View b, View gy, View ga, View gb) {
  on_box_dtype(a.dtype, [&]<class T>() {
    parallel_for(n, kGrain, [&](int64_t i) {
      T *const of_a = ga ? ga.as<T>() + 6 * i : nullptr, *const of_b = gb ? gb.as<T>() + 6 * i : nullptr;
      if (of_a) std::fill_n(of_a, 6, T(0));
      if (of_b) std::fill_n(of_b, 6, T(0));
      BoxPair<T>{a.as<T>() + 6 * i, b.as<T>() + 6 * i}.add_gradient(gy.as<T>()[i], of_a, of_b);
    });
  });
}

}  // namespace voxgrad
