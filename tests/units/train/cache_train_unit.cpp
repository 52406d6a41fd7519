#include <array>
#include <thread>

#include "augment/phantom/phantom.h"
#include "core/config/json_values.h"
#include "core/memory/memory.h"
#include "data/cache/case_cache.h"
#include "io/image.h"
#include "io/json_file.h"
#include "tests/sample_helpers.h"
#include "tests/temporary_folder.h"
#include "train/inside.h"
#include "train/loader.h"
#include "train/setup.h"
#include "train/trainer.h"

using namespace voxgrad;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

// Three volumes of 40 x 44 x 36 voxels of 1 mm with spheres and boxes; labels and images in NIfTI.
fs::path write_shapes(const TemporaryFolder& folder, const Json& more = Json::object()) {
  Dataset d{.name = "shapes", .root = folder.path(), .channel_names = {"MR"}, .labels = phantom_labels(PhantomKind::shapes)};
  for (uint64_t i = 0; i < 3; ++i) {
    const Phantom p = make_phantom(PhantomKind::shapes, {.size = {40, 44, 36}, .seed = i});
    DatasetCase c{.id = "case_" + std::to_string(i)};
    c.images = {folder / (c.id + "_image.nii")};
    c.label = folder / (c.id + ".nii");
    write_volume(c.images[0], {p.image, Affine::scaling({1, 1, 1})});
    write_volume(c.label, {p.label.reshape({40, 44, 36, 1}), Affine::scaling({1, 1, 1})});
    d.cases.push_back(c);
  }
  write_dataset_json(d);
  Json json = read_json(folder / "dataset.json");
  json.update(more);
  write_json(folder / "dataset.json", json);
  return folder.path();
}

TrainConfig small_config(const fs::path& cache) {
  TrainConfig c;
  apply_assignments(c, {"network.base_features=4", "network.stages=2", "train.patch=[16,16,16]", "train.steps=3", "train.validate_every=2",
                        "data.folds=3", "data.spacing=[1,1.1,0.9]", "augment.rotation=0.5", "augment.scaling=0.5",
                        "train.oversample_foreground=0.5"});
  c.data.cache = cache.string();
  return c;
}

}  // namespace

TEST_CASE("batches from a cache are those from memory to the last bit, and no case is loaded for them") {
  const TemporaryFolder folder;
  const fs::path data = write_shapes(folder);
  const TrainingSetup s = set_up(data, small_config({}));
  CaseStore memory(s.dataset, s.description, s.task, {}), cached(s.dataset, s.description, s.task, {.cache = folder / "cache"});
  CHECK(prepare_cases(cached, s.split).empty());
  CHECK(fs::exists(folder / "cache/case_2.case"));
  const std::vector<std::string> ids = {"case_0", "case_1", "case_2"};
  const Loader from_memory(memory, *s.task, ids, s.config), from_cache(cached, *s.task, ids, s.config);
  std::vector<Batch> wanted;
  for (int64_t step = 0; step < 12; ++step) wanted.push_back(from_memory.batch(step));
  reset_peak_memory(Device{});
  const size_t before = memory_stats(Device{}).in_use;
  for (int64_t step = 0; step < 12; ++step) {
    const Batch got = from_cache.batch(step);
    REQUIRE(got.image.values() == wanted[size_t(step)].image.values());
    REQUIRE(got.at("label").values() == wanted[size_t(step)].at("label").values());
  }
  const size_t whole = memory.get("case_0")->bytes();
  CHECK(memory_stats(Device{}).peak - before < 2 * whole);  // two patches with what is around them, at once
  CHECK(!cached.open("case_0")->sample.fields.size());
}

