#include "augment/intensity_kernels.h"

namespace voxgrad::VOXGRAD_ISA_NAMESPACE {
#include "augment/intensity_loops.inl"
}
