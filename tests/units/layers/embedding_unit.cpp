#include "layers/embedding.h"

#include "core/autograd.h"
#include "core/module.h"
#include "kernels/reduce/reduce.h"
#include "tests/catch.h"

using namespace voxgrad;

TEST_CASE("an embedding gives rows of its table and trains those alone that were asked for") {
  Rng rng(1), same(1);
  const Embedding layer({.count = 5, .width = 3}, rng), again({.count = 5, .width = 3}, same), next({.count = 5, .width = 3}, rng);
  CHECK(layer.weight.values() == again.weight.values());
  CHECK(layer.weight.values() != next.weight.values());
  const Tensor y = layer(Tensor::from({4, 1, 1, 4}, {2, 2}, DType::i32));
  REQUIRE(y.shape() == Shape{2, 2, 3});
  const auto table = layer.weight.values(), rows = y.values();
  for (size_t c = 0; c < 3; ++c) {
    CHECK(rows[c] == table[12 + c]);
    CHECK(rows[3 + c] == table[3 + c]);
  }
  backward(sum(y));
  CHECK(layer.weight.grad().values() == std::vector<double>{0, 0, 0, 2, 2, 2, 0, 0, 0, 0, 0, 0, 2, 2, 2});
}

TEST_CASE("an embedding says what it cannot do") {
  Rng rng(1);
  using Catch::Matchers::Contains;
  CHECK_THROWS_WITH(Embedding({.count = 0, .width = 3}, rng), Contains("Embedding") && Contains("0 rows"));
  const Embedding layer({.count = 5, .width = 3}, rng);
  CHECK_THROWS_WITH(layer(Tensor::full({2}, 5, DType::i64)), Contains("embedding") && Contains("is 5"));
}
