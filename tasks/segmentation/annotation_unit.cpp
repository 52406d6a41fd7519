// Regions and an ignored label through training, prediction and evaluation.
#include <cmath>
#include <set>

#include "core/autograd.h"
#include "core/config/json_values.h"
#include "io/checkpoint.h"
#include "io/image.h"
#include "io/json_file.h"
#include "tasks/segmentation/evaluate_files.h"
#include "tasks/segmentation/segmentation.h"
#include "tests/catch.h"
#include "tests/close.h"
#include "tests/temporary_folder.h"
#include "train/trainer.h"

using namespace voxgrad;
namespace fs = std::filesystem;

namespace {

constexpr int kSize = 16;

// A ball in a ball, 2 in 1; in the image 2 and 1 too. Where `hidden`, nobody annotated the lower half: the value 9.
Tensor balls(int number, bool hidden) {
  std::vector<double> v;
  for (int d = 0; d < kSize; ++d)
    for (int h = 0; h < kSize; ++h)
      for (int w = 0; w < kSize; ++w) {
        const double r = std::hypot(d - 8, h - 7 - number % 2, w - 7 - number % 3);
        v.push_back(hidden && d < 7 ? 9 : r < 3 ? 2 : r < 6 ? 1 : 0);
      }
  return Tensor::from(v, {kSize, kSize, kSize, 1}, DType::u8);
}

fs::path write_balls(const fs::path& root, const char* labels, bool hidden, const char* ending = ".nii") {
  for (const char* sub : {"imagesTr", "labelsTr"}) fs::create_directories(root / sub);
  for (int i = 0; i < 4; ++i) {
    const std::string id = "b" + std::to_string(i);
    Tensor image = balls(i, false).to(DType::f32);
    write_volume(root / "imagesTr" / (id + "_0000" + ending), {image, Affine::scaling({1, 1, 1})});
    write_volume(root / "labelsTr" / (id + ending), {balls(i, hidden), Affine::scaling({1, 1, 1})});
  }
  put_bytes(root / "dataset.json",
            std::string(R"({"channel_names": {"0": "MR"}, "file_ending": ".nii", "numTraining": 4, )") + labels + "}");
  return root;
}

const char* const kClasses = R"("labels": {"background": 0, "shell": 1, "core": 2, "ignore": 9})";
const char* const kRegions = R"("labels": {"background": 0, "core": 2, "whole": [1, 2], "ignore": 9}, "regions_class_order": [2, 1])";
const char* const kNested = R"("labels": {"background": 0, "whole": [1, 2], "core": 2, "ignore": 9}, "regions_class_order": [1, 2])";

TrainConfig tiny(int steps) {
  TrainConfig c;
  apply_assignments(c, {"data.folds=2", "network.base_features=4", "network.stages=2", "train.patch=[8,8,8]", "train.learning_rate=0.05",
                        "train.momentum=0.9", "train.validate_every=1000", "train.steps=" + std::to_string(steps)});
  return c;
}

Model trained(const fs::path& data, const fs::path& run, const TrainConfig& c, double* dice = nullptr) {
  const TrainResult r = train(data, run, c);
  if (dice) *dice = r.final_score;
  return load_model(run);
}

Result applied(const Model& m, const Volume& image) {
  return make_task(m.description.task)->apply(m, preprocess(image, m.description, "image"), {});
}

std::set<int> values_in(const Volume& v) {
  const auto all = v.data.data<uint8_t>();
  return {all.begin(), all.end()};
}

}  // namespace

TEST_CASE("an ignored label: three classes are trained in the annotated half, predicted everywhere, and never the ignored one") {
  const TemporaryFolder folder;
  const fs::path data = write_balls(folder / "data", kClasses, true);
  double dice = 0;
  const Model m = trained(data, folder / "run", tiny(150), &dice);
  CHECK(m.description.labels == std::vector<std::string>{"background", "shell", "core"});
  CHECK(m.description.traits.out_channels == 3);
  CHECK(dice > 0.8);
  const Result r = applied(m, read_volume(data / "imagesTr/b0_0000.nii"));
  CHECK(values_in(r.volume) == std::set<int>{0, 1, 2});
  fs::create_directories(folder / "masks");
  for (int i = 0; i < 4; ++i)
    write_volume(folder / "masks" / ("b" + std::to_string(i) + ".nii"), {balls(i, false), Affine::scaling({1, 1, 1})});
  for (const MeanScores& mean : evaluate_files(folder / "masks", data / "labelsTr", {}).mean_by_class()) CHECK(mean.dice == 1);
  // The same by hand, where nothing is declared.
  fs::remove(data / "dataset.json");
  const Evaluation e = evaluate_files(folder / "masks", data / "labelsTr", {.ignore_label = 9});
  CHECK(e.mean_by_class().size() == 2);
  CHECK(e.foreground_mean().dice == 1);
}

