// What the emulator has to catch of parts that blocks of a cluster send each other, planted one by one, and what it counts of them.
#include <algorithm>

#include "core/cuda/runtime.h"
#include "tests/catch.h"
#include "tests/cuda/clusters/cluster_faults.h"
#include "tests/cuda/emulator_helpers.h"
#include "tests/emulator/counts.h"

using namespace voxgrad;
using Catch::Matchers::Contains;

namespace {

struct Halves {
  Tensor x = Tensor::full({64 * 16}, 1, DType::u8, kCard);
  std::vector<double> exchange(ClusterFault fault) const {
    const Tensor y = Tensor::zeros({2, 64 * 16}, DType::u8, kCard);
    exchange_halves(card(), x.view().data, y.view().data, fault);
    return y.values();
  }
};
bool is_whole(const std::vector<double>& v) { return std::count(v.begin(), v.end(), 1.) == std::ptrdiff_t(v.size()); }

}  // namespace

TEST_CASE("emulator: what blocks send each other is read from memory once") {
  const Halves h;
  cuda::synchronize(card());
  const emulator::Counting counting(h.x.view().data, h.x.bytes());
  CHECK(is_whole(h.exchange(ClusterFault::none)));
  const emulator::KernelCounts c = counting.of("hopper_cluster_fault_kernel");
  CHECK(c.watched == 64 * 16);
  CHECK(c.copied == 64 * 16);
}

TEST_CASE("emulator: what is read before it was sent, or while more is, shows as what was never written") {
  const Halves h;
  for (const ClusterFault f : {ClusterFault::early_read, ClusterFault::early_again}) {
    CAPTURE(int(f));
    bool found = false;  // it may arrive in time by chance
    for (int run = 0; run < 20; ++run) found = !is_whole(h.exchange(f)) || found;
    CHECK(found);
  }
  for (int run = 0; run < 20; ++run) CHECK(is_whole(h.exchange(ClusterFault::none)));
}

TEST_CASE("emulator: wrong use of what blocks send each other is named") {
  struct Planted {
    ClusterFault fault;
    const char* words;
  };
  const Planted all[] = {{ClusterFault::no_proxy_fence, "wrote to shared memory without fence_proxy"},
                         {ClusterFault::early_send, "reads shared memory that a copy is still writing"},
                         {ClusterFault::early_overwrite, "what is sent was written over before it had arrived"},
                         {ClusterFault::too_much_expected, "for 0 arrivals and 16 bytes"},
                         {ClusterFault::to_itself, "of the cluster is not another one"},
                         {ClusterFault::to_nobody, "block 2 of the cluster is not another one"},
                         {ClusterFault::unaligned, "of 24 bytes"},
                         {ClusterFault::past_the_end, "past the end of shared memory"},
                         {ClusterFault::early_end, "copies of its shared memory are on their way to others"},
                         {ClusterFault::early_leave, "copies are on their way into its shared memory"}};
  const Halves h;
  for (const Planted& p : all) {
    CAPTURE(int(p.fault));
    const auto until_found = [&] {
      for (int run = 0; run < 40; ++run) (void)h.exchange(p.fault);
    };
    CHECK_THROWS_WITH(until_found(), Contains("hopper_cluster_fault_kernel") && Contains(p.words));
  }
}
