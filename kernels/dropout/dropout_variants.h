#pragma once
#include <cstdint>

namespace voxgrad {

// Words 0 .. 4 blocks - 1 of the blocks first, first + 1, .. of philox(key, block, stream).
namespace dropout_baseline {
void philox_words(uint64_t key, uint64_t stream, uint64_t first, int64_t blocks, uint32_t* out);
}
namespace dropout_avx2 {
void philox_words(uint64_t key, uint64_t stream, uint64_t first, int64_t blocks, uint32_t* out);
}
namespace dropout_avx512 {
void philox_words(uint64_t key, uint64_t stream, uint64_t first, int64_t blocks, uint32_t* out);
}

}  // namespace voxgrad
