#include <cmath>

#include "core/config/json_values.h"
#include "core/rng.h"
#include "infer/nnunet/nnunet.h"
#include "io/json_file.h"
#include "tests/catch.h"
#include "train/planning/plans_json.h"

// Plans that nnunetv2 2.8.1 makes of these fingerprints: its ExperimentPlanner, and nnUNetPlannerResEncM, L and XL.
using namespace voxgrad;

namespace {

struct Wanted {
  const char* name;
  std::array<double, 3> spacing;
  Int3 patch;
  int batch;
  bool batch_dice;
  const char *strides, *kernels;  // of each stage, D H W
};

std::string digits(const Json& stages) {
  std::string out;
  for (auto& s : stages) {
    out += out.empty() ? "" : " ";
    for (auto& v : s) out += std::to_string(v.get<int>());
  }
  return out;
}

void check_plan(const ExperimentPlan& plan, const std::vector<Wanted>& wanted) {
  REQUIRE(plan.configurations.size() == wanted.size());
  for (size_t i = 0; i < wanted.size(); ++i) {
    const ConfigurationPlan& c = plan.configurations[i];
    const Wanted& w = wanted[i];
    INFO(w.name);
    CHECK(c.name == w.name);
    for (size_t a = 0; a < 3; ++a) CHECK(std::fabs(c.spacing[a] - w.spacing[a]) < 1e-6);  // six decimals are given
    CHECK(c.network.patch == w.patch);
    CHECK(c.network.batch == w.batch);
    CHECK(c.batch_dice == w.batch_dice);
    const Json net = parse_json(c.network.config, "plan");
    CHECK(digits(net["strides"]) == w.strides);
    CHECK(digits(net["kernels"]) == w.kernels);
  }
}

Fingerprint alike(const Int3& extent, const std::array<double, 3>& spacing, size_t cases) {
  return {.spacings = std::vector(cases, spacing), .cropped = std::vector<Int3>(cases, extent)};
}

ExperimentRequest request(const char* network, int channels, int labels, double gb) {
  return {.network = network,
          .options = model_registry().find(network).options(),
          .in_channels = channels,
          .outputs = labels,
          .memory_gb = gb};
}

}  // namespace

