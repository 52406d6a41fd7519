#include "kernels/random/random.h"

#include <cstring>
#include <vector>

#include "core/device/isa.h"
#include "tests/catch.h"

using namespace voxgrad;

TEST_CASE("random numbers have the same bits in every instruction set, those of core/rng.h") {
  const Rng rng = Rng(11).at(2);
  const Isa used = isa();
  std::vector<float> normal(5001), uniform(normal.size());
  for (size_t i = 0; i < normal.size(); ++i) {
    const Random128 r = philox(rng.key(), i, rng.counter());
    normal[i] = normal_of(r.word[0], r.word[1]), uniform[i] = uniform_of(r.word[0]);
  }
  for (Isa set : {Isa::baseline, Isa::avx2, Isa::avx512}) {
    if (set > best_isa()) continue;
    set_isa(set);
    const Tensor z = randn({int64_t(normal.size())}, rng), u = rand({int64_t(normal.size())}, rng);
    CHECK(std::memcmp(z.data<float>().data(), normal.data(), normal.size() * sizeof(float)) == 0);
    CHECK(std::memcmp(u.data<float>().data(), uniform.data(), uniform.size() * sizeof(float)) == 0);
  }
  set_isa(used);
}
