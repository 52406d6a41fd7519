#include <algorithm>
#include <filesystem>
#include <fstream>

#include "augment/phantom/phantom.h"
#include "tasks/case_picture.h"
#include "tests/catch.h"
#include "train/report.h"

using namespace voxgrad;

TEST_CASE("training curves show what a run has logged, up to a line cut off by a kill") {
  const auto file = std::filesystem::temp_directory_path() / "voxgrad_report_unit.jsonl";
  std::filesystem::remove(file);
  const auto height_with = [&](const char* lines) {
    std::ofstream(file) << lines;
    const Picture p = training_curves(file);
    std::filesystem::remove(file);
    return p.height();
  };
  const int none = training_curves(file).height();
  const int loss = height_with("{\"step\": 25, \"loss\": 1.5}\n{\"step\": 50, \"loss\": null}\n{\"step\": 75, \"lo");
  const int loss_and_dice =
      height_with("{\"step\": 25, \"loss\": 1.5}\n{\"step\": 25, \"validation_dice\": 0.5, \"dice\": {\"liver\": 0.5}}\n");
  const int all = height_with(
      "{\"step\": 25, \"loss\": 1.5, \"learning_rate\": 0.01}\n{\"step\": 25, \"validation_dice\": 0.5, \"dice\": {\"liver\": null}}\n");
  CHECK(none == loss);
  CHECK(loss_and_dice >= 2 * loss);
  CHECK(all > loss_and_dice);
}

TEST_CASE("a picture of a case has one column per label map, whatever the orientation of the file") {
  Volume image{Tensor::zeros({6, 12, 10, 1}), Affine::scaling({3, 1, 1})};
  for (int64_t i = 0; i < image.data.count(); ++i) image.data.mutable_data<float>()[size_t(i)] = float(i % 97);
  Volume mask{Tensor::zeros({6, 12, 10, 1}, DType::u8), image.affine};
  for (int64_t h = 4; h < 8; ++h) mask.data.mutable_data<uint8_t>()[size_t((3 * 12 + h) * 10 + 5)] = 1;
  const std::vector<std::string> names = {"background", "lesion"};
  const Picture alone = case_picture({.image = image, .title = "case", .label_names = names});
  const Picture both = case_picture({.image = image, .prediction = mask, .reference = mask, .title = "case", .label_names = names});
  CHECK(both.width() > 2 * alone.width());

  // The same volumes stored with other axes give the same picture.
  const Orientation turned{.axis = {2, 0, 1}, .flip = {true, false, true}};
  const Volume image2 = from_canonical(image, turned), mask2 = from_canonical(mask, turned);
  REQUIRE(orientation_of(image2.affine) == turned);
  const Picture again = case_picture({.image = image2, .prediction = mask2, .reference = mask2, .title = "case", .label_names = names});
  CHECK(again.rgb() == both.rgb());
}

TEST_CASE("pictures of a CT model show soft tissue, those of others the range of the image") {
  ModelDescription d;
  d.normalization = {{.kind = "zscore"}};
  CHECK_FALSE(window_for(d).has_value());
  d.normalization = {{.kind = "ct", .low = -900, .high = 2000}};
  const std::optional<Window> window = window_for(d);
  REQUIRE(window.has_value());
  CHECK(window->low == -160);
  CHECK(window->high == 240);

  // Organs of 0 to 100 HU lie in the middle of the window, and in its upper quarter where air at -1000 HU is to be told from fat.
  const Phantom p = make_phantom(PhantomKind::abdomen, {.size = {32, 48, 48}, .seed = 3});
  const Volume image{p.image, Affine::scaling(p.spacing_mm)};
  const auto pixels = [&](const std::optional<Window>& w, int low, int high) {
    const Picture picture = case_picture({.image = image, .window = w});
    int64_t count = 0;
    for (size_t i = 0; i < picture.rgb().size(); i += 3) count += picture.rgb()[i] >= low && picture.rgb()[i] <= high;
    return count;
  };
  CHECK(pixels(window, 102, 166) > 2 * pixels(window, 185, 254));
  CHECK(pixels({}, 102, 166) * 2 < pixels({}, 185, 254));

  Volume ramp{Tensor::zeros({1, 8, 8, 1}), Affine::scaling({1, 1, 1})};
  for (int64_t i = 0; i < 64; ++i) ramp.data.mutable_data<float>()[size_t(i)] = i % 8 < 4 ? -500 : i < 32 ? 40 : 1000;
  const std::vector<uint8_t> rgb = case_picture({.image = ramp, .window = window}).rgb();
  CHECK(std::count(rgb.begin(), rgb.end(), uint8_t(128)) > 1000);  // the centre of the window, 40 HU
  CHECK(std::count(rgb.begin(), rgb.end(), uint8_t(255)) > 1000);
  CHECK(std::count(rgb.begin(), rgb.end(), uint8_t(0)) > 1000);
}
