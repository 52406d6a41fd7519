#include "augment/resample_kernels.h"

namespace voxgrad::avx2 {
#include "augment/resample_rows.inl"
}
