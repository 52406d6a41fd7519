#include "augment/resample_kernels.h"

namespace voxgrad::baseline {
#include "augment/resample_rows.inl"
}
