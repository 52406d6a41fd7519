// The emulator in place of the runtime: streams, events, memory, recordings, and what goes wrong with them.
#include <cmath>
#include <cstdlib>
#include <functional>

#include "core/autograd.h"
#include "core/cuda/runtime.h"
#include "core/cuda/scratch.h"
#include "core/tensor.h"
#include "kernels/pointwise/pointwise.h"
#include "tests/catch.h"
#include "tests/cuda/emulator_faults.h"
#include "tests/cuda/emulator_helpers.h"

using namespace voxgrad;
using Catch::Matchers::Contains;

namespace {
// Bytes of an emulated device, few enough to be filled.
constexpr int64_t kMemory = 64 << 20;
[[maybe_unused]] const int limited = setenv("VOXGRAD_EMULATED_MEMORY", std::to_string(kMemory).c_str(), 1);
}  // namespace

TEST_CASE("emulator: work on another stream needs an event") {
  const Tensor y = card_floats(1000);
  cuda::Stream other(0);
  auto* pinned = static_cast<float*>(cuda::allocate_pinned(4000));
  const auto staged = [&](bool wait) {
    const Tensor x = card_floats(1000);
    for (int i = 0; i < 1000; ++i) pinned[i] = float(i);
    cuda::Event copied(0), allocated(0);
    allocated.record(card());
    allocated.hold(other.on());
    cuda::copy(other.on(), floats(x), pinned, 4000);
    copied.record(other.on());
    if (wait) copied.hold(card());
    add_one(card(), 1000, floats(x), floats(y));
    const std::vector<double> v = y.values();
    cuda::synchronize(other.on());
    return v;
  };
  int stale = 0;
  for (int repeat = 0; repeat < 20; ++repeat) {
    const std::vector<double> right = staged(true);
    for (int i = 0; i < 1000; ++i) REQUIRE(right[size_t(i)] == i + 1);
    stale += has_nan(staged(false));
  }
  CHECK(stale > 0);
  cuda::release_pinned(pinned);
}

TEST_CASE("emulator: a result copied on the wrong stream is not there") {
  const Tensor x = ramp(1000), y = card_floats(1000);
  cuda::synchronize(card());
  cuda::Stream other(0);
  auto* pinned = static_cast<float*>(cuda::allocate_pinned(4000));
  int stale = 0;
  for (int repeat = 0; repeat < 20; ++repeat) {
    cuda::fill_bytes(card(), floats(y), 0xff, 4000);
    cuda::synchronize(card());
    add_one(card(), 1000, floats(x), floats(y));
    cuda::copy(other.on(), pinned, floats(y), 4000);
    cuda::synchronize(other.on());
    stale += std::isnan(pinned[17]);
  }
  CHECK(stale > 0);
  add_one(card(), 1000, floats(x), floats(y));
  cuda::copy(card(), pinned, floats(y), 4000);
  cuda::synchronize(card());
  CHECK(pinned[17] == 18);
  cuda::release_pinned(pinned);
}

TEST_CASE("emulator: memory runs out as on a device") {
  CHECK_THROWS_WITH(Tensor::empty({int64_t(1) << 40}, DType::f32, kCard),
                    Contains("out of memory") && Contains("4398046511104 bytes") && Contains("cuda:0"));
  const size_t before = memory_stats(kCard).in_use;
  reset_peak_memory(kCard);
  { const Tensor t = card_floats(1 << 20); }
  CHECK(memory_stats(kCard).in_use == before);
  CHECK(memory_stats(kCard).peak >= before + (size_t(4) << 20));
}

