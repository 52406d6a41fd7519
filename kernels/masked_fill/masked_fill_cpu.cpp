#include "core/device/parallel.h"
#include "kernels/masked_fill/masked_fill_kernels.h"

namespace voxgrad {

void masked_fill(Cpu, int64_t n, View mask_view, View value, View x_view, View y_view) {
  const uint8_t* mask = mask_view.as<uint8_t>();
  on_element_size(y_view.dtype, [&]<class E>() {
    const E *x = x_view.as<E>(), filler = *value.as<E>();
    E* y = y_view.as<E>();
    parallel_ranges(n, 1 << 15, [=](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const E filled = E(-E(mask[i] != 0));  // all bits or none: a choice would be a branch, and no vector
        y[i] = E((x[i] & ~filled) | (filler & filled));
      }
    });
  });
}

}  // namespace voxgrad
