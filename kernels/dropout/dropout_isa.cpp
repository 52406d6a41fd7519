#include <immintrin.h>

#include "kernels/dropout/dropout_variants.h"

namespace voxgrad::dropout_kernels::VOXGRAD_ISA_NAMESPACE {
namespace {
#include "kernels/dropout/dropout_words.h"
}  // namespace

void philox_keep(uint64_t key, uint64_t stream, uint32_t last_dropped, uint64_t first, int64_t blocks, float* keep) {
  keep_of(key, stream, last_dropped, first, blocks, keep);
}

}  // namespace voxgrad::dropout_kernels::VOXGRAD_ISA_NAMESPACE
