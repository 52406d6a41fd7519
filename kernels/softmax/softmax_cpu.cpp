#include <vector>

#include "core/device/isa.h"
#include "core/device/parallel.h"
#include "kernels/softmax/planar_width.h"
#include "kernels/softmax/softmax_isa.h"
#include "kernels/softmax/softmax_kernels.h"

namespace voxgrad {
namespace {

template <class T>
SoftmaxIsa<T> kernels_in_use() {
  return VOXGRAD_BY_ISA(softmax_kernels, kernels<T>());
}

// f(kernels, span, first element) over the chunks.
template <class T, class F>
void over_chunks(const SoftmaxProblem& p, F&& f) {
  const auto kernels = kernels_in_use<T>();
  const int64_t width = planar_width(p.channels);
  parallel_chunks(p.voxels, planar_chunk(p.channels), [&](int64_t, int64_t begin, int64_t end) {
    std::vector<accum_t<T>> scratch(size_t(3 * width * p.channels));
    f(kernels, SoftmaxSpan<T>{end - begin, p.channels, width, scratch.data()}, begin * p.channels);
  });
}

}  // namespace

void softmax_forward(Cpu, const SoftmaxProblem& p, View x, View y) {
  on_dtype(x.dtype, [&]<class T>() {
    over_chunks<T>(p, [&](auto& k, auto span, int64_t at) { k.forward(span, p.logarithm, x.as<T>() + at, y.as<T>() + at); });
  });
}
void softmax_backward(Cpu, const SoftmaxProblem& p, View y, View gy, View gx) {
  on_dtype(y.dtype, [&]<class T>() {
    over_chunks<T>(
        p, [&](auto& k, auto span, int64_t at) { k.backward(span, p.logarithm, y.as<T>() + at, gy.as<T>() + at, gx.as<T>() + at); });
  });
}

}  // namespace voxgrad
