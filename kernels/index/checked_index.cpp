#include "kernels/index/checked_index.h"

#include "core/device/recorded_step.h"

namespace voxgrad {

Tensor checked_index(const char* op, const Tensor& index, int64_t extent, Device device, const IndexWords& words) {
  check(index && !is_floating(index.dtype()) && index.device() == device, op, ": indices of an integer dtype on ", device,
        " are wanted, not ", index.info());
  const Tensor wide = index.detach().to(DType::i64);
  if (wide.count() == 0) return wide;
  const int64_t bad = on_device(device, [&](auto on) { return bad_index(on, wide.count(), extent, wide.view()); });
  say_found(bad, [op, words, extent](int64_t found) {
    check(found == kNoBadIndex, op, ": ", words.one, " is ", found, ", beside ", extent, " ", words.of);
  });
  return wide;
}

IndexedAxis indexed_axis(const Shape& x, int axis, int64_t chosen, bool shared) {
  return {x.count(0, axis), x[axis], x.count(axis + 1, x.rank), chosen, shared};
}

}  // namespace voxgrad
