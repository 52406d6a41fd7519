// What kernels rely on of blocks of a cluster that bring something for each other, each by itself: on the emulator, and on a device.
#include "core/cuda/chip.h"
#include "core/cuda/runtime.h"
#include "core/tensor.h"
#include "tests/catch.h"
#include "tests/cuda/clusters/cluster_facts.h"

using namespace voxgrad;

namespace {

const Device kDevice{0};
Cuda on() { return current_stream(kDevice); }

bool has_clusters() {
  if (cuda::device_count() > 0 && cuda::chip_of(on()).architecture == 90) return true;
  WARN("skipped: not a device of compute capability 9.0");
  return false;
}
std::vector<uint8_t> some_bytes(int64_t n) {
  std::vector<uint8_t> v(size_t(n), 0);
  for (size_t i = 0; i < v.size(); ++i) v[i] = uint8_t(i * 7 + i / 251);
  return v;
}

}  // namespace

TEST_CASE("sm_90: parts that threads loaded are sent to all blocks of a cluster of up to eight, into what these have given back") {
  if (!has_clusters()) return;
  constexpr int kPieces = 37, kRounds = 5;
  const std::vector<uint8_t> x = some_bytes(kRounds * kPieces * 16);
  const Tensor from = Tensor::from(x, {int64_t(x.size())}, kDevice);
  for (const int blocks : {2, 3, 4, 6, 8}) {
    const Tensor y = Tensor::zeros({kRounds, blocks, kPieces * 16}, DType::u8, kDevice);
    exchange_parts(on(), blocks, from.view().data, kPieces, kRounds, y.view().data);
    const std::vector<double> got = y.values();
    int wrong = 0;
    for (int r = 0; r < kRounds; ++r)
      for (int b = 0; b < blocks; ++b)
        for (int i = 0; i < kPieces * 16; ++i)
          wrong += got[size_t((r * blocks + b) * kPieces * 16 + i)] != x[size_t(r * kPieces * 16 + i)];
    CAPTURE(blocks);
    CHECK(wrong == 0);
  }
}

TEST_CASE("sm_90: a multicast reaches the blocks of a cluster that it names, and no others") {
  if (!has_clusters()) return;
  constexpr int kBytes = 4096;
  const std::vector<uint8_t> x = some_bytes(2 * kBytes);
  const Tensor from = Tensor::from(x, {2 * kBytes}, kDevice), y = Tensor::zeros({4, kBytes}, DType::u8, kDevice);
  copy_to_every_second(on(), from.view().data, kBytes, y.view().data);
  const std::vector<double> got = y.values();
  int wrong = 0;
  for (int b = 0; b < 4; ++b)
    for (int i = 0; i < kBytes; ++i) wrong += got[size_t(b * kBytes + i)] != x[size_t(b % 2 * kBytes + i)];
  CHECK(wrong == 0);
}

TEST_CASE("sm_90: the device tells how many clusters of large blocks it runs at once, fewer of larger ones") {
  if (!has_clusters()) return;
  const int multiprocessors = cuda::chip_of(on()).multiprocessors;
  for (const int blocks : {2, 3, 4, 6, 8}) {
    const int at_once = large_clusters_at_once(on(), blocks);
    INFO(at_once << " clusters of " << blocks << " blocks on " << multiprocessors << " multiprocessors");
    CHECK(at_once >= (multiprocessors >= 100 ? 1 : 0));
    CHECK(at_once * blocks <= multiprocessors);
  }
}
