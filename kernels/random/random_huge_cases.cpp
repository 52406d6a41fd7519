#include "kernels/random/random.h"
#include "tests/op_case.h"

using namespace voxgrad;

HUGE_CASES(random) {
  cases.push_back({"random", "bytes", 1, [](Device d, int64_t n) {
                     const Rng rng(3);
                     const Tensor y = randint({n}, 0, 256, rng, {.dtype = DType::u8, .device = d});
                     return sampled_fault(
                         y, [=](int64_t i) { return double(philox(rng.key(), uint64_t(i)).word[0] >> 24); }, 0);
                   }});
}
