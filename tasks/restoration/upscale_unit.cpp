#include <cmath>

#include "core/autograd.h"
#include "data/fingerprint.h"
#include "io/image.h"
#include "kernels/binary/binary.h"
#include "kernels/random/random.h"
#include "kernels/reduce/reduce.h"
#include "tasks/predictor.h"
#include "tasks/restoration/restoration.h"
#include "tests/catch.h"
#include "tests/close.h"
#include "tests/network_helpers.h"
#include "tests/temporary_folder.h"

using namespace voxgrad;

namespace {

ModelDescription description_of_task(const std::string& task, const Int3& patch) {
  ModelDescription d;
  d.task = task;
  d.patch = patch;
  d.spacing = {0, 0, 0};
  d.normalization = {{.kind = "rescale_to_0_1"}};
  d.channels = d.labels = {"MR"};
  return d;
}

// Adds nothing.
struct Zero {
  FIELDS()
  Tensor operator()(const Tensor& x) const { return x * 0; }
};

}  // namespace

TEST_CASE("super-resolution: a prediction lies on a finer grid over the same field of view") {
  // A linear ramp in mm along x, in a file whose axes D, H, W run along x, -y and z.
  Affine affine;
  affine.m = {{{2, 0, 0, 10}, {0, -3, 0, 20}, {0, 0, 4, -30}, {0, 0, 0, 1}}};
  const Int3 size = {12, 5, 6};
  const Tensor image = Tensor::empty({size.d, size.h, size.w, 1});
  for (int i = 0; i < size.d * size.h * size.w; ++i) image.mutable_data<float>()[i] = float(2 * (i / (size.h * size.w)) + 10);
  // Factors are along the axes as the network sees them, z, y and x: 2, 1 and 1.5.
  const ModelDescription d = description_of_task(R"({"kind": "restoration", "upscale": [2, 1, 1.5]})", {8, 8, 8});
  const Predictor predict(Model{.net = Network(Zero{}, {}, "{}"), .description = d});
  const Volume y = predict({image, affine}).volume;
  CHECK(y.data.shape() == Shape{18, 5, 12, 1});
  const Vec3 spacing = y.spacing();
  CHECK(close(spacing[0], 2 / 1.5, 1e-9));
  CHECK(close(spacing[1], 3, 1e-9));
  CHECK(close(spacing[2], 2, 1e-9));
  // The corner of the field of view stays where it was, so the first voxel's centre moves.
  for (const Vec3& corner : {Vec3{-0.5, -0.5, -0.5}, Vec3{0.5, 0.5, 0.5}}) {
    Vec3 before, after;
    for (size_t a = 0; a < 3; ++a) {
      const double n = size[int(a)], m = double(y.data.dim(int(a)));
      before[a] = corner[a] < 0 ? -0.5 : n - 0.5, after[a] = corner[a] < 0 ? -0.5 : m - 0.5;
    }
    for (size_t a = 0; a < 3; ++a) CHECK(close(affine.apply(before)[a], y.affine.apply(after)[a], 1e-6));
  }
  // Away from the ends values are those of the ramp where the voxels are.
  for (int k = 4; k < 14; ++k) CHECK(close(y.data.values()[size_t((k * 5 + 2) * 12 + 5)], y.affine.apply({double(k), 2, 5})[0], 1e-2));
}

TEST_CASE("super-resolution learns from low resolution by the same factors, unless degradations are named") {
  const Tensor image = rand({1, 8, 8, 8, 1}, Rng(1));
  const Batch batch{image, {}};
  const auto seen = [&](const RestorationOptions& o) { return Restoration(o).prepare(batch, Rng(3)).image.values(); };
  CHECK(seen({.upscale = {2, 2, 2}}) == seen({.degradations = {{.kind = "low_resolution", .strength = {2, 2}}}}));
  CHECK(seen({.upscale = {4, 1, 1}}) == seen({.degradations = {{.kind = "low_resolution", .strength = {4, 4}, .axes = {0}}}}));
  const Degradation blur{.kind = "blur", .strength = {1, 1}};
  CHECK(seen({.degradations = {blur}, .upscale = {2, 2, 2}}) == seen({.degradations = {blur}}));
  CHECK_THROWS_WITH(Restoration({.upscale = {0.5, 1, 1}}), Catch::Matchers::Contains("three factors"));
}

