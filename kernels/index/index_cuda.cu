#include "core/cuda/launch.h"
#include "core/cuda/step_memory.h"
#include "kernels/index/index_kernels.h"

namespace voxgrad {
namespace {

// Coordinates of element k of {outer, rows, inner}.
struct Place {
  int64_t o, row, i;
  __device__ Place(int64_t k, int64_t rows, int64_t inner) {
    const int64_t line = k / inner;
    i = k - line * inner;
    o = line / rows;
    row = line - o * rows;
  }
};

__global__ void index_bad_kernel(int64_t n, int64_t extent, const int64_t* index, long long* bad) {
  for (int64_t k : grid_stride(n))
    if (index[k] < 0 || index[k] >= extent) atomicMin(bad, static_cast<long long>(index[k]));
}

template <class E>
__global__ void index_gather_kernel(IndexedAxis p, const int64_t* index, const E* x, E* y) {
  for (int64_t k : grid_stride(p.outer * p.chosen * p.inner)) {
    const Place at(k, p.chosen, p.inner);
    y[k] = x[(at.o * p.extent + index[p.shared ? at.row : k]) * p.inner + at.i];
  }
}

// A thread per element of y. The indices of its row are in the order `order`: the first that is not below v is found by halving.
template <class T>
__global__ void index_scatter_add_kernel(IndexedAxis p, const int64_t* index, const int64_t* order, const T* x, const T* src, T* y) {
  for (int64_t k : grid_stride(p.outer * p.extent * p.inner)) {
    const Place at(k, p.extent, p.inner);
    const int64_t first = at.o * p.chosen * p.inner + at.i, row = p.shared ? 0 : first, step = p.shared ? 1 : p.inner;
    int64_t low = 0, high = p.chosen;
    while (low < high) {
      const int64_t middle = low + (high - low) / 2;
      if (index[row + order[row + middle * step] * step] < at.row) low = middle + 1;
      else high = middle;
    }
    float sum = x ? float(x[k]) : 0.f;
    for (; low < p.chosen; ++low) {
      const int64_t j = order[row + low * step];
      if (index[row + j * step] != at.row) break;
      sum += float(src[first + j * p.inner]);
    }
    y[k] = T(sum);
  }
}

__global__ void index_clear_kernel(int64_t n, long long* writer) {
  for (int64_t k : grid_stride(n)) writer[k] = -1;
}

__global__ void index_writers_kernel(IndexedAxis p, const int64_t* index, long long* writer) {
  for (int64_t k : grid_stride(p.outer * p.chosen * p.inner)) {
    const Place at(k, p.chosen, p.inner);
    atomicMax(writer + (at.o * p.extent + index[k]) * p.inner + at.i, static_cast<long long>(at.row));
  }
}

template <class E>
__global__ void index_overwrite_kernel(IndexedAxis p, const int64_t* writer, const E* x, const E* src, E* y) {
  for (int64_t k : grid_stride(p.outer * p.extent * p.inner)) {
    const Place at(k, p.extent, p.inner);
    const int64_t j = writer[k];
    y[k] = j < 0 ? x[k] : src ? src[(at.o * p.chosen + j) * p.inner + at.i] : E(0);
  }
}

template <class E>
__global__ void index_written_kernel(IndexedAxis p, const int64_t* index, const int64_t* writer, const E* gy, E* g) {
  for (int64_t k : grid_stride(p.outer * p.chosen * p.inner)) {
    const Place at(k, p.chosen, p.inner);
    const int64_t place = (at.o * p.extent + index[k]) * p.inner + at.i;
    g[k] = writer[place] == at.row ? gy[place] : E(0);
  }
}

}  // namespace

int64_t bad_index(Cuda on, int64_t n, int64_t extent, View index) {
  static_assert(kNoBadIndex == cuda::Found::kNothing);
  const cuda::Found smallest(on);
  launch<index_bad_kernel>(on, grid_over(n), n, extent, index.as<int64_t>(), smallest.word());
  return smallest.read();
}

void gather_axis(Cuda on, const IndexedAxis& p, View index, View x, View y) {
  on_element_size(y.dtype, [&]<class E>() {
    launch<index_gather_kernel<E>>(on, grid_over(p.outer * p.chosen * p.inner), p, index.as<int64_t>(), x.as<E>(), y.as<E>());
  });
}

void scatter_add_ordered(Cuda on, const IndexedAxis& p, View index, View order, View x, View src, View y) {
  on_dtype(y.dtype, [&]<class T>() {
    launch<index_scatter_add_kernel<T>>(on, grid_over(p.outer * p.extent * p.inner), p, index.as<int64_t>(), order.as<int64_t>(), x.as<T>(),
                                        src.as<T>(), y.as<T>());
  });
}

void last_writers(Cuda on, const IndexedAxis& p, View index, View writer) {
  const int64_t n = p.outer * p.extent * p.inner;
  launch<index_clear_kernel>(on, grid_over(n), n, writer.as<long long>());
  launch<index_writers_kernel>(on, grid_over(p.outer * p.chosen * p.inner), p, index.as<int64_t>(), writer.as<long long>());
}

void overwrite(Cuda on, const IndexedAxis& p, View writer, View x, View src, View y) {
  on_element_size(y.dtype, [&]<class E>() {
    launch<index_overwrite_kernel<E>>(on, grid_over(p.outer * p.extent * p.inner), p, writer.as<int64_t>(), x.as<E>(), src.as<E>(),
                                      y.as<E>());
  });
}

void gather_written(Cuda on, const IndexedAxis& p, View index, View writer, View gy, View g) {
  on_element_size(g.dtype, [&]<class E>() {
    launch<index_written_kernel<E>>(on, grid_over(p.outer * p.chosen * p.inner), p, index.as<int64_t>(), writer.as<int64_t>(), gy.as<E>(),
                                    g.as<E>());
  });
}

}  // namespace voxgrad
