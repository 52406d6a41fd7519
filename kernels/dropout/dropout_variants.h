#pragma once
#include <cstdint>

namespace voxgrad {

// keep[k] = 1 where word k of the blocks first, first + 1, .. of philox(key, block, stream) is above `last_dropped`, else 0.
// keep has room for a multiple of 8 blocks.
namespace dropout_kernels::baseline {
void philox_keep(uint64_t key, uint64_t stream, uint32_t last_dropped, uint64_t first, int64_t blocks, float* keep);
}
namespace dropout_kernels::avx2 {
void philox_keep(uint64_t key, uint64_t stream, uint32_t last_dropped, uint64_t first, int64_t blocks, float* keep);
}
namespace dropout_kernels::avx512 {
void philox_keep(uint64_t key, uint64_t stream, uint32_t last_dropped, uint64_t first, int64_t blocks, float* keep);
}

}  // namespace voxgrad