TEST_CASE("plans of published data sets are nnU-Net's") {
  // Every case has about the median extents of the data set at its target spacing.
  struct Row {
    const char* name;
    Int3 extent;
    std::array<double, 3> spacing;
    size_t cases;
    int channels, labels;
    std::vector<Wanted> wanted;
  };
  const std::vector<Row> rows = {
      {"BrainTumour", {138, 169, 138}, {1, 1, 1}, 484, 4, 4,
       {{"2d", {0, 1, 1}, {1, 192, 160}, 105, true, "111 122 122 122 122 122", "133 133 133 133 133 133"},
        {"3d_fullres", {1, 1, 1}, {128, 128, 128}, 2, false, "111 222 222 222 222 222", "333 333 333 333 333 333"}}},
      {"Heart", {115, 320, 232}, {1.37, 1.25, 1.25}, 20, 1, 2,
       {{"2d", {0, 1.25, 1.25}, {1, 320, 256}, 40, true, "111 122 122 122 122 122 122", "133 133 133 133 133 133 133"},
        {"3d_fullres", {1.37, 1.25, 1.25}, {80, 192, 160}, 2, false, "111 222 222 222 222 122", "333 333 333 333 333 333"}}},
      {"Liver", {482, 512, 512}, {1, 0.7676, 0.7676}, 131, 1, 3,
       {{"2d", {0, 0.7676, 0.7676}, {1, 512, 512}, 12, true, "111 122 122 122 122 122 122 122", "133 133 133 133 133 133 133 133"},
        {"3d_lowres", {2.50008, 1.919062, 1.919062}, {128, 128, 128}, 2, false, "111 222 222 222 222 222", "333 333 333 333 333 333"},
        {"3d_fullres", {1, 0.7676, 0.7676}, {128, 128, 128}, 2, true, "111 222 222 222 222 222", "333 333 333 333 333 333"}}},
      {"Hippocampus", {36, 50, 35}, {1, 1, 1}, 260, 1, 3,
       {{"2d", {0, 1, 1}, {1, 56, 40}, 366, true, "111 122 122 122", "133 133 133 133"},
        {"3d_fullres", {1, 1, 1}, {40, 56, 40}, 9, false, "111 222 222 222", "333 333 333 333"}}},
      {"Prostate", {20, 320, 319}, {3.6, 0.625, 0.625}, 32, 2, 3,
       {{"2d", {0, 0.625, 0.625}, {1, 320, 320}, 32, true, "111 122 122 122 122 122 122", "133 133 133 133 133 133 133"},
        {"3d_fullres", {3.6, 0.625, 0.625}, {20, 320, 256}, 2, false, "111 122 122 222 222 122 122", "133 133 333 333 333 333 333"}}},
      {"Lung", {252, 512, 512}, {1.24, 0.785, 0.785}, 63, 1, 2,
       {{"2d", {0, 0.785, 0.785}, {1, 512, 512}, 12, true, "111 122 122 122 122 122 122 122", "133 133 133 133 133 133 133 133"},
        {"3d_lowres", {2.375968, 1.504141, 1.504141}, {80, 192, 160}, 2, false, "111 222 222 222 222 122", "333 333 333 333 333 333"},
        {"3d_fullres", {1.24, 0.785, 0.785}, {80, 192, 160}, 2, true, "111 222 222 222 222 122", "333 333 333 333 333 333"}}},
      {"Pancreas", {96, 512, 512}, {2.5, 0.8027, 0.8027}, 281, 1, 3,
       {{"2d", {0, 0.8027, 0.8027}, {1, 512, 512}, 12, true, "111 122 122 122 122 122 122 122", "133 133 133 133 133 133 133 133"},
        {"3d_lowres", {2.65225, 1.326741, 1.326741}, {64, 192, 192}, 2, false, "111 222 222 222 222 122", "333 333 333 333 333 333"},
        {"3d_fullres", {2.5, 0.8027, 0.8027}, {40, 224, 224}, 2, true, "111 122 222 222 222 122", "133 333 333 333 333 333"}}},
      {"HepaticVessel", {150, 494, 494}, {1.5, 0.7988, 0.7988}, 303, 1, 3,
       {{"2d", {0, 0.7988, 0.7988}, {1, 512, 512}, 12, true, "111 122 122 122 122 122 122 122", "133 133 133 133 133 133 133 133"},
        {"3d_lowres", {2.40706, 1.28184, 1.28184}, {64, 192, 192}, 2, false, "111 222 222 222 222 122", "333 333 333 333 333 333"},
        {"3d_fullres", {1.5, 0.7988, 0.7988}, {64, 192, 192}, 2, true, "111 222 222 222 222 122", "333 333 333 333 333 333"}}},
      {"Spleen", {187, 512, 512}, {1.6, 0.7929, 0.7929}, 41, 1, 2,
       {{"2d", {0, 0.7929, 0.7929}, {1, 512, 512}, 12, true, "111 122 122 122 122 122 122 122", "133 133 133 133 133 133 133 133"},
        {"3d_lowres", {2.723893, 1.390355, 1.390355}, {64, 192, 192}, 2, false, "111 222 222 222 222 122", "333 333 333 333 333 333"},
        {"3d_fullres", {1.6, 0.7929, 0.7929}, {64, 192, 160}, 2, true, "111 122 222 222 222 222", "133 333 333 333 333 333"}}},
      {"Colon", {150, 512, 512}, {3, 0.7812, 0.7812}, 126, 1, 2,
       {{"2d", {0, 0.7812, 0.7812}, {1, 512, 512}, 12, true, "111 122 122 122 122 122 122 122", "133 133 133 133 133 133 133 133"},
        {"3d_lowres", {3.09, 1.588019, 1.588019}, {96, 160, 160}, 2, false, "111 222 222 222 222 122", "333 333 333 333 333 333"},
        {"3d_fullres", {3, 0.7812, 0.7812}, {56, 192, 192}, 2, true, "111 122 222 222 222 122", "133 333 333 333 333 333"}}},
      {"ACDC", {18, 246, 213}, {5, 1.5625, 1.5625}, 200, 1, 4,
       {{"2d", {0, 1.5625, 1.5625}, {1, 256, 224}, 56, true, "111 122 122 122 122 122", "133 133 133 133 133 133"},
        {"3d_fullres", {5, 1.5625, 1.5625}, {20, 256, 224}, 4, false, "111 122 222 222 122 122", "133 333 333 333 333 333"}}},
      {"BTCV", {148, 512, 512}, {3, 0.7598, 0.7598}, 30, 1, 14,
       {{"2d", {0, 0.7598, 0.7598}, {1, 512, 512}, 12, true, "111 122 122 122 122 122 122 122", "133 133 133 133 133 133 133 133"},
        {"3d_lowres", {3, 1.544517, 1.544517}, {96, 160, 160}, 2, false, "111 222 222 222 222 122", "333 333 333 333 333 333"},
        {"3d_fullres", {3, 0.7598, 0.7598}, {48, 192, 192}, 2, true, "111 122 222 222 222 122", "133 333 333 333 333 333"}}},
      {"AMOS", {237, 582, 582}, {2, 0.6836, 0.6836}, 240, 1, 16,
       {{"2d", {0, 0.6836, 0.6836}, {1, 640, 640}, 8, true, "111 122 122 122 122 122 122 122", "133 133 133 133 133 133 133 133"},
        {"3d_lowres", {3.404866, 1.709055, 1.709055}, {80, 160, 160}, 2, false, "111 222 222 222 222 122", "333 333 333 333 333 333"},
        {"3d_fullres", {2, 0.6836, 0.6836}, {64, 192, 160}, 2, true, "111 122 222 222 222 222", "133 333 333 333 333 333"}}},
      {"KiTS", {525, 512, 512}, {0.78125, 0.78125, 0.78125}, 210, 1, 3,
       {{"2d", {0, 0.78125, 0.78125}, {1, 512, 512}, 12, true, "111 122 122 122 122 122 122 122", "133 133 133 133 133 133 133 133"},
        {"3d_lowres", {2.011783, 2.011783, 2.011783}, {128, 128, 128}, 2, false, "111 222 222 222 222 222", "333 333 333 333 333 333"},
        {"3d_fullres", {0.78125, 0.78125, 0.78125}, {128, 128, 128}, 2, true, "111 222 222 222 222 222", "333 333 333 333 333 333"}}},
  };
  for (const Row& r : rows) {
    INFO(r.name);
    check_plan(plan_experiment(alike(r.extent, r.spacing, r.cases), request("unet", r.channels, r.labels, 8)), r.wanted);
  }
}

