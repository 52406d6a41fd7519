#include <algorithm>
#include <cmath>

#include "core/autograd.h"
#include "core/config/json_values.h"
#include "core/gradient_check.h"
#include "io/atomic_file.h"
#include "io/image.h"
#include "io/json_file.h"
#include "tasks/instances/instances.h"
#include "tests/catch.h"
#include "tests/close.h"
#include "tests/temporary_folder.h"
#include "tests/tensor_helpers.h"

using namespace voxgrad;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

// Balls that touch: of class 0 and of class 1.
NumberedObjects two_balls() {
  NumberedObjects out{.number = Tensor::zeros({12, 14, 24}, DType::i32), .label = {0, 1}};
  const auto to = out.number.mutable_data<int32_t>();
  size_t i = 0;
  for (int d = 0; d < 12; ++d)
    for (int h = 0; h < 14; ++h)
      for (int w = 0; w < 24; ++w, ++i) {
        const auto near = [&](double x) { return std::hypot(d - 5.5, h - 6.5, w - x) < 4.6; };
        to[i] = near(6) ? 1 : near(14.5) ? 2 : 0;
      }
  return out;
}

const Double3 kWidth = {1.5, 1.5, 1.5};

}  // namespace

TEST_CASE("objects that touch are told apart by the maps that they make") {
  const NumberedObjects objects = two_balls();
  const InstanceMaps maps = maps_of(objects, kWidth);
  CHECK(maps.label.data<uint8_t>()[size_t((5 * 14 + 6) * 24 + 14)] == 2);
  const NumberedObjects again = grouped(maps, kWidth), exact = regrouped(maps);
  CHECK(again.label == objects.label);
  CHECK(again.number.values() == objects.number.values());
  CHECK(exact.label == objects.label);
  CHECK(exact.number.values() == objects.number.values());
  CHECK(grouped(maps, kWidth, {.min_voxels = 100000}).label.empty());
  CHECK(grouped(maps, kWidth, {.least_peak = 1.1}).label.empty());
  // Offsets that are somewhat wrong lead to the right centre all the same.
  const Tensor off = noise(maps.offsets.shape(), 3);
  for (size_t i = 0; i < size_t(off.count()); ++i) maps.offsets.mutable_data<float>()[i] += 1.5f * off.data<float>()[i];
  CHECK(grouped(maps, kWidth).number.values() == objects.number.values());
}

TEST_CASE("panoptic quality counts objects of one class that overlap by more than half") {
  const NumberedObjects real = two_balls();
  NumberedObjects found{.number = real.number.clone(), .label = {0, 0}};
  int64_t cut = 0, whole = 0;
  for (int32_t& n : found.number.mutable_data<int32_t>())
    if (n == 1) {
      ++whole;
      if (whole % 3 == 0) n = 0, ++cut;
    }
  const auto c = panoptic_counts(found, real, 2);
  const double iou = double(whole - cut) / double(whole);
  CHECK((c[0].matched == 1 && c[0].found == 2 && c[0].real == 1 && c[1].matched == 0 && c[1].found == 0 && c[1].real == 1));
  CHECK(close(c[0].quality(), iou / 1.5, 1e-12));
  CHECK(close(c[0].recognition(), 1 / 1.5, 1e-12));
  CHECK(close(c[0].segmentation(), iou, 1e-12));
  CHECK(c[1].quality() == 0);
  PanopticCounts sum;
  sum.add(c[0], 2), sum.add(c[1]);
  CHECK((sum.found == 4 && sum.real == 3 && sum.matched == 2));
  CHECK(std::isnan(PanopticCounts().quality()));
}

