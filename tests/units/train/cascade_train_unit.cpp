#include "augment/phantom/phantom.h"
#include "io/image.h"
#include "tests/sample_helpers.h"
#include "tests/temporary_folder.h"
#include "train/loader.h"
#include "train/setup.h"

using namespace voxgrad;
using Catch::Matchers::Contains;

TEST_CASE("masks of a first stage lie on the patches of a second one as labels do, turned, scaled and from a cache") {
  const TemporaryFolder folder;
  Dataset d{.name = "shapes", .root = folder.path(), .channel_names = {"MR"}, .labels = phantom_labels(PhantomKind::shapes)};
  std::filesystem::create_directory(folder / "masks");
  for (uint64_t i = 0; i < 2; ++i) {
    const Phantom p = make_phantom(PhantomKind::shapes, {.size = {20, 24, 22}, .seed = i});
    DatasetCase c{.id = "case_" + std::to_string(i)};
    c.images = {folder / (c.id + "_image.nii")};
    c.label = folder / (c.id + ".nii");
    write_volume(c.images[0], {p.image, Affine::scaling({1, 1, 1})});
    const Volume label{p.label.reshape({20, 24, 22, 1}), Affine::scaling({1, 1, 1})};
    write_volume(c.label, label);
    write_volume(folder / ("masks/" + c.id + ".nii"), label);
    d.cases.push_back(c);
  }
  write_dataset_json(d);
  TrainConfig config;
  apply_assignments(config, {"network.base_features=4", "network.stages=2", "train.patch=[16,16,16]", "data.folds=2",
                             "data.spacing=[1,1.1,0.9]", "augment.rotation=0.5", "augment.scaling=0.5"});
  config.data.previous_stage = (folder / "masks").string();
  const TrainingSetup s = set_up(folder.path(), config);
  CHECK(s.description.previous_labels == std::vector<int>{1, 2, 3});
  CHECK(s.description.traits.in_channels == 4);
  CaseStore memory(s.dataset, s.description, s.task, {}), cached(s.dataset, s.description, s.task, {.cache = folder / "cache"});
  const Loader from_memory(memory, *s.task, {"case_0", "case_1"}, s.config), from_cache(cached, *s.task, {"case_0", "case_1"}, s.config);
  for (int64_t step = 0; step < 6; ++step) {
    const Batch batch = from_memory.batch(step), other = from_cache.batch(step);
    const std::vector<double> label = batch.at("label").values();
    REQUIRE(batch.at(kPreviousStage).values() == label);
    REQUIRE(other.at(kPreviousStage).values() == label);
    REQUIRE(s.task->prepare(batch, Rng(1)).image.dim(4) == 4);
  }
  std::filesystem::remove(folder / "masks/case_1.nii");
  CHECK_THAT(error_of([&] { set_up(folder.path(), config); }), Contains("masks: has no mask of the case case_1"));
}
