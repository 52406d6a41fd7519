#include "augment/intensity_kernels.h"

namespace voxgrad::avx2 {
#include "augment/intensity_loops.inl"
}
