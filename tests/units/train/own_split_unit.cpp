#include <span>

#include "io/formats/numpy/npy.h"
#include "io/image.h"
#include "io/zip.h"
#include "tests/catch.h"
#include "tests/temporary_folder.h"
#include "train/setup.h"

using namespace voxgrad;
using Catch::Matchers::Contains;

namespace {

// An archive like MedMNIST's, of pictures of two classes.
std::filesystem::path write_archive(const TemporaryFolder& folder, int64_t training, int64_t validation) {
  const auto file = folder / "set.npz";
  ZipWriter zip(file);
  for (const auto& [name, shape] :
       {std::pair{"train_images", Shape{training, 8, 8}}, std::pair{"train_labels", Shape{training, 1}},
        std::pair{"val_images", Shape{validation, 8, 8}}, std::pair{"val_labels", Shape{validation, 1}}}) {
    std::string bytes = npy_header(shape, Stored::u8);
    for (int64_t i = 0; i < shape.count(); ++i) bytes += char(i % 2);
    zip.begin(std::string(name) + ".npy");
    zip.write(std::as_bytes(std::span(bytes)));
  }
  zip.commit();
  return file;
}

}  // namespace

TEST_CASE("a data set all of whose cases validate is refused") {
  const TemporaryFolder folder;
  write_volume(folder / "a.nii", {Tensor::zeros({4, 4, 4, 1}), Affine()});
  write_volume(folder / "b.nii", {Tensor::full({4, 4, 4, 1}, 1), Affine()});
  put_bytes(folder / "t.csv", "image,label,split\na.nii,ill,val\nb.nii,well,val\n");
  TrainConfig config;
  apply_assignments(config, {"task=classification"});
  CHECK_THAT(error_of([&] { set_up(folder / "t.csv", config); }), Contains("none of its 2 cases trains"));
  put_bytes(folder / "t.csv", "image,label,split\na.nii,ill,test\nb.nii,well,test\n");
  CHECK_THAT(error_of([&] { set_up(folder / "t.csv", config); }), Contains("has no training case"));
}

TEST_CASE("the cases that a data set names validate, unless folds are asked for") {
  const TemporaryFolder folder;
  const auto file = write_archive(folder, 7, 3);
  TrainConfig config;
  apply_assignments(config, {"task=classification"});
  const TrainingSetup own = set_up(file, config);
  CHECK(own.split.training.size() == 7);
  CHECK(own.split.validation == std::vector<std::string>{"val_000000", "val_000001", "val_000002"});
  CHECK(own.description.patch == Int3{1, 8, 8});
  config.data.split = "folds";
  CHECK(set_up(file, config).split.validation.size() == 2);
}

TEST_CASE("a classifier validates no more often than after twice the cases that validate") {
  const TemporaryFolder folder;
  const auto file = write_archive(folder, 7, 130);
  const auto interval = [&](const std::vector<std::string>& settings) {
    TrainConfig config;
    apply_assignments(config, {"task=classification"});
    apply_assignments(config, settings);
    return set_up(file, config).config.train.validate_every;
  };
  CHECK(interval({}) == 100);  // batches of 32
  CHECK(interval({"train.batch=2"}) == 130);
  CHECK(interval({"train.batch=1", "train.accumulate=2"}) == 130);
  CHECK(interval({"train.batch=1", "train.validate_cases=60"}) == 120);
  CHECK(interval({"train.batch=1", "train.validate_every=7"}) == 7);
}
