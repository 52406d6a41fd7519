// What the emulator has to catch of copies of boxes, planted one by one, and what it counts of them.
#include <algorithm>

#include "core/cuda/runtime.h"
#include "tests/catch.h"
#include "tests/cuda/boxes/box_faults.h"
#include "tests/cuda/emulator_helpers.h"
#include "tests/emulator/counts.h"

using namespace voxgrad;
using Catch::Matchers::Contains;

namespace {

// A volume of 4 x 6 x 8 voxels of 64 bytes and a box of 3 x 4 x 4 of them, of which 2 x 3 x 3 lie inside.
struct Boxed {
  Tensor x = Tensor::full({1, 4, 6, 8, 64}, 1, DType::u8, kCard);
  BoxedTensor boxes{.address = x.view().data, .dtype = DType::u8, .extent = {64, 8, 6, 4, 1}, .stride = {1, 64, 512, 3072, 12288},
                    .box = {64, 4, 4, 3, 1}, .swizzle = Swizzle::bytes64};
  BoxPlace place{{0, -1, 3, 2, 0}};

  std::vector<double> read(BoxFault fault) const {
    const Tensor y = Tensor::zeros({boxes.bytes()}, DType::u8, kCard);
    read_box_wrongly(card(), tensor_map(boxes), place, int(boxes.bytes()), y.view().data, fault);
    return y.values();
  }
};
bool has_unwritten(const std::vector<double>& v) { return std::count(v.begin(), v.end(), 255.) > 0; }

}  // namespace

TEST_CASE("emulator: a box counts for the barrier as a whole, and for memory with what lies inside") {
  const Boxed b;
  cuda::synchronize(card());
  const emulator::Counting counting(b.x.view().data, b.x.bytes());
  const std::vector<double> y = b.read(BoxFault::none);
  CHECK(std::count(y.begin(), y.end(), 1.) == 2 * 3 * 3 * 64);
  CHECK(std::count(y.begin(), y.end(), 0.) == (3 * 4 * 4 - 2 * 3 * 3) * 64);
  const emulator::KernelCounts c = counting.of("hopper_box_fault_kernel");
  CHECK(c.copied == 2 * 3 * 3 * 64);
  CHECK(c.watched == c.copied);
}

TEST_CASE("emulator: boxes that are read before they arrive, and that others are copied over, show as what was never written") {
  const Boxed b;
  for (const BoxFault f : {BoxFault::early_read, BoxFault::early_copy}) {
    CAPTURE(int(f));
    bool found = false;  // it may arrive in time by chance
    for (int run = 0; run < 20; ++run) found = has_unwritten(b.read(f)) || found;
    CHECK(found);
  }
  for (int run = 0; run < 20; ++run) CHECK_FALSE(has_unwritten(b.read(BoxFault::none)));
}

TEST_CASE("emulator: wrong use of boxes is named") {
  struct Planted {
    BoxFault fault;
    const char* words;
  };
  const Planted all[] = {{BoxFault::too_little_expected, "for 0 arrivals and -1536 bytes"},
                         {BoxFault::too_much_expected, "for 0 arrivals and 16 bytes"},
                         {BoxFault::unaligned_box, "cp.async.bulk.tensor: to byte"},
                         {BoxFault::past_the_end, "cp.async.bulk.tensor: past the end of shared memory"},
                         {BoxFault::no_map, "that tensor_map has not made"},
                         {BoxFault::no_copy_wait, "copies are on their way"}};
  const Boxed b;
  for (const Planted& p : all) {
    CAPTURE(int(p.fault));
    const auto until_found = [&] {
      for (int run = 0; run < 20; ++run) (void)b.read(p.fault);
    };
    CHECK_THROWS_WITH(until_found(), Contains("hopper_box_fault_kernel") && Contains(p.words));
  }
  const Tensor on_host = Tensor::zeros({1024}, DType::u8);
  BoxedTensor t = b.boxes;
  t.address = on_host.view().data;
  CHECK_THROWS_WITH(tensor_map(t), Contains("a tensor map of memory that is not the device's"));
  t = b.boxes;
  t.extent[3] = 5;
  CHECK_THROWS_WITH(tensor_map(t), Contains("a tensor map of 15360 bytes goes past the end"));
}
