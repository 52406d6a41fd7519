#include "kernels/one_hot/one_hot.h"

#include "core/device/parallel.h"
#include "kernels/index/checked_index.h"
#include "kernels/one_hot/one_hot_call.h"
#include "kernels/one_hot/one_hot_kernels.h"

namespace voxgrad {

void one_hot(Cpu, int64_t n, int64_t classes, View label, View view) {
  const int64_t* at = label.as<int64_t>();
  on_any_dtype(view.dtype, [&]<class T>() {
    T* y = view.as<T>();
    parallel_for(n, std::max<int64_t>(1, (1 << 15) / classes), [&](int64_t k) {
      for (int64_t c = 0; c < classes; ++c) y[k * classes + c] = T(at[k] == c ? 1.f : 0.f);
    });
  });
}

Tensor one_hot_call(const char* op, const Tensor& label, int64_t classes, DType dtype) {
  check(label && classes > 0 && label.shape().rank < Shape::kMaxRank, op, ": labels ", label, " and ", classes, " classes");
  const Tensor at = checked_index(op, label, classes, label.device(), {.one = "a label", .of = "classes"});
  Shape s = label.shape();
  s.dims[s.rank++] = classes;
  const Tensor y = Tensor::empty(s, dtype, label.device());
  on_device(label.device(), [&](auto on) { one_hot(on, at.count(), classes, at.view(), y.view()); });
  return y;
}
Tensor one_hot(const Tensor& label, int64_t classes, DType dtype) { return one_hot_call("one_hot", label, classes, dtype); }

}  // namespace voxgrad
