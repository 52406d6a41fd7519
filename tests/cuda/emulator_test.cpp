// What the emulator has to catch, planted one by one, and that it lets right kernels pass.
#include "tests/cuda/emulator_faults.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <functional>

#include "core/cuda/runtime.h"
#include "core/device/parallel.h"
#include "core/rng.h"
#include "tests/catch.h"
#include "tests/cuda/emulator_helpers.h"

using namespace voxgrad;
using Catch::Matchers::Contains;

namespace {

// What a process that does this writes to its standard error before it dies; empty if it ends well.
std::string last_words(const std::function<void()>& f) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], 2);
    std::signal(SIGABRT, SIG_DFL);  // without the report of the test framework
    set_threads(1);  // teams of threads do not survive a fork
    f();
    _exit(0);
  }
  close(ends[1]);
  std::string text;
  char part[4096];
  for (ssize_t n; (n = read(ends[0], part, sizeof part)) > 0;) text.append(part, size_t(n));
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? "" : "died: " + text;
}

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kAsan = true;
#else
constexpr bool kAsan = false;
#endif

}  // namespace

TEST_CASE("emulator: a missing __syncthreads shows as NaN") {
  const Tensor x = ramp(8 * 64), y = card_floats(8 * 64);
  reverse_blocks(card(), 8, floats(x), floats(y), false);
  const std::vector<double> right = y.values();
  for (int64_t i = 0; i < 8 * 64; ++i) REQUIRE(right[size_t(i)] == double(i / 64 * 64 + 63 - i % 64));
  reverse_blocks(card(), 8, floats(x), floats(y), true);
  CHECK(has_nan(y.values()));
}

TEST_CASE("emulator: results do not depend on the threads of the host") {
  const Tensor x = ramp(50 * 64), y = card_floats(50 * 64);
  const int before = threads();
  for (int count : {1, 2, 3}) {
    set_threads(count);
    reverse_blocks(card(), 50, floats(x), floats(y), false);
    const std::vector<double> v = y.values();
    for (int64_t i = 0; i < 50 * 64; ++i) REQUIRE(v[size_t(i)] == double(i / 64 * 64 + 63 - i % 64));
  }
  set_threads(before);
}

TEST_CASE("emulator: a read past the end of global memory dies under AddressSanitizer") {
  const Tensor x = ramp(100), y = card_floats(100);
  copy_some(card(), 100, floats(x), floats(y), 0);
  CHECK(y.values()[99] == 99);
  if (!kAsan) return;
  CHECK_THAT(last_words([&] {
               copy_some(card(), 100, floats(x), floats(y), 1);
               cuda::synchronize(card());
             }),
             Contains("AddressSanitizer"));
}

TEST_CASE("emulator: a write past the end of global memory is found") {
  if (kAsan) {
    const Tensor x = ramp(101), y = card_floats(100);
    CHECK_THAT(last_words([&] {
                 copy_some(card(), 100, floats(x), floats(y), 2);
                 cuda::synchronize(card());
               }),
               Contains("AddressSanitizer"));
    return;
  }
  CHECK_THAT(last_words([&] {
               const Tensor x = ramp(101), y = card_floats(100);
               copy_some(card(), 100, floats(x), floats(y), 2);
             }),
             Contains("past the end of a block of 400 bytes"));
}

TEST_CASE("emulator: the host cannot touch memory of the device under AddressSanitizer") {
  const Tensor x = ramp(100);
  CHECK(x.values()[5] == 5);
  if (kAsan) CHECK_THAT(last_words([&] { floats(x)[5] = 1; }), Contains("AddressSanitizer"));
}

TEST_CASE("emulator: a write past the end of shared memory is found") {
  const auto overrun = [] {
    const Tensor y = card_floats(64);
    overrun_shared(card(), floats(y));
    cuda::synchronize(card());
  };
  if (kAsan) CHECK_THAT(last_words(overrun), Contains("AddressSanitizer"));
  else CHECK_THROWS_WITH(overrun(), Contains("overrun_shared_kernel") && Contains("tile") && Contains("128 bytes"));
}

TEST_CASE("emulator: asynchronous copies arrive at their wait and not before") {
  const Tensor x = ramp(128), y = card_floats(128);
  copy_asynchronously(card(), floats(x), 100, floats(y), false);
  const std::vector<double> right = y.values();
  for (int i = 0; i < 128; ++i) REQUIRE(right[size_t(i)] == (i < 100 ? i : 0));
  copy_asynchronously(card(), floats(x), 100, floats(y), true);
  const std::vector<double> early = y.values();
  for (double v : early) REQUIRE(std::isnan(v));
}