TEST_CASE("an ignored label: the loss has no gradient there and does not depend on the outputs there") {
  for (const bool regions : {false, true}) {
    CAPTURE(regions);
    SegmentationOptions o{.map = {.ignore = 9}};
    if (regions) o.map.regions = {{"whole", {1, 2}, 1}, {"core", {2}, 2}, {"shell", {1}, 1}};
    const Segmentation task(o);
    Tensor label = Tensor::zeros({1, 4, 4, 4}, DType::u8), logits = Tensor::zeros({1, 4, 4, 4, 3});
    for (int64_t v = 0; v < 64; ++v) label.mutable_data<uint8_t>()[size_t(v)] = v % 4 == 3 ? 9 : uint8_t(v % 4);
    for (int64_t i = 0; i < 192; ++i) logits.mutable_data<float>()[size_t(i)] = float(i % 7) - 3;
    const Batch batch{logits, {{"label", DataKind::labels, label}}};
    logits.require_grad();
    const Tensor loss = task.loss({logits}, batch);
    backward(loss);
    const std::vector<double> g = logits.grad().values();
    for (int64_t i = 0; i < 192; ++i) CHECK((g[size_t(i)] == 0) == (i / 3 % 4 == 3));
    Tensor changed = logits.detach().clone();
    for (int64_t i = 0; i < 192; ++i)
      if (i / 3 % 4 == 3) changed.mutable_data<float>()[size_t(i)] = 50;
    CHECK(task.loss({changed}, batch).item() == loss.item());
  }
}

TEST_CASE("an ignored label: patches are centred on what is annotated, and statistics and scores leave it out") {
  const Segmentation task({.map = {.ignore = 9}});
  Case c{.id = "a",
         .sample = sample_of(Tensor::zeros({kSize, kSize, kSize, 1}), balls(0, true).reshape({kSize, kSize, kSize})),
         .geometry = {},
         .places = {}};
  c.places = task.places(c.sample);
  CHECK(task.ignored_label() == 9);
  REQUIRE(c.places.classes.size() == 2);
  for (uint64_t k = 0; k < 200; ++k)
    for (const bool forced : {false, true}) CHECK(task.centre(c, {1, 1, 1}, forced, Rng(k))[0] >= 7);
  // A wrong prediction where nobody looks.
  Tensor predicted = balls(0, false).reshape({kSize, kSize, kSize});
  for (int i = 0; i < 7 * kSize * kSize; ++i) predicted.mutable_data<uint8_t>()[size_t(i)] = 1;
  const auto meter = task.meter({"background", "shell", "core"});
  meter->add(c, {{"label", DataKind::labels, predicted}});
  CHECK(meter->scores().value == 1);
  const Segmentation by_region({.map = {.regions = {{"whole", {1, 2}, 1}, {"core", {2}, 2}}, .ignore = 9}});
  const auto regions = by_region.meter({"whole", "core"});
  regions->add(c, {{"label", DataKind::labels, predicted}});
  CHECK(regions->scores().value == 1);
  CHECK(regions->scores().parts.size() == 2);
}

TEST_CASE("regions: an output for each, masks in the order of regions_class_order, scores by region", "[long]") {
  const TemporaryFolder folder;
  const fs::path data = write_balls(folder / "data", kNested, true);
  double dice = 0;
  const Model m = trained(data, folder / "run", tiny(400), &dice);
  CHECK(m.description.labels == std::vector<std::string>{"whole", "core"});
  CHECK(m.description.traits.out_channels == 2);
  CHECK(dice > 0.8);
  const Volume image = read_volume(data / "imagesTr/b0_0000.nii");
  const Result r = applied(m, image);
  CHECK(values_in(r.volume) == std::set<int>{0, 1, 2});
  // The other order writes the whole over its core.
  const fs::path other = write_balls(folder / "other", kRegions, true);
  const Model n = trained(other, folder / "other_run", tiny(400));
  CHECK(n.description.labels == std::vector<std::string>{"core", "whole"});
  CHECK(values_in(applied(n, image).volume) == std::set<int>{0, 1});

  // All of the core is called shell: the whole is right, the core is missing.
  fs::create_directories(folder / "masks");
  for (int i = 0; i < 4; ++i) {
    Tensor mask = balls(i, false);
    for (uint8_t& v : mask.mutable_data<uint8_t>()) v = v ? 1 : 0;
    write_volume(folder / "masks" / ("b" + std::to_string(i) + ".nii"), {mask, Affine::scaling({1, 1, 1})});
  }
  const Evaluation e = evaluate_files(folder / "masks", data / "labelsTr", {});
  CHECK(e.label_names == std::vector<std::string>{"background", "whole", "core"});
  REQUIRE(e.mean_by_class().size() == 2);
  CHECK(e.mean_by_class()[0].dice == 1);
  CHECK(e.mean_by_class()[0].nsd == 1);
  CHECK(e.mean_by_class()[1].dice == 0);
}

TEST_CASE("regions of classes that do not overlap are found as well as the classes are, resampled too", "[long]") {
  const TemporaryFolder folder;
  const fs::path data = write_balls(folder / "data", kNested, false);
  TrainConfig c = tiny(400);
  apply_assignment(c, "data.spacing=[1.25,1,1]");
  double dice = 0;
  const Model m = trained(data, folder / "run", c, &dice);
  CHECK(dice > 0.75);
  const Result r = applied(m, read_volume(data / "imagesTr/b1_0000.nii"));
  CHECK(r.volume.data.shape() == Shape{kSize, kSize, kSize, 1});
  CHECK(confusion(r.volume.data.reshape({kSize, kSize, kSize}), balls(1, false).reshape({kSize, kSize, kSize}), 3)[2].dice() > 0.6);
}
