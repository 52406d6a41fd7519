#include "data/cascade/previous_stage.h"

#include "data/preprocess.h"
#include "tests/catch.h"
#include "tests/temporary_folder.h"

using namespace voxgrad;
using Catch::Matchers::Contains;

namespace {
std::string digits(const Tensor& t) {
  std::string out;
  for (double v : t.values()) out += std::to_string(int(v));
  return out;
}
}  // namespace

TEST_CASE("a second stage sees the mask of the first one behind the image, a channel for each label") {
  // Turned, cropped and resampled as the image is: W runs to the left in the file, and what is not 0 are four voxels of 1 mm.
  Affine left = Affine::scaling({1, 1, 1});
  left.m[0][2] = -1;
  const Volume image{Tensor::from({0, 5, 6, 7, 8, 0}, {1, 1, 6, 1}), left};
  const PreviousMask mask{.mask = {Tensor::from({3, 1, 1, 2, 0, 0}, {1, 1, 6, 1}, DType::u8), left}, .name = "mask"};
  ModelDescription d{.patch = {1, 1, 4}, .spacing = {1, 1, 1}, .normalization = {{.kind = "none"}}, .channels = {"a"}};
  d.crop = true;
  d.previous_labels = {1, 2, 3};
  const Preprocessed p = preprocess(image, d, "image", {.previous = &mask});
  CHECK(digits(p.previous) == "0211");
  CHECK(network_input(p, d).values() == std::vector<double>{8, 0, 0, 0, 7, 0, 1, 0, 6, 1, 0, 0, 5, 1, 0, 0});
  CHECK_THAT(error_of([&] { preprocess(image, d, "image"); }), Contains("image: the network is the second stage of a cascade"));
  d.previous_labels = {1, 3};
  CHECK_THAT(error_of([&] { preprocess(image, d, "image", {.previous = &mask}); }),
             Contains("mask: the label 2 is none of the declared 0, 1, 3"));
  PreviousMask other = mask;
  other.mask.affine.m[0][3] = 4;
  CHECK_THAT(error_of([&] { preprocess(image, d, "image", {.previous = &other}); }), Contains("mask"));
  d.previous_labels = {};
  CHECK(!preprocess(image, d, "image", {.previous = &mask}).previous);
}

TEST_CASE("voxels that neither image nor mask show are no background while a mask is resampled, and no part of z-scores") {
  ModelDescription d{.patch = {1, 1, 4}, .spacing = {1, 1, 1.5}, .normalization = {{.mask = true}}, .channels = {"a"}};
  d.resampling = "nnunet";
  d.previous_labels = {1};
  const Volume image{Tensor::from({9, 8, 0, 0}, {1, 1, 4, 1}), {}};
  const PreviousMask mask{.mask = {Tensor::from({0, 0, 1, 0}, {1, 1, 4, 1}, DType::u8), {}}, .name = "mask"};
  const Preprocessed p = preprocess(image, d, "image", {.previous = &mask});
  CHECK(digits(p.previous) == "010");  // the one in the middle between 0 and 1 is the nearest, the voxel behind it
  // Of 9, 8 and 0, which the mask shows.
  CHECK(std::abs(p.intensity[0].shift - 17 / 3.0) < 1e-6);
  // Of four voxels two have the label, one is background and one is not seen; the last would decide between two and two.
  d.spacing = {1, 2, 2};
  const Volume four{Tensor::from({9, 9, 8, 0}, {1, 2, 2, 1}), {}};
  const PreviousMask half{.mask = {Tensor::from({1, 1, 0, 0}, {1, 2, 2, 1}, DType::u8), {}}, .name = "mask"};
  CHECK(digits(preprocess(four, d, "image", {.previous = &half}).previous) == "1");
}
