#include "tests/sample_helpers.h"

using namespace voxgrad;
using Catch::Matchers::Contains;

namespace {

// The box of a sample.
Sample part_of(const Sample& s, const VoxelBox& box) {
  Sample out{.fields = {}, .begin = box.begin, .whole = s.size()};
  const Int3 size = s.size();
  for (const Field& f : s.fields) {
    Shape shape = f.data.shape();
    for (int a = 0; a < 3; ++a) shape[a] = box.size[a];
    const int64_t numbers = shape.rank == 4 ? shape[3] : 1;
    const std::vector<double> all = f.data.values();
    std::vector<double> some;
    for (int d = 0; d < box.size.d; ++d)
      for (int h = 0; h < box.size.h; ++h) {
        const int64_t row = (int64_t(box.begin.d + d) * size.h + box.begin.h + h) * size.w + box.begin.w;
        for (int64_t i = 0; i < box.size.w * numbers; ++i) some.push_back(all[size_t(row * numbers + i)]);
      }
    out.fields.push_back({f.name, f.kind, Tensor::from(some, shape, f.data.dtype())});
  }
  return out;
}

}  // namespace

TEST_CASE("a patch is the same where only the voxels that it reaches into are there, turned, scaled, mirrored, at borders and beyond") {
  Rng rng(3);
  for (int i = 0; i < 70; ++i) {
    const Int3 size = {1 + int(rng.below(24)), 1 + int(rng.below(30)), 1 + int(rng.below(30))};
    const int channels = 1 + int(rng.below(3));
    Sample volume = random_sample(size, channels, uint64_t(i));
    if (i % 3 == 0) volume.fields.push_back({"flow", DataKind::vectors, random_sample(size, 3, uint64_t(i) + 1000).image()});
    const Int3 patch = {1 + int(rng.below(12)), 1 + int(rng.below(12)), 1 + int(rng.below(12))};
    PatchPlace place{{0, 0, 0}, patch, {1, 1, 2}};
    for (size_t a = 0; a < 3; ++a) {
      const double at = double(rng.below(size[int(a)] + 16)) - 8;
      place.centre[a] = i % 2 ? at + (patch[int(a)] - 1) / 2.0 : at + rng.uniform();
    }
    Augmentation augmentation;
    augmentation.order = {"spatial", "mirror", "noise"};
    augmentation.set({{"rotation", 0.5}, {"scaling", 0.5}, {"noise", 0.5}});
    augmentation.resample.border = i % 5 == 0 ? Border::edge : Border::zeros;
    augmentation.resample.label = i % 7 == 0 ? LabelSampling::nearest : LabelSampling::linear;
    const VoxelBox reach = augmented_reach(size, channels, place, augmentation, Rng(uint64_t(i)));
    const Sample whole = augmented_patch(volume, place, augmentation, Rng(uint64_t(i)));
    const Sample part = augmented_patch(part_of(volume, reach), place, augmentation, Rng(uint64_t(i)));
    CAPTURE(i, size, patch, reach.begin, reach.size);
    REQUIRE(part.fields.size() == whole.fields.size());
    for (size_t f = 0; f < whole.fields.size(); ++f) REQUIRE(part.fields[f].data.values() == whole.fields[f].data.values());
  }
}

TEST_CASE("a patch that reaches beyond what is there of its volume is refused, and a part that is none") {
  const Sample volume = random_sample({20, 20, 20}, 1, 1);
  Sample part = part_of(volume, {{2, 3, 4}, {10, 10, 10}});
  CHECK(part.size() == Int3{20, 20, 20});
  CHECK_NOTHROW(augmented_patch(part, {{7.5, 8.5, 9.5}, {4, 4, 4}}, no_augmentation(), Rng(1)));
  CHECK_THROWS_WITH(augmented_patch(part, {{12.5, 8.5, 9.5}, {4, 4, 4}}, no_augmentation(), Rng(1)),
                    Contains("10x10x10 voxels at 2x3x4") && Contains("reaches into"));
  part.begin = {11, 0, 0};
  CHECK_THROWS_WITH(augmented_patch(part, {{12.5, 8.5, 9.5}, {1, 1, 1}}, no_augmentation(), Rng(1)), Contains("no part of a volume"));
}
