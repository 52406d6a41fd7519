#include "augment/intensity_kernels.h"

namespace voxgrad::baseline {
#include "augment/intensity_loops.inl"
}
