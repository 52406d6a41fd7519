#include "core/device/parallel.h"
#include "tests/given_gradient_helpers.h"

using namespace voxgrad;
using given::Reader, given::Reads;

TEST_CASE("convolutions on the CPU: what others have given to the gradient of their input is in what they write, with the bits of a sum") {
  const Int3 one{1, 1, 1}, two{2, 2, 2}, three{3, 3, 3};
  const Conv3dOptions same{.padding = one};
  const Reader readers[] = {{"direct", {2, 3, 4, 5, 5}, 6, {2, 3, 1}},
                            {"direct in several passes", {1, 3, 4, 5, 64}, 200, {3, 2, 3}},
                            {"strides", {1, 5, 6, 7, 40}, 16, three, {.stride = {2, 1, 3}, .padding = one}},
                            {"without taps", {1, 4, 6, 8, 32}, 16, one, {.stride = two}},
                            {"1x1x1 of few voxels", {1, 2, 3, 5, 48}, 32, one},
                            {"groups", {1, 4, 5, 6, 32}, 48, three, {.padding = one, .groups = 2}},
                            {"depthwise", {1, 4, 8, 16, 32}, 32, three, {.padding = one, .groups = 32}},
                            {"to one channel", {1, 3, 4, 8, 16}, 1, one},
                            {"dilated", {1, 6, 7, 8, 8}, 12, three, {.padding = two, .dilation = two}},
                            {"few voxels", {2, 2, 2, 2, 32}, 40, three, same},
                            {"few voxels, strides", {1, 4, 4, 4, 64}, 64, three, {.stride = two, .padding = one}},
                            {"Winograd", {1, 8, 9, 10, 32}, 32, three, same},
                            {"Winograd, streamed", {1, 4, 4, 8, 256}, 256, three, same},
                            {"Winograd in boxes", {1, 6, 10, 12, 9}, 12, three, same},
                            {"Winograd in the plane", {2, 8, 10, 12, 32}, 48, three, {.stride = two, .padding = one}},
                            {"beside another", {1, 4, 5, 9, 32}, 16, three, same, Reads::beside_another},
                            {"instance norm", {2, 4, 5, 9, 32}, 16, three, same, Reads::instance_norm}};
  const int before = threads();
  for (const int count : {1, 2}) {
    set_threads(count);
    for (const Reader& r : readers)
      for (const DType t : {DType::f32, DType::bf16}) given::check_reader(r, Device{}, t);
  }
  set_threads(before);
}