TEST_CASE("emulator: an error about memory says which op asked") {
  CHECK_THROWS_WITH(affine(card_floats(kMemory / 4 * 3 / 4), 2, 1),
                    Contains("pointwise (pointwise.cpp): out of memory") && Contains("bytes are in use on cuda:0"));
  CHECK_THROWS_WITH(card_floats(kMemory), Contains("card_floats (emulator_helpers.h): out of memory"));
  CHECK_THROWS_WITH(Scratch(card(), kMemory + 1), Contains("(emulator_runtime_test.cpp): out of memory"));
  const Tensor y = Tensor::full({kMemory / 4 * 3 / 10}, 1, DType::f32, kCard).require_grad();
  CHECK_THROWS_WITH(backward(affine(y, 2, 1), Tensor::empty_like(y)), Contains("gradient of affine: ") && Contains("out of memory"));
}

TEST_CASE("emulator: where memory runs out, what is still on its way back is waited for") {
  Tensor x = card_floats(kMemory / 4 * 3 / 4);
  add_one(card(), x.count(), floats(x), floats(x));
  x = {};  // released behind the kernel, which has not run
  const Tensor y = card_floats(kMemory / 4 * 3 / 4);
  CHECK(y);
}

TEST_CASE("emulator: recorded work runs when it is replayed, and not before") {
  const Tensor x = ramp(1000), y = card_floats(1000);
  float here[2] = {5, 6};
  const cuda::Recording work(card(), [&] {
    const Tensor between = card_floats(1000);
    add_one(card(), 1000, floats(x), floats(between));
    add_one(card(), 1000, floats(between), floats(y));
    cuda::copy(card(), floats(y), here, sizeof here);
  });
  here[0] = here[1] = 0;
  CHECK(has_nan(y.values()));
  for (int repeat = 0; repeat < 3; ++repeat) {
    x.copy_from(Tensor::full({1000}, repeat));
    REQUIRE(work.replay(card()));
    const std::vector<double> v = y.values();
    CHECK(v[0] == 5);
    CHECK(v[1] == 6);
    CHECK(v[2] == repeat + 2);
    CHECK(v[999] == repeat + 2);
  }
}

TEST_CASE("emulator: recorded work is not replayed after its memory is gone") {
  const Tensor x = ramp(1000);
  Tensor y = card_floats(1000);
  const cuda::Recording work(card(), [&] { add_one(card(), 1000, floats(x), floats(y)); });
  REQUIRE(work.replay(card()));
  y = {};
  cuda::synchronize(card());
  CHECK_THROWS_WITH(work.replay(card()), Contains("memory that it uses was released"));
  const Tensor again = card_floats(1000);  // perhaps at the same place
  CHECK_THROWS_WITH(work.replay(card()), Contains("memory that it uses was released"));
}

TEST_CASE("emulator: memory released while work is recorded lasts as long as the recording") {
  Tensor x = ramp(1000);
  const Tensor y = card_floats(1000);
  const size_t bytes = cuda::reserved_bytes(0);
  {
    const cuda::Recording work(card(), [&] {
      add_one(card(), 1000, floats(x), floats(y));
      x = {};
    });
    REQUIRE(work.replay(card()));
    CHECK(y.values()[7] == 8);
  }
  cuda::synchronize(card());
  CHECK(cuda::reserved_bytes(0) < bytes);
}

TEST_CASE("emulator: what cannot be recorded is refused, and the stream goes on") {
  const Tensor x = ramp(1000), y = card_floats(1000);
  void* kept = nullptr;
  const auto refuses = [&](const std::function<void()>& f, const char* words) {
    CHECK_THROWS_WITH(cuda::Recording(card(), f), Contains(words));
    add_one(card(), 1000, floats(x), floats(y));
    CHECK(y.values()[7] == 8);
  };
  refuses([] { cuda::synchronize(card()); }, "waited for");
  refuses([&] { (void)x.values(); }, "ordinary memory of the host");
  refuses([] { cuda::Event(0).record(card()); }, "wait for each other");
  refuses([] { const cuda::Recording inner(card(), [] {}); }, "other work is");
  refuses([&] { kept = cuda::allocate(card(), 40); }, "not given back");
  cuda::release(card(), kept);
}
