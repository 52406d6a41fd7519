#include "augment/spatial/resample_kernels.h"

namespace voxgrad::VOXGRAD_ISA_NAMESPACE {
#include "augment/spatial/resample_rows.inl"
}
