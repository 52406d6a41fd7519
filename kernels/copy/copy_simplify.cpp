#include "kernels/copy/copy_kernels.h"

namespace voxgrad {

bool simplify(StridedCopy& p) {
  int rank = 0;
  for (int k = 0; k < p.rank; ++k) {
    if (p.extent[k] == 0) return false;
    if (p.extent[k] == 1) continue;
    const bool joined = rank > 0 && p.from_stride[rank - 1] == p.from_stride[k] * p.extent[k] &&
                        p.into_stride[rank - 1] == p.into_stride[k] * p.extent[k];
    if (!joined) ++rank;
    p.extent[rank - 1] = joined ? p.extent[rank - 1] * p.extent[k] : p.extent[k];
    p.from_stride[rank - 1] = p.from_stride[k];
    p.into_stride[rank - 1] = p.into_stride[k];
  }
  p.rank = rank;
  return true;
}

void simplify(PlacedBox& p) {
  int rank = 0;
  for (int k = 0; k < p.rank; ++k) {
    const bool joined = rank > 0 && p.size[k] == p.extent[k];
    if (!joined) p.extent[rank] = p.extent[k], p.begin[rank] = p.begin[k], p.size[rank] = p.size[k], ++rank;
    else p.extent[rank - 1] *= p.extent[k], p.begin[rank - 1] *= p.extent[k], p.size[rank - 1] *= p.extent[k];
  }
  p.rank = rank;
}

}  // namespace voxgrad
