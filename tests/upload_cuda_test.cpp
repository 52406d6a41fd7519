// Copies beside the work of a CUDA device: a batch arrives whole, and is not written over while it is in use.
#include <thread>

#include "core/upload.h"
#include "kernels/pointwise/pointwise.h"
#include "tests/catch.h"

using namespace voxgrad;

namespace {

const Device kCard{0};

// Sends `sent` tensors that hold 0, 1, .. one after the other, through two uploads in turn as a training loop does, while sums of each
// are computed; true if every sum is right. The marks that order copies and work can be left out.
bool in_order(bool arrived, bool done) {
  constexpr int kCount = 12;
  const Shape shape{5000};
  Upload lanes[2] = {{shape, DType::f32, kCard}, {shape, DType::f32, kCard}};
  Tensor seen[2] = {lanes[0].arrived(), lanes[1].arrived()};
  std::vector<Tensor> results;
  std::thread sender([&] { lanes[0].send(Tensor::zeros(shape)); });
  for (int i = 0; i < kCount; ++i) {
    sender.join();
    if (done && i > 0) lanes[(i + 1) % 2].done();
    sender = std::thread([&, i] { lanes[(i + 1) % 2].send(Tensor::full(shape, i + 1)); });
    results.push_back(affine(arrived ? lanes[i % 2].arrived() : seen[i % 2], 2, 1));
  }
  sender.join();
  bool right = true;
  for (int i = 0; i < kCount; ++i)
    for (double v : results[size_t(i)].values()) right &= v == 2 * i + 1;
  return right;
}

}  // namespace

TEST_CASE("upload: what is sent arrives for the work that follows, and stays until that is done") {
  for (int repeat = 0; repeat < 20; ++repeat) REQUIRE(in_order(true, true));
}

#ifdef VOXGRAD_EMULATED
TEST_CASE("upload: a mark that is missing shows on the emulator") {
  int early = 0, over = 0;
  for (int repeat = 0; repeat < 20; ++repeat) early += !in_order(false, true), over += !in_order(true, false);
  CHECK(early > 0);
  CHECK(over > 0);
}
#endif

TEST_CASE("upload: a tensor of another shape is refused") {
  Upload lane({10}, DType::f32, kCard);
  CHECK_THROWS_WITH(lane.send(Tensor::zeros({11})), Catch::Matchers::Contains("upload") && Catch::Matchers::Contains("{11}"));
}

TEST_CASE("upload: on the CPU it is a copy") {
  Upload lane({10}, DType::f32, Device{});
  lane.send(Tensor::full({10}, 3));
  CHECK(lane.arrived().values() == std::vector<double>(10, 3.0));
}
