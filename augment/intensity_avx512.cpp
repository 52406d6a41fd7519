#include "augment/intensity_kernels.h"

namespace voxgrad::avx512 {
#include "augment/intensity_loops.inl"
}