TEST_CASE("threads that open a case of a cache at once wait for the one that makes it") {
  const TemporaryFolder folder;
  const TrainingSetup s = set_up(write_shapes(folder), small_config({}));
  for (int round = 0; round < 12; ++round) {
    CaseStore store(s.dataset, s.description, s.task, {.cache = folder / ("cache_" + std::to_string(round))});
    std::array<std::string, 4> faults;
    std::vector<std::thread> threads;
    for (std::string& fault : faults)
      threads.emplace_back([&] { fault = error_of([&] { store.open("case_1"); }); });
    for (std::thread& t : threads) t.join();
    for (const std::string& fault : faults) REQUIRE(fault.empty());
    REQUIRE(error_of([&] { store.open("case_9"); }) == error_of([&] { store.open("case_9"); }));
  }
}

TEST_CASE("trainings that fill one cache at the same time wait for each other") {
  const TemporaryFolder folder;
  const TrainingSetup s = set_up(write_shapes(folder), small_config({}));
  for (int round = 0; round < 6; ++round) {
    std::array<std::string, 4> faults;
    std::vector<std::thread> threads;
    for (std::string& fault : faults)
      threads.emplace_back([&] {
        fault = error_of([&] {
          CaseStore store(s.dataset, s.description, s.task, {.cache = folder / ("cache_" + std::to_string(round))});
          store.open("case_1");
        });
      });
    for (std::thread& t : threads) t.join();
    for (const std::string& fault : faults) REQUIRE(fault == "");
  }
}

TEST_CASE("a training from a cache gives the weights and scores of one from memory") {
  const TemporaryFolder folder;
  const fs::path data = write_shapes(folder);
  const TrainResult memory = train(data, folder / "memory", small_config({}), Device{});
  const TrainResult cached = train(data, folder / "cached", small_config(folder / "cache"), Device{});
  const TrainResult again = train(data, folder / "again", small_config(folder / "cache"), Device{});
  CHECK(memory.final_score == cached.final_score);
  CHECK(memory.final_score == again.final_score);
  for (const char* name : {"last.safetensors", "best.safetensors"}) {
    const Checkpoint a = load_checkpoint(folder / "memory" / name);
    for (const char* other : {"cached", "again"}) {
      const Checkpoint b = load_checkpoint(folder / other / name);
      REQUIRE(a.tensors.size() == b.tensors.size());
      for (size_t i = 0; i < a.tensors.size(); ++i) CHECK(a.tensors[i].tensor.values() == b.tensors[i].tensor.values());
    }
  }
}

TEST_CASE("behind augmentation the background of channels that are normalised without it is 0 again") {
  const Batch batch{Tensor::from({1, 2, 3, 4, 5, 6, -7, 8}, {2, 1, 1, 2, 2}),
                    {{"label", DataKind::labels, Tensor::from({0, 1, 0, 2}, {2, 1, 1, 2}, DType::u8)},
                     {kInside, DataKind::labels, Tensor::from({0, 1, 1, 0}, {2, 1, 1, 2}, DType::u8)}}};
  const std::vector<Normalization> second = {{}, {.mask = true}};
  const Batch out = zero_outside(batch, second);
  CHECK(out.image.values() == std::vector<double>{1, 0, 3, 4, 5, 6, -7, 0});
  REQUIRE(out.targets.size() == 1);
  CHECK(out.targets[0].name == "label");
  const Batch plain{batch.image, {batch.targets[0]}};
  CHECK(zero_outside(plain, second).image.values() == batch.image.values());
}

