#include "core/cuda/scratch.h"
#include "kernels/index/index_kernels.h"
#include "kernels/sort/sort_kernels.h"

namespace voxgrad {

// Equal indices stand side by side in their stable order, so that one thread adds all of an element, first to last.
void scatter_add_axis(Cuda on, const IndexedAxis& p, View index, View x, View src, View y) {
  const SortedAxis axis = {p.shared ? 1 : p.outer, p.chosen, p.shared ? 1 : p.inner, false};
  const Scratch order(on, (axis.outer * axis.extent * axis.inner + 1) * int64_t(sizeof(int64_t)));
  const View view = {order.as<void>(), DType::i64};
  argsort(on, axis, index, view);
  scatter_add_ordered(on, p, index, view, x, src, y);
}

}  // namespace voxgrad