TEST_CASE("plans follow the spread of cases, the order of axes, the memory and the kind of network as nnU-Net's") {
  struct Row {
    std::vector<std::array<double, 3>> spacings;
    std::vector<Int3> extents;
    int channels, labels;
    const char* network;
    double gb;
    std::array<int, 3> order;
    std::vector<Wanted> wanted;
  };
  const std::vector<Row> rows = {
      {{{1.8925, 1.4265, 10.8263}, {2.7162, 1.5044, 8.5463}, {2.2898, 1.5515, 8.4272}},
       {{200, 184, 184}, {178, 241, 127}, {141, 225, 160}},
       3, 18, "resenc_unet", 8, {2, 0, 1},
       {{"2d", {0, 2.2898, 1.5044}, {1, 192, 256}, 65, true, "111 122 122 122 122 122", "133 133 133 133 133 133"},
        {"3d_fullres", {8.5463, 2.2898, 1.5044}, {96, 112, 128}, 2, false, "111 122 122 222 222 212 211", "133 133 333 333 333 333 333"}}},
      {{{2.5319, 4.1624, 2.9553}, {3.0023, 3.6147, 4.4004}, {3.0011, 4.1271, 3.7486}, {2.9586, 3.134, 3.1061}, {2.5962, 2.8594, 4.0003}},
       {{317, 50, 225}, {315, 64, 292}, {206, 67, 369}, {238, 60, 227}, {305, 45, 308}},
       2, 6, "resenc_unet", 24, {2, 0, 1},
       {{"2d", {0, 2.9586, 3.6147}, {1, 288, 64}, 494, true, "111 122 122 122 122 121", "133 133 133 133 133 133"},
        {"3d_fullres", {3.7486, 2.9586, 3.6147}, {256, 320, 64}, 3, false, "111 222 222 222 222 221 221", "333 333 333 333 333 333 333"}}},
      {{{3.1723, 9.2411, 0.955}, {3.7234, 9.8254, 1.2359}, {4.6716, 7.7624, 1.0524}, {4.2246, 7.8588, 0.9531}, {3.6339, 6.6018, 0.9964},
       {4.694, 9.6761, 1.1224}, {3.8071, 7.3274, 0.8513}, {3.3954, 9.004, 1.2436}},
       {{271, 88, 384}, {331, 82, 381}, {272, 84, 287}, {293, 87, 368}, {259, 95, 360}, {310, 53, 339}, {252, 83, 323}, {352, 82, 389}},
       3, 10, "unet", 20, {1, 0, 2},
       {{"2d", {0, 3.76525, 1.0244}, {1, 352, 384}, 27, true, "111 112 122 122 122 122 122", "113 133 133 133 133 133 133"},
        {"3d_fullres", {8.4314, 3.76525, 1.0244}, {56, 224, 224}, 2, false, "111 112 122 122 222 222 221", "113 133 133 333 333 333 333"}}},
      {{{1.8993, 4.4232, 4.5148}, {1.7581, 3.6561, 3.1191}, {2.0224, 4.3567, 3.6684}, {1.9019, 3.9829, 4.1154}, {1.4706, 4.0871, 3.8514},
       {1.8804, 3.4697, 3.9271}, {1.971, 3.8407, 4.0979}, {1.3509, 3.022, 3.6045}},
       {{201, 320, 241}, {198, 279, 213}, {154, 282, 169}, {164, 311, 177}, {133, 377, 201}, {196, 406, 183}, {229, 270, 205}, {160, 364,
        167}},
       3, 3, "resenc_unet", 40, {1, 0, 2},
       {{"2d", {0, 1.88985, 3.88925}, {1, 192, 192}, 220, true, "111 121 122 122 122 122 112", "131 133 133 133 133 133 133"},
        {"3d_fullres", {3.9118, 1.88985, 3.88925}, {224, 160, 160}, 2, false, "111 121 222 222 222 222 212",
         "131 333 333 333 333 333 333"}}},
      {{{10, 1.5, 1.5}, {10, 1.6, 1.6}, {5, 1.4, 1.4}, {8, 1.5, 1.5}, {10, 1.7, 1.7}, {10, 1.5, 1.5}, {6, 1.3, 1.3}},
       {{9, 256, 216}, {10, 250, 210}, {18, 240, 230}, {11, 256, 256}, {8, 216, 256}, {10, 256, 208}, {14, 200, 220}},
       1, 4, "unet", 8, {0, 1, 2},
       {{"2d", {0, 1.5, 1.5}, {1, 256, 224}, 5, true, "111 122 122 122 122 122", "133 133 133 133 133 133"},
        {"3d_fullres", {5.6, 1.5, 1.5}, {16, 256, 224}, 2, false, "111 122 222 222 122 122", "133 333 333 333 333 333"}}},
  };
  for (const Row& r : rows) {
    INFO(r.network << " " << r.gb);
    const ExperimentPlan plan =
        plan_experiment({.spacings = r.spacings, .cropped = r.extents}, request(r.network, r.channels, r.labels, r.gb));
    CHECK(plan.axis_order == r.order);
    check_plan(plan, r.wanted);
  }
}

