#include <cmath>

#include "core/config/json_values.h"
#include "core/rng.h"
#include "io/json_file.h"
#include "models/model_registry.h"
#include "models/unet/unet_plan.h"
#include "models/unet/unet_topology.h"
#include "tests/catch.h"

using namespace voxgrad;

namespace {

// Extents of 1 to 2000 voxels and spacings of 0.005 to 50 mm, uniform in the logarithm; one axis in five is flat, and many volumes tiny.
PlanRequest random_request(Rng& rng) {
  PlanRequest r{.in_channels = 1 + int(rng.below(4)), .out_channels = 2 + int(rng.below(100))};
  const double most = rng.uniform() < 0.3 ? std::log(12.) : std::log(2000.);
  for (size_t a = 0; a < 3; ++a) {
    r.extent[a] = rng.uniform() < 0.2 ? 1 : std::exp(rng.uniform(0, most));
    if (rng.uniform() < 0.5) r.extent[a] = std::round(r.extent[a]);
    r.spacing[a] = rng.uniform() < 0.3 && a ? r.spacing[a - 1] : std::exp(rng.uniform(std::log(0.005), std::log(50.)));
  }
  return r;
}

std::string text_of(const PlanRequest& r) {
  std::string out;
  for (size_t a = 0; a < 3; ++a) out += std::to_string(r.extent[a]) + " voxels of " + std::to_string(r.spacing[a]) + " mm; ";
  return out;
}

NetworkPlan planned(const PlanExtent& extent, const PlanExtent& spacing) {
  return plan_unet({}, {.out_channels = 2, .extent = extent, .spacing = spacing}, false);
}

}  // namespace

TEST_CASE("no network is planned that its own description refuses, whatever the volumes", "[long]") {
  for (const ModelEntry& entry : model_registry().entries()) {
    if (entry.name == "constant") continue;  // of the tests (fake_task.h)
    if (!entry.plan) continue;
    Rng rng(13);
    const Options options = entry.options();
    for (int i = 0; i < 10000; ++i) {
      const PlanRequest r = random_request(rng);
      INFO(entry.name + ": " + text_of(r));
      const NetworkPlan plan = entry.plan(options, r);
      const NetworkTraits traits = entry.traits(parse_json(plan.config, "plan"));  // validates
      bool fits = traits.in_channels == r.in_channels && traits.out_channels == r.out_channels;
      double voxels = 1;
      for (int a = 0; a < 3; ++a) {
        fits = fits && plan.patch[a] > 0 && plan.patch[a] % traits.divisor[a] == 0;
        voxels *= plan.patch[a];
      }
      if (!fits || voxels > 128. * 128 * 128) FAIL(plan.config << plan.patch);
    }
  }
}

TEST_CASE("tiny volumes get a padded patch of two stages") {
  CHECK(planned({5, 4, 3}, {1, 1, 1}).patch == Int3{8, 8, 8});
  CHECK(planned({1, 4, 3}, {1, 1, 1}).patch == Int3{1, 8, 8});
  CHECK(planned({1, 1, 1}, {1, 1, 1}).patch == Int3{1, 8, 8});
  CHECK(planned({1, 1, 6}, {1, 1, 1}).patch == Int3{1, 1, 12});
  CHECK(planned({5, 4, 3}, {5, 1, 1}).patch == Int3{5, 8, 8});
  CHECK(planned({5, 4, 3}, {5, 5, 1}).patch == Int3{5, 4, 12});
  // Coarse axes that are halved although a finer one is too short for it get kernels that miss no voxel.
  const Json net = parse_json(planned({64, 64, 4}, {1, 1, 0.1}).config, "plan");
  CHECK(net["strides"][1] == Json{2, 2, 1});
  CHECK(net["kernels"][1] == Json{3, 3, 3});
  CHECK(net["kernels"][0] == Json{1, 1, 3});
}

TEST_CASE("extents of a patch that are left open follow those that are given, and a patch that is too small is refused by its name") {
  const auto with_patch = [](Int3 patch, const PlanExtent& extent, const PlanExtent& spacing = {1, 1, 1}, int stages = 0) {
    return plan_unet({.stages = stages}, {.out_channels = 2, .patch = patch, .extent = extent, .spacing = spacing}, false).patch;
  };
  // All six stages halve the fine axis alone, so the others may have any extent: unless that axis is given.
  CHECK(with_patch({0, 0, 0}, {2000, 21, 21}, {0.01, 1, 1}) == Int3{2016, 21, 21});
  CHECK(with_patch({1, 0, 0}, {2000, 21, 21}, {0.01, 1, 1}) == Int3{1, 24, 24});
  CHECK_THROWS_WITH(with_patch({4, 4, 4}, {64, 64, 64}),
                    Catch::Matchers::Contains("train.patch: 4x4x4") && Catch::Matchers::Contains("too small"));
  CHECK_THROWS_WITH(with_patch({9, 16, 16}, {64, 64, 64}), Catch::Matchers::Contains("multiple"));
  CHECK_THROWS_WITH(with_patch({0, 0, 0}, {64, 64, 64}, {1, 1, 1}, 1), Catch::Matchers::Contains("network.stages"));
}

TEST_CASE("a U-Net without norms is planned by network.norm, and scales with its input where it has no bias") {
  const PlanRequest r{.out_channels = 1, .patch = {8, 8, 8}, .extent = {8, 8, 8}, .spacing = {1, 1, 1}};
  UNetConfig c = unet_config_from_json(parse_json(plan_unet({.base_features = 4, .norm = "none"}, r, false).config, "network"));
  CHECK(c.norm == NormKind::none);
  c.bias = false;
  c.deep_supervision = false;
  Rng rng(1);
  UNet net(c, rng);
  const Inference quiet;
  std::vector<double> x(512);
  for (double& v : x) v = rng.uniform(-1, 1);
  const Tensor once = Tensor::from(x, {1, 8, 8, 8, 1});
  for (double& v : x) v *= 2;
  const std::vector<double> y = net(once)[0].values(), twice = net(Tensor::from(x, {1, 8, 8, 8, 1}))[0].values();
  const double bias = net.heads.back().bias.values()[0];
  double largest = 0;
  for (size_t i = 0; i < y.size(); ++i) {
    CHECK_THAT(twice[i] - bias, Catch::Matchers::WithinAbs(2 * (y[i] - bias), 1e-5));
    largest = std::max(largest, std::abs(y[i] - bias));
  }
  CHECK(largest > 1e-2);
}