TEST_CASE("cases of a data set with use_mask_for_norm know their background: what is 0 and reaches the border, but no label") {
  const TemporaryFolder folder;
  const fs::path data = write_shapes(folder, {{"use_mask_for_norm", true}});
  Volume v = read_volume(folder / "case_0_image.nii"), label = read_volume(folder / "case_0.nii");
  auto x = v.data.mutable_data<float>();
  auto l = label.data.mutable_data<uint8_t>();
  for (size_t i = 0; i < x.size(); ++i) {
    const size_t d = i / (44 * 36), w = i % 36;
    x[i] = d < 4 ? 1 : d < 10 ? 0 : 2 + float(i % 7);
    if (d == 20 && w == 20) x[i] = 0;   // a line from border to border
    l[i] = d == 5 && w == 3;            // labelled background
  }
  write_volume(folder / "case_0_image.nii", v);
  write_volume(folder / "case_0.nii", label);
  TrainConfig config = small_config({});
  apply_assignments(config, {"data.spacing=[1,1,1]", "augment.brightness=1", "augment.noise=1"});
  const TrainingSetup s = set_up(data, config);
  REQUIRE(s.description.normalization[0].mask);
  CaseStore store(s.dataset, s.description, s.task, {});
  const Sample sample = store.get("case_0")->sample;
  const std::vector<double> inside = sample.at(kInside).values();
  REQUIRE(inside.size() == 40 * 44 * 36);
  size_t wrong = 0;
  for (size_t i = 0; i < inside.size(); ++i) {
    const size_t d = i / (44 * 36), w = i % 36;
    const bool background = (d >= 4 && d < 10 && !(d == 5 && w == 3)) || (d == 20 && w == 20);
    wrong += inside[i] != (background ? 0 : 1);
  }
  CHECK(wrong == 0);
  // Noise and brightness are on the background of a batch, until it is masked.
  const Loader loader(store, *s.task, {"case_0"}, s.config);
  const Batch batch = loader.batch(0), masked = zero_outside(batch, s.description.normalization);
  const std::vector<double> in = batch.at(kInside).values(), noisy = batch.image.values(), y = masked.image.values();
  size_t zeros = 0, changed = 0;
  for (size_t i = 0; i < y.size(); ++i) {
    zeros += in[i] == 0 && y[i] == 0 && noisy[i] != 0;
    changed += in[i] == 0 ? y[i] != 0 : y[i] != noisy[i];
  }
  CHECK(changed == 0);
  CHECK(zeros > 0);
  CHECK_NOTHROW(train(data, folder / "run", config, Device{}));
}

TEST_CASE("folders of DICOM files are cases of a data set, of several series the one that is asked for") {
  const TemporaryFolder folder;
  const auto volume = [](int first) {
    std::vector<double> v;
    for (int i = 0; i < 4 * 6 * 5; ++i) v.push_back(first + i);
    return Volume{Tensor::from(v, {4, 6, 5, 1}, DType::i16), Affine::scaling({2, 1, 1})};
  };
  fs::create_directories(folder / "a");
  write_dicom(folder / "a/first", volume(0), {.description = "first"});
  write_dicom(folder / "a/second", volume(1000), {.description = "second"});
  write_volume(folder / "a.nii", {Tensor::zeros({4, 6, 5, 1}, DType::u8), Affine::scaling({2, 1, 1})});
  const auto write = [&](const Json& entry) {
    write_json(folder / "dataset.json",
               {{"channel_names", {{"0", "MR"}}}, {"labels", {{"background", 0}, {"organ", 1}}}, {"training", {entry}}});
  };
  write({{"image", "./a/"}, {"label", "a.nii"}});
  const auto read = [&](const std::string& series) {
    const Dataset d = training_dataset(folder.path(), {.series = series});
    REQUIRE(d.cases.size() == 1);
    CHECK(d.cases[0].id == "a");
    return read_case_image(d.cases[0]).data.values()[0];
  };
  CHECK_THAT(error_of([&] { read(""); }), Contains("first") && Contains("second") && Contains("--series"));
  const double one = read("1"), two = read("2");
  CHECK(std::min(one, two) == 0);
  CHECK(std::max(one, two) == 1000);
  write({{"image", "a"}, {"label", "a.nii"}, {"series", "2"}});
  CHECK(read("1") == two);
  write_dataset_json(read_dataset(folder.path()));
  CHECK(read("") == two);
  fs::create_directories(folder / "empty");
  write({{"image", "empty"}, {"label", "a.nii"}});
  CHECK_THAT(error_of([&] { read(""); }), Contains("empty") && Contains("without DICOM files"));
}