TEST_CASE("every plan by memory is one that training takes, whatever the cases", "[long]") {
  Rng rng(21);
  for (int i = 0; i < 1500; ++i) {
    Fingerprint print;
    const int64_t cases = 1 + rng.below(3) + (rng.uniform() < 0.3 ? 300 : 0);
    const double most = rng.uniform() < 0.4 ? std::log(12.) : std::log(700.);
    Int3 extent;
    std::array<double, 3> spacing;
    for (int a = 0; a < 3; ++a) {
      extent[a] = rng.uniform() < 0.2 ? 1 : int(std::exp(rng.uniform(0, most)));
      spacing[size_t(a)] = std::exp(rng.uniform(std::log(0.05), std::log(20.)));
    }
    print = alike(extent, spacing, size_t(cases));
    const char* network = rng.uniform() < 0.5 ? "unet" : "resenc_unet";
    const ExperimentRequest r = request(network, 1 + int(rng.below(3)), 2 + int(rng.below(30)), rng.uniform(4, 48));
    INFO(network << " " << r.memory_gb << " GB, " << r.outputs << " labels, " << extent << " voxels of " << spacing[0] << " x "
                 << spacing[1] << " x " << spacing[2] << " mm, " << cases << " cases");
    const ExperimentPlan plan = plan_experiment(print, r);
    const Json plans = plans_json(plan, print, "set", std::vector<Normalization>(size_t(r.in_channels)));
    bool fits = true;
    for (const ConfigurationPlan& c : plan.configurations) {
      const NetworkTraits traits = model_registry().find(network).traits(parse_json(c.network.config, "plan"));  // validates
      for (int a = 0; a < 3; ++a) fits = fits && c.network.patch[a] > 0 && c.network.patch[a] % traits.divisor[a] == 0;
      fits = fits && c.network.batch >= 2 && c.network.batch <= 1024;
      fits = fits && nnunet_network(plans, c.name, r.in_channels, r.outputs, "plans").divisor() == traits.divisor;
    }
    if (!fits) FAIL(plans.dump());
  }
}