TEST_CASE("emulator: mma multiplies matrices, and a wrong fragment shows") {
  const Tensor random_a = Tensor::from([] {
    std::vector<double> v(256);
    Rng rng(3);
    for (double& e : v) e = rng.uniform(-1, 1);
    return v;
  }(), {16, 16}), random_b = random_a.rows(0, 8).reshape({16, 8});
  const auto product = [](const std::vector<double>& a, const std::vector<double>& b, int depth) {
    std::vector<double> c(128);
    for (int i = 0; i < 16; ++i)
      for (int j = 0; j < 8; ++j)
        for (int k = 0; k < depth; ++k) c[size_t(i * 8 + j)] += a[size_t(i * depth + k)] * b[size_t(k * 8 + j)];
    return c;
  };
  const auto error = [](const std::vector<double>& a, const std::vector<double>& b) {
    double worst = 0;
    for (size_t i = 0; i < a.size(); ++i) worst = std::isnan(a[i]) ? INFINITY : std::max(worst, std::abs(a[i] - b[i]));
    return worst;
  };
  const Tensor c = card_floats(128);
  for (DType t : {DType::bf16, DType::f16}) {
    const Tensor a = random_a.to(t), b = random_b.to(t), card_a = a.to(kCard), card_b = b.to(kCard);
    const std::vector<double> truth = product(a.values(), b.values(), 16);
    multiply_tile(card(), t, card_a.view().data, card_b.view().data, floats(c), false);
    CHECK(error(c.values(), truth) < 16 * 0x1p-22);  // products are exact in f32; 16 sums of numbers below 16
    multiply_tile(card(), t, card_a.view().data, card_b.view().data, floats(c), true);
    CHECK(error(c.values(), truth) > 0.1);
  }
  const Tensor a = random_a.rows(0, 8).reshape({16, 8}), b = random_a.rows(8, 12).reshape({8, 8});
  multiply_tile_tf32(card(), floats(a.to(kCard)), floats(b.to(kCard)), floats(c));
  const double off = error(c.values(), product(a.values(), b.values(), 8));
  CHECK(off < 8 * 0x1p-10);  // two operands rounded by 2^-11 each
  CHECK(off > 0x1p-18);      // they were rounded
}

TEST_CASE("emulator: threads that wait for each other in vain are named") {
  meet(card(), 0);
  CHECK_NOTHROW(cuda::synchronize(card()));
  const auto run = [](int fault) {
    meet(card(), fault);
    cuda::synchronize(card());
  };
  CHECK_THROWS_WITH(run(1), Contains("meet_kernel") && Contains("different barriers") && Contains("emulator_faults.cu:"));
  CHECK_THROWS_WITH(run(2), Contains("no thread can go on") && Contains("threads 0 to 63 wait at the barrier") &&
                                Contains("thread 64 ended") && Contains("__syncwarp"));
}

TEST_CASE("emulator: shuffles need all lanes of their mask") {
  const Tensor x = ramp(32), y = card_floats(1);
  sum_warp(card(), floats(x), floats(y), false);
  CHECK(y.item() == 31 * 32 / 2);
  const auto run = [&] {
    sum_warp(card(), floats(x), floats(y), true);
    cuda::synchronize(card());
  };
  CHECK_THROWS_WITH(run(), Contains("no thread can go on") && Contains("shuffle"));
}

TEST_CASE("emulator: integer atomics count") {
  Tensor x = Tensor::empty({1000}, DType::u8);
  for (int i = 0; i < 1000; ++i) x.mutable_data<uint8_t>()[size_t(i)] = uint8_t(i % 4);
  const Tensor card_x = x.to(kCard), y = Tensor::zeros({4}, DType::i32, kCard);
  count_values(card(), 1000, card_x.view().as<uint8_t>(), y.view().as<int32_t>());
  CHECK(y.values() == std::vector<double>{250, 250, 250, 250});
}

TEST_CASE("emulator: an impossible grid is refused at the launch") {
  CHECK_THROWS_WITH(launch_too_many_threads(card(), nullptr), Contains("add_one_kernel") && Contains("2048 threads"));
}
