#include <algorithm>
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
  const int64_t width = planar_width(p.channels), chunk = planar_chunk(p.channels);
  const auto task = [&](int64_t first, int64_t voxels, accum_t<T>* scratch) {
    f(kernels, SoftmaxSpan<T>{voxels, p.channels, p.inner, width, scratch}, first);
  };
  const auto scratch = [&] { return std::vector<accum_t<T>>(size_t(3 * width * p.channels)); };
  if (p.inner == 1)
    return parallel_chunks(p.voxels, chunk,
                           [&](int64_t, int64_t begin, int64_t end) { task(begin * p.channels, end - begin, scratch().data()); });
  if (p.voxels == 0) return;
  const int64_t chunks = chunk_count(p.inner, chunk);
  parallel_ranges(p.voxels / p.inner * chunks, std::max<int64_t>(1, chunk / p.inner), [&](int64_t from, int64_t to) {
    auto own = scratch();
    for (int64_t k = from; k < to; ++k) {
      const int64_t o = k / chunks, begin = k % chunks * chunk;
      task(o * p.channels * p.inner + begin, std::min(chunk, p.inner - begin), own.data());
    }
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