TEST_CASE("a plan is written as nnU-Net's plans.json, and its fingerprint as its dataset_fingerprint.json") {
  Fingerprint print = alike({40, 60, 10}, {1, 1.5, 6}, 4);
  print.foreground = {{.kind = "ct", .mean = 10, .std = 5, .low = -20, .high = 80}};
  print.spread = {{-30, 9, 100}};
  print.relative_size = 0.5;
  const Fingerprint read = fingerprint_from_json(parse_json(to_json(print).dump(), "fingerprint"), "fingerprint");
  CHECK(read.spacings == print.spacings);
  CHECK(read.cropped == print.cropped);
  CHECK(read.foreground[0].high == 80);
  CHECK(read.spread[0].median == 9);
  CHECK(read.relative_size == 0.5);
  const ExperimentPlan plan = plan_experiment(read, request("unet", 2, 3, 8));
  CHECK(plan.axis_order == std::array{2, 0, 1});
  CHECK(plan.mask);
  Normalization ct = print.foreground[0];
  const Json plans = plans_json(plan, read, "set", {ct, {}});
  const ModelDescription d = nnunet_description(
      plans, parse_json(R"({"channel_names": {"0": "CT", "1": "MR"}, "labels": {"background": 0, "a": 1, "b": 2}})", "set"), "2d", "plans");
  CHECK(d.patch == plan.at("2d").network.patch);
  CHECK(d.spacing == std::array<double, 3>{0, 1, 1.5});
  CHECK(d.orientation == "canonical");
  CHECK(d.axis_order == plan.axis_order);
  CHECK(d.normalization[0].kind == "ct");
  CHECK(d.normalization[0].low == -20);
  CHECK(d.normalization[1].mask);
  CHECK_THROWS_WITH(plan.at("3d_lowres"), Catch::Matchers::Contains("2d, 3d_fullres"));
  const auto reading = [](const char* text) { return fingerprint_from_json(parse_json(text, "f"), "f.json"); };
  CHECK_THROWS_WITH(reading(R"({"spacings": [[1, 1, 1]]})"), Catch::Matchers::Contains("shapes_after_crop"));
  CHECK_THROWS_WITH(reading(R"({"spacings": [[1, 0, 1]], "shapes_after_crop": [[1, 1, 1]]})"), Catch::Matchers::Contains("above 0"));
  CHECK_THROWS_WITH(reading(R"({"spacings": [[1, 1, 1]], "shapes_after_crop": [[1, 1, 1e9]]})"), Catch::Matchers::Contains("f.json"));
  CHECK_THROWS_WITH(reading(R"({"spacings": [[1, 1, 1]], "shapes_after_crop": [[1, 1, 1], [2, 2, 2]]})"),
                    Catch::Matchers::Contains("1 spacings and 2"));
}

TEST_CASE("memory that no patch fits is said") {
  CHECK_THROWS_WITH(plan_experiment(alike({64, 64, 64}, {1, 1, 1}, 4), request("unet", 1, 200, 1e-5)),
                    Catch::Matchers::Contains("too little memory"));
  CHECK_THROWS_WITH(plan_experiment(alike({64, 64, 64}, {1, 1, 1}, 4), request("resnet", 1, 2, 8)), Catch::Matchers::Contains("resnet"));
}
