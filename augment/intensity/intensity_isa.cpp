#include "augment/intensity/intensity_kernels.h"

namespace voxgrad::VOXGRAD_ISA_NAMESPACE {
#include "augment/intensity/intensity_loops.inl"
}
