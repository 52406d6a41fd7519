#include <algorithm>
#include <vector>

#include "core/device/parallel.h"
#include "kernels/sort/sort_formulas.h"
#include "kernels/sort/sort_kernels.h"

namespace voxgrad {
namespace {

template <class T>
void first_of(const SortedAxis& p, int64_t count, const T* x, int64_t* positions) {
  using K = sort_key_t<T>;
  struct Item {
    K key;
    int64_t at;
  };
  constexpr int64_t kGrain = 1 << 12;
  parallel_ranges(p.outer * p.inner, std::max<int64_t>(1, kGrain / std::max<int64_t>(1, p.extent)), [&](int64_t begin, int64_t end) {
    std::vector<Item> items(static_cast<size_t>(p.extent));
    for (int64_t row = begin; row < end; ++row) {
      const int64_t o = row / p.inner, i = row % p.inner;
      for (int64_t j = 0; j < p.extent; ++j) items[size_t(j)] = {K(x[(o * p.extent + j) * p.inner + i]), j};
      const auto before = [&](const Item& a, const Item& b) {
        if (sorts_before(a.key, b.key, p.descending)) return true;
        return !sorts_before(b.key, a.key, p.descending) && a.at < b.at;
      };
      if (count < p.extent) std::partial_sort(items.begin(), items.begin() + count, items.end(), before);
      else std::sort(items.begin(), items.end(), before);
      for (int64_t j = 0; j < count; ++j) positions[(o * count + j) * p.inner + i] = items[size_t(j)].at;
    }
  });
}

}  // namespace

void argsort_first(Cpu, const SortedAxis& p, int64_t count, View x, View positions) {
  on_any_dtype(x.dtype, [&]<class T>() { first_of(p, count, x.as<T>(), positions.as<int64_t>()); });
}

void argsort(Cpu on, const SortedAxis& p, View x, View positions) { argsort_first(on, p, p.extent, x, positions); }

}  // namespace voxgrad
