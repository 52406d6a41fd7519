#include "core/device/parallel.h"
#include "kernels/concat/concat_kernels.h"
#include "kernels/copy/copy_runs.h"

namespace voxgrad {
namespace {

constexpr int64_t kGrainBytes = 1 << 16, kGroupBytes = 1 << 14;

// f(part, its offset in the row, first row, last row) for groups of rows so small that the lines of `whole` which two parts share
// are still cached when the second part is moved.
template <class F>
void for_parts(const RowParts& p, size_t element, F&& f) {
  const int64_t bytes = std::max<int64_t>(1, p.width * int64_t(element)), group = std::max<int64_t>(1, kGroupBytes / bytes);
  parallel_ranges(p.rows, std::max<int64_t>(1, kGrainBytes / bytes), [&](int64_t begin, int64_t end) {
    for (int64_t first = begin; first < end; first += group) {
      int64_t offset = 0;
      for (int i = 0; i < p.count; ++i) {
        if (p.part[i]) f(i, offset, first, std::min(end, first + group));
        offset += p.part_width[i];
      }
    }
  });
}

}  // namespace

void join_rows(Cpu, const RowParts& p, View whole) {
  on_element_size(whole.dtype, [&]<class E>() {
    for_parts(p, sizeof(E), [&](int i, int64_t offset, int64_t first, int64_t last) {
      const int64_t run = p.part_width[i];
      copy_runs(p.part[i].as<E>() + first * run, run, whole.as<E>() + first * p.width + offset, p.width, last - first, run);
    });
  });
}

void split_rows(Cpu, const RowParts& p, View whole) {
  on_element_size(whole.dtype, [&]<class E>() {
    for_parts(p, sizeof(E), [&](int i, int64_t offset, int64_t first, int64_t last) {
      const int64_t run = p.part_width[i];
      copy_runs(whole.as<E>() + first * p.width + offset, p.width, p.part[i].as<E>() + first * run, run, last - first, run);
    });
  });
}

}  // namespace voxgrad