TEST_CASE("a restored image does not depend on tiles that leave out what a convolution cannot see") {
  const Network net = network_of(R"({"kind": "dncnn", "depth": 3, "features": 3})");
  const Volume image{rand({26, 1, 21, 1}, Rng(4)) * 300, Affine{}};
  const auto restored = [&](const Int3& patch, int margin, double overlap) {
    const ModelDescription d = description_of_task(R"({"kind": "restoration", "margin": )" + std::to_string(margin) + "}", patch);
    const Predictor predict(Model{.net = net, .description = d});
    PredictOptions o = predict.options();
    o.overlap = overlap;
    return predict(image, "image", o).volume.data;
  };
  const Tensor whole = restored({26, 1, 21}, 0, 0);
  const double range = max(image.data).item();
  for (const Int3& patch : {Int3{10, 1, 9}, Int3{12, 1, 21}, Int3{26, 1, 7}, Int3{15, 1, 13}})
    for (double overlap : {0.0, 0.5}) CHECK(max(abs(restored(patch, 3, overlap) - whole)).item() < 1e-5 * range);
  CHECK(max(abs(restored({10, 1, 9}, 0, 0.5) - whole)).item() > 1e-4 * range);
  CHECK_THROWS_WITH(restored({6, 1, 9}, 3, 0), Catch::Matchers::Contains("leaves nothing"));
}

TEST_CASE("pairs of a low and a high resolution are seen on the finer grid, in training as in predictions") {
  const TemporaryFolder folder;
  const Int3 fine = {6, 9, 8};
  Affine affine;  // of the fine file: oblique, with its axes W and H turned
  affine.m = {{{0, 0.2, -1, 30}, {0, -1.5, -0.3, 12}, {2, 0, 0, -7}, {0, 0, 0, 1}}};
  const Tensor clean = rand({fine.d, fine.h, fine.w, 1}, Rng(1)) * 1000;
  const Tensor coarse = rand({6, 3, 4, 1}, Rng(2)) * 1000;
  write_volume(folder / "low.nii.gz", {coarse, affine.resampled({1, 3, 2})});
  write_volume(folder / "high.nii.gz", {clean, affine});
  Dataset data{.name = "pairs", .cases = {{.id = "a", .images = {folder / "low.nii.gz"}, .label = folder / "high.nii.gz"}}};
  data.channel_names = {"MR"};
  const auto task = std::make_shared<const Restoration>(RestorationOptions{.learns = "pairs", .upscale = {1, 3, 2}});
  const Fingerprint print = fingerprint(data, {"a"}, {}, *task, {"MR"});
  CHECK(print.extents[0] == Int3{6, 9, 8});
  CHECK(close(print.spacings[0][2], std::hypot(1, 0.3), 1e-6));

  ModelDescription d = description_of_task(R"({"kind": "restoration", "learns": "pairs", "upscale": [1, 3, 2]})", {8, 8, 8});
  const std::shared_ptr<const Case> c = CaseStore(data, d, task).get("a");
  const Predictor predict(Model{.net = Network(Zero{}, {}, "{}"), .description = d});
  const Preprocessed seen = predict.prepare(read_volume(folder / "low.nii.gz"), "low");
  CHECK(seen.image.shape() == Shape{6, 9, 8, 1});
  CHECK(max(abs(c->sample.image() - seen.image)).item() == 0);
  const Standardization s = seen.intensity.at(0);
  const Tensor wanted = canonical_image({clean, affine});
  CHECK(max(abs(c->sample.at("clean") * (1 / s.scale) + s.shift - wanted)).item() < 0.01);
  const Volume y = predict(read_volume(folder / "low.nii.gz")).volume;
  CHECK(compare_grids(grid_of(y), {{6, 9, 8}, affine}).same());

  // Grids that do not fit, and what does not learn from them.
  const auto error_of_upscale = [&](const std::vector<double>& upscale, bool resample) {
    data.cases[0].resample = resample;
    const Restoration other({.learns = "pairs", .upscale = upscale});
    return error_of([&] { CaseStore(data, d, std::make_shared<const Restoration>(other)).get("a"); });
  };
  using Catch::Matchers::Contains;
  CHECK_THAT(error_of_upscale({1, 2, 2}, false), Contains("high.nii.gz: lies on another grid than") &&
                                                     Contains("low.nii.gz after restoration.upscale=[1,2,2]") && Contains("9 x 8"));
  CHECK_THAT(error_of_upscale({}, false), Contains("low.nii.gz: ") && Contains("restoration.upscale says"));
  CHECK(error_of_upscale({1, 2, 2}, true).empty());
  CHECK_THAT(error_of([&] { Restoration({.learns = "noise2noise", .upscale = {1, 2, 2}}); }), Contains("on the grid of the files"));
  CHECK(Restoration({.learns = "pairs", .upscale = {1, 2, 2}}).decides_targets() != Restoration({.learns = "pairs"}).decides_targets());
}
