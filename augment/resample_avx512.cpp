#include "augment/resample_kernels.h"

namespace voxgrad::avx512 {
#include "augment/resample_rows.inl"
}
