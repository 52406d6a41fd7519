#include <immintrin.h>

#include "kernels/dropout/dropout_variants.h"

namespace voxgrad::dropout_avx512 {
namespace {
#include "kernels/dropout/dropout_words.h"
}  // namespace

void philox_words(uint64_t key, uint64_t stream, uint64_t first, int64_t blocks, uint32_t* out) { words_of(key, stream, first, blocks, out); }

}  // namespace voxgrad::dropout_avx512
