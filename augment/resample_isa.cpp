#include "augment/resample_kernels.h"

namespace voxgrad::VOXGRAD_ISA_NAMESPACE {
#include "augment/resample_rows.inl"
}
