#include "train/transfer/fine_tune.h"

#include "core/config/json_values.h"
#include "io/json_file.h"
#include "models/ensemble/ensemble.h"
#include "models/model_registry.h"
#include "models/unet/unet.h"
#include "tests/catch.h"
#include "tests/temporary_folder.h"

using namespace voxgrad;
using Catch::Matchers::Contains;

namespace {
Model model_of(uint64_t seed, int classes) {
  Rng rng(seed);
  const UNetConfig c = UNetConfig::plain({.classes = classes, .stages = 3, .base_features = 2});
  ModelDescription d{.network = to_json(c).dump(),
                     .traits = traits_of(c),
                     .patch = {8, 16, 16},
                     .spacing = {2, 1, 1},
                     .normalization = {{.kind = "rescale_to_0_1"}},
                     .channels = {"T1"},
                     .labels = std::vector<std::string>(size_t(classes), "x"),
                     .crop = true};
  return {network_of(UNet(c, rng)), d};
}
const Dataset kData{.name = "d", .channel_names = {"CT"}, .labels = {"background", "a", "b", "c"}};
std::vector<double> values(Network net, const std::string& name) { return Checkpoint{.tensors = state_of(net)}.find(name)->values(); }
}  // namespace

TEST_CASE("a training that starts from a model keeps its network and preprocessing, and has the outputs of its own task") {
  const Model m = model_of(1, 2);
  TrainConfig config;
  config.train.init = "before";
  const ModelDescription d = plan_from(m.description, kData, config, kData.labels, true);
  CHECK(d.patch == Int3{8, 16, 16});
  CHECK(d.spacing == std::array<double, 3>{2, 1, 1});
  CHECK(d.normalization[0].kind == "rescale_to_0_1");
  CHECK(d.crop);
  CHECK(d.channels[0] == "CT");
  CHECK(d.labels == kData.labels);
  CHECK(d.traits.out_channels == 4);
  CHECK(unet_config_from_json(Json::parse(d.network)).features == std::vector<int>{2, 4, 8});
  config.train.patch = {12, 8, 0};
  config.data.spacing = {1, 1, 1};
  const ModelDescription other = plan_from(m.description, kData, config, {"background", "a"}, true);
  CHECK(other.patch == Int3{12, 8, 16});
  CHECK(other.spacing[0] == 1);
  CHECK(other.network == m.description.network);
  config.train.patch = {10, 8, 8};
  CHECK_THAT(error_of([&] { plan_from(m.description, kData, config, kData.labels, true); }), Contains("10x8x8 is not a multiple of 4x4x4"));
  CHECK_THAT(error_of([&] { plan_from(m.description, kData, config, kData.labels, false); }), Contains("gives a value for each voxel"));
  Dataset two = kData;
  two.channel_names.push_back("MR");
  CHECK_THAT(error_of([&] { plan_from(m.description, two, config, kData.labels, true); }), Contains("takes 1 channels"));
}

TEST_CASE("weights start from those of a model, heads of another number of outputs anew") {
  const Network from = model_of(1, 2).net, same = model_of(2, 2).net, more = model_of(3, 4).net;
  const std::string body = "encoder.0.blocks.0.conv.weight", head = "heads.1.weight";
  const std::vector<double> own = values(more, head);
  Network a = same, b = more;
  CHECK(start_from(a, from).empty());
  CHECK(values(a, head) == values(from, head));
  CHECK(start_from(b, from) == std::vector<std::string>{"heads.0.weight", "heads.0.bias", "heads.1.weight", "heads.1.bias"});
  CHECK(values(b, body) == values(from, body));
  CHECK(values(b, head) == own);
  // The same number of outputs, but another network.
  Rng rng(1);
  Network wide = network_of(UNet(UNetConfig::plain({.classes = 2, .stages = 3, .base_features = 4}), rng));
  CHECK_THAT(error_of([&] { start_from(wide, from); }), Contains("of another shape"));
}

TEST_CASE("of an ensemble the first member is trained on") {
  const TemporaryFolder folder;
  const Model a = model_of(1, 2), b = model_of(2, 2);
  Model both = a;
  both.net = ensemble_of({a.net, b.net});
  both.description.network = both.net.config();
  save_checkpoint(folder / "both.safetensors", checkpoint_of(both.net, both.description));
  TrainConfig config;
  config.train.init = (folder / "both.safetensors").string();
  const Model first = initial_model(config);
  CHECK(values(first.net, "heads.1.weight") == values(a.net, "heads.1.weight"));
  CHECK(network_kind(parse_json(first.description.network, "first")) == "unet");
}
