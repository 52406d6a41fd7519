#include "kernels/concat/concat_kernels.h"
#include "kernels/copy/copy_kernels.h"

namespace voxgrad {
namespace {
// f(part, copy from the part into the rows of the whole) for the parts that are there.
template <class F>
void for_parts(const RowParts& p, F&& f) {
  int64_t offset = 0;
  for (int i = 0; i < p.count; ++i) {
    const int64_t width = p.part_width[i];
    if (p.part[i])
      f(p.part[i], StridedCopy{.rank = 2, .extent = {p.rows, width}, .from_stride = {width, 1}, .into_stride = {p.width, 1},
                               .into_offset = offset});
    offset += width;
  }
}
}  // namespace

void join_rows(Cuda on, const RowParts& p, View whole) {
  for_parts(p, [&](View part, const StridedCopy& copy) { strided_copy(on, copy, part, whole); });
}

void split_rows(Cuda on, const RowParts& p, View whole) {
  for_parts(p, [&](View part, const StridedCopy& copy) {
    StridedCopy back{.rank = 2, .extent = {p.rows, copy.extent[1]}, .from_stride = {p.width, 1}, .into_stride = {copy.extent[1], 1},
                     .from_offset = copy.into_offset};
    strided_copy(on, back, whole, part);
  });
}

}  // namespace voxgrad
