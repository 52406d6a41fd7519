#include "augment/phantom/phantom.h"
#include "core/config/json_values.h"
#include "data/dataset.h"
#include "io/checkpoint.h"
#include "io/image.h"
#include "layers/conv.h"
#include "layers/dropout.h"
#include "layers/sequential.h"
#include "models/model_registry.h"
#include "tests/catch.h"
#include "tests/temporary_folder.h"
#include "train/trainer.h"

using namespace voxgrad;
namespace fs = std::filesystem;

namespace {

void write_cases(const fs::path& root, int count) {
  for (const char* sub : {"imagesTr", "labelsTr"}) fs::create_directories(root / sub);
  Dataset data{.name = "shapes", .root = root, .channel_names = {"MR"}, .labels = phantom_labels(PhantomKind::shapes)};
  for (int i = 0; i < count; ++i) {
    const Phantom p = make_phantom(PhantomKind::shapes, {.size = {16, 16, 16}, .seed = uint64_t(i)});
    DatasetCase one{.id = "case_00" + std::to_string(i + 1)};
    one.images = {root / "imagesTr" / (one.id + data.file_ending)};
    one.label = root / "labelsTr" / (one.id + data.file_ending);
    write_volume(one.images[0], {p.image, Affine::scaling(p.spacing_mm)});
    write_volume(one.label, {p.label.reshape({16, 16, 16, 1}), Affine::scaling(p.spacing_mm)});
    data.cases.push_back(one);
  }
  write_dataset_json(data);
}

using Net = Sequential<Conv3d, Dropout, Conv3d>;
NetworkTraits traits_of(const Json& c) { return {.in_channels = c["in"].get<int>(), .out_channels = c["out"].get<int>()}; }
ModelEntry dropping_network() {
  return {.name = "dropping",
          .summary = "for a test",
          .plan = [](const Options&, const PlanRequest& r) {
            return NetworkPlan{Json{{"kind", "dropping"}, {"in", r.in_channels}, {"out", r.out_channels}}.dump(), {8, 8, 8}};
          },
          .build = [](const Json& c, Rng& rng) {
            const NetworkTraits t = traits_of(c);
            const Conv3d first({.in = t.in_channels, .out = 4}, rng), last({.in = 4, .out = t.out_channels}, rng);
            return Network(Net(first, Dropout{.p = 0.5}, last), t, c.dump());
          },
          .traits = traits_of};
}

}  // namespace

TEST_CASE("a network with dropout trains by the configuration alone, with the same bits each time") {
  model_registry().add(dropping_network());
  const TemporaryFolder folder;
  write_cases(folder / "data", 2);
  TrainConfig config;
  for (const char* set : {"network.kind=dropping", "data.folds=1", "train.steps=6", "train.patch=[8,8,8]", "train.checkpoint_every=1"})
    apply_assignment(config, set);
  train(folder / "data", folder / "whole", config);
  const auto weights = [&](const char* run) {
    std::vector<std::vector<double>> all;
    for (auto& p : load_checkpoint(folder / run / "last.safetensors").tensors) all.push_back(p.tensor.values());
    return all;
  };
  train(folder / "data", folder / "again", config);
  CHECK(weights("whole") == weights("again"));
}