TEST_CASE("the loss of instances has the gradient that finite differences have, and is small where all is right") {
  const InstanceMaps maps = maps_of(two_balls(), kWidth);
  const auto with_batch = [](const Tensor& t) {
    Shape s = t.shape();
    Shape out = s;
    out.rank = s.rank + 1;
    out.dims[0] = 1;
    for (int k = 0; k < s.rank; ++k) out.dims[k + 1] = s[k];
    return t.reshape(out);
  };
  const Batch batch{Tensor::zeros({1, 12, 14, 24, 1}),
                    {{"class", DataKind::labels, with_batch(maps.label)},
                     {"offsets", DataKind::vectors, with_batch(maps.offsets)},
                     {"heat", DataKind::image, with_batch(maps.heat)},
                     {"sigma", DataKind::values, Tensor::from({1.5, 1.5, 1.5}, {1, 3})}}};
  const Instances task({});
  const Tensor right = Tensor::zeros({1, 12, 14, 24, 7});
  const auto to = right.mutable_data<float>();
  for (size_t i = 0; i < size_t(maps.label.count()); ++i) {
    to[7 * i + maps.label.data<uint8_t>()[i]] = 20;
    const double heat = std::clamp(double(maps.heat.data<float>()[i]), 1e-4, 1 - 1e-4);
    to[7 * i + 3] = float(std::log(heat / (1 - heat)) + 3);  // through a sigmoid that starts at -3
    for (size_t a = 0; a < 3; ++a) to[7 * i + 4 + a] = maps.offsets.data<float>()[3 * i + a] / 1.5f;
  }
  CHECK(std::abs(task.loss({right}, batch).item() + 1) < 1e-3);  // soft Dice is -1 at best
  CHECK(task.loss({Tensor::zeros(right.shape())}, batch).item() > 0.5);
  const Tensor some = noise(right.shape(), 5).to(DType::f64);
  CHECK(gradient_error([&](const std::vector<Tensor>& in) { return task.loss({in[0]}, batch); }, {some}) < 1e-6);
}

TEST_CASE("instances are masks with their classes, which are references of their own") {
  const TemporaryFolder folder;
  const Affine affine = Affine::scaling({1, 1, 1}, {3, 4, 5});
  fs::create_directories(folder / "set/imagesTr");
  fs::create_directories(folder / "set/labelsTr");
  const NumberedObjects balls = two_balls();
  write_volume(folder / "set/imagesTr/a_0000.nii", {Tensor::zeros({12, 14, 24, 1}), affine});
  write_volume(folder / "set/labelsTr/a.nii", {balls.number.to(DType::u8).reshape({12, 14, 24, 1}), affine});
  write_text_file(folder / "set/dataset.json", R"({"channel_names": {"0": "image"}, "labels": {"background": 0, "one": 1, "two": 2},
                                                   "file_ending": ".nii"})");
  const Dataset d = read_dataset(folder / "set");
  const Instances task({});
  const std::vector<std::string> outputs = task.outputs(d);
  CHECK(outputs == std::vector<std::string>{"background", "one", "two", "centre", "offset d", "offset h", "offset w"});
  Geometry g{.affine = affine, .canonical = {12, 14, 24}, .working = {12, 14, 24}, .box = {12, 14, 24}};
  const std::vector<Field> fields = task.targets(d.cases[0], g, outputs);
  CHECK(fields.at(0).data.values() == maps_of(balls, {2, 2, 2}).label.values());
  CHECK(fields.at(1).data.values() == maps_of(balls, {2, 2, 2}).offsets.values());
  make_folders(folder / "said");
  const Volume mask{balls.number.reshape({12, 14, 24, 1}), affine};
  task.write({.volume = mask, .json = R"({"instances": {"1": 0, "2": 1}})"}, folder / "said/a", ".nii.gz");
  const Task::Evaluated e = task.evaluate(folder / "said", folder / "set", {});
  CHECK(parse_json(e.json, "scores")["panoptic_quality"] == 1);
  CHECK(e.csv == "case,class,real,found,matched\na,one,1,1,1\na,two,1,1,1\n");
  task.write({.volume = mask, .json = R"({"instances": {"1": 0, "2": 0}})"}, folder / "said/a", ".nii.gz");
  const Json scores = parse_json(task.evaluate(folder / "said", folder / "set", {}).json, "scores");
  CHECK(close(scores["panoptic_quality_one"].get<double>(), 2 / 3., 1e-9));
  CHECK(scores["panoptic_quality_two"] == 0);
  // A picture of the case is no mask, whether the result names its mask or, as others write it, does not.
  fs::rename(folder / "said/a.nii.gz", folder / "a.nii.gz");
  write_volume(folder / "said/a.png", {Tensor::zeros({1, 14, 24, 1}, DType::u8), affine});
  CHECK_THROWS_WITH(task.evaluate(folder / "said", folder / "set", {}), Contains("no mask a.nii.gz beside it"));
  write_text_file(folder / "said/a.json", R"({"instances": {"1": 0, "2": 1}})");
  CHECK_THROWS_WITH(task.evaluate(folder / "said", folder / "set", {}), Contains("a.json: there is no mask beside it"));
  fs::rename(folder / "a.nii.gz", folder / "said/a.nii.gz");
  CHECK(parse_json(task.evaluate(folder / "said", folder / "set", {}).json, "scores")["panoptic_quality"] == 1);
}
