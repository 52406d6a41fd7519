// What the emulator has to catch of sm_90's instructions, planted one by one.
#include <algorithm>

#include "core/cuda/runtime.h"
#include "tests/catch.h"
#include "tests/cuda/emulator_helpers.h"
#include "tests/cuda/hopper_faults.h"
#include "tests/emulator/counts.h"

using namespace voxgrad;
using Catch::Matchers::Contains;

namespace {

struct Operands {
  Tensor a = Tensor::full({64 * 16}, 0.5, DType::bf16, kCard), b = Tensor::full({32 * 16}, 2, DType::bf16, kCard), c = card_floats(64 * 32);
  std::vector<double> multiply(HopperFault fault) const {
    multiply_copied(card(), a.view().data, b.view().data, floats(c), fault);
    return c.values();
  }
};

}  // namespace

TEST_CASE("emulator: wgmma of copied operands is what it should be") {
  const Operands o;
  for (const double v : o.multiply(HopperFault::none)) REQUIRE(v == 16);
  cuda::synchronize(card());
  const emulator::Counting counting(o.a.view().data, 64 * 16 * 2);
  (void)o.multiply(HopperFault::none);
  const emulator::KernelCounts c = counting.of("hopper_faulty_kernel");
  CHECK(c.products == 1);
  CHECK(c.matrices == 2 * (64 + 32) / 8);
  CHECK(c.conflicts == 0);
  CHECK(c.copied == (64 + 32) * 32);
  CHECK(c.watched == 64 * 32);
  CHECK(c.waits == 4);
}

TEST_CASE("emulator: sums of products that were not waited for, and operands that are copied over, show as NaN") {
  const Operands o;
  CHECK(has_nan(o.multiply(HopperFault::early_read)));
  bool found = false;  // the copy may have arrived again by chance
  for (int run = 0; run < 20; ++run) found = has_nan(o.multiply(HopperFault::early_copy)) || found;
  CHECK(found);
}

TEST_CASE("emulator: wrong use of products, barriers and copies of sm_90 is named") {
  struct Planted {
    HopperFault fault;
    const char* words;
  };
  const Planted all[] = {{HopperFault::early_product, "reads shared memory that a copy is still writing"},
                         {HopperFault::no_product_fence, "without wgmma_fence"},
                         {HopperFault::early_write, "wrote to a sum of wgmma before it waited"},
                         {HopperFault::early_reload, "wrote to an operand of wgmma before it waited"},
                         {HopperFault::no_product_wait, "ended without waiting for its products"},
                         {HopperFault::unaligned_matrix, "its address is not a multiple of 16"},
                         {HopperFault::unaligned_pitch, "pitches of 1024 and 120 bytes"},
                         {HopperFault::warps_differ, "warps of a warpgroup multiply different operands"},
                         {HopperFault::no_proxy_fence, "without fence_proxy"},
                         {HopperFault::too_much_expected, "for 0 arrivals and 16 bytes"},
                         {HopperFault::too_many_arrivals, "more arrivals in a phase than the 1"},
                         {HopperFault::no_initialisation, "the barrier was not initialised"},
                         {HopperFault::no_barrier, " initialised"},
                         {HopperFault::unaligned_copy, "cp.async.bulk of 24 bytes"},
                         {HopperFault::no_copy_wait, "copies are on their way"}};
  const Operands o;
  for (const Planted& p : all) {
    CAPTURE(int(p.fault));
    // Copies may arrive in time by chance.
    const auto until_found = [&] {
      for (int run = 0; run < 20; ++run) (void)o.multiply(p.fault);
    };
    CHECK_THROWS_WITH(until_found(), Contains("hopper_faulty_kernel") && Contains(p.words));
  }
}
