#include "tasks/image_scores/image_scores.h"

#include <cmath>

#include "core/config/json_values.h"
#include "io/image.h"
#include "io/json_file.h"
#include "kernels/concat/concat.h"
#include "tasks/image_scores/evaluate_images.h"
#include "tests/catch.h"
#include "tests/close.h"
#include "tests/temporary_folder.h"

using namespace voxgrad;

namespace {
// {D, H, W}: sin(0.15 r + 0.2 c + d) + 1, and that plus 0.3 cos(r + 2 c + d).
std::pair<Tensor, Tensor> reference_and_image(int64_t depth, int64_t height, int64_t width) {
  std::vector<double> a, b;
  for (int64_t d = 0; d < depth; ++d)
    for (int64_t r = 0; r < height; ++r)
      for (int64_t c = 0; c < width; ++c) {
        a.push_back(std::sin(0.15 * double(r) + 0.2 * double(c) + double(d)) + 1);
        b.push_back(a.back() + 0.3 * std::cos(double(r + 2 * c + d)));
      }
  return {Tensor::from(a, {depth, height, width}, DType::f64), Tensor::from(b, {depth, height, width}, DType::f64)};
}
}  // namespace

TEST_CASE("scores of images are those of public packages") {
  // scikit-image 0.26, SciPy 1.17 and MONAI 1.6.1, with 1.99991533 = largest - least for the range: peak_signal_noise_ratio,
  // structural_similarity slice by slice, MultiScaleSSIMMetric (weights of two scales), normalized_root_mse; hfen by ndimage.correlate with
  // the kernel of fspecial('log', 15, 1.5).
  const auto [y, x] = reference_and_image(3, 26, 24);
  const ImageScores s = image_scores(x, y);
  CHECK(close(s.psnr, 19.487887752833203, 1e-9));
  CHECK(close(s.ssim, 0.7712776915184799, 1e-9));
  CHECK(close(s.ms_ssim, 0.9249812563260397, 1e-6));
  CHECK(close(s.nmse, 0.033740856922341605, 1e-9));
  CHECK(close(s.nrmse, 0.1836868447176923, 1e-9));
  CHECK(close(s.hfen, 0.0685074004430018, 1e-9));
  CHECK(std::isnan(s.ssim_3d));
  CHECK(close(image_scores(x, y, {.range = ScoreRange::largest}).psnr, 19.488221048713083, 1e-9));
  // Channels are images of their own.
  const auto channel = [](const Tensor& t) { return t.reshape({3, 26, 24, 1}); };
  const ImageScores two = image_scores(concat({channel(y), channel(x)}, 3), concat({channel(y), channel(y)}, 3));
  CHECK(close(two.ssim, (1 + s.ssim) / 2, 1e-9));
  CHECK(close(two.hfen, s.hfen / std::sqrt(2), 1e-9));
}

TEST_CASE("scores that are not defined are not numbers, and windows of volumes do not depend on slabs") {
  const auto [y, x] = reference_and_image(9, 10, 11);
  const ImageScores s = image_scores(x, y, {.range = ScoreRange::largest});
  CHECK(std::isnan(s.ms_ssim));
  CHECK(s.ssim_3d > 0.9);
  CHECK(s.ssim_3d != s.ssim);
  CHECK(std::isnan(image_scores(x, y, {.all = false}).hfen));
  CHECK(std::isinf(image_scores(y, y).psnr));
  CHECK(image_scores(y, y).hfen == 0);
  CHECK_THROWS_WITH(image_scores(x, reference_and_image(9, 10, 10).first), Catch::Matchers::Contains("the reference"));
}

TEST_CASE("images in folders are evaluated with intervals and differences") {
  const TemporaryFolder folder;
  for (const char* kind : {"ref", "this", "other"}) std::filesystem::create_directories(folder.path() / kind);
  const auto [y, x] = reference_and_image(3, 12, 13);
  const auto put = [&](const std::string& name, const Tensor& t) {
    write_volume(folder.path() / name, {t.to(DType::f32).reshape({3, 12, 13, 1}), Affine{}});
  };
  for (const char* id : {"/a.nii.gz", "/b.nii.gz", "/c.nii.gz"}) {
    put(std::string("ref") + id, y), put(std::string("other") + id, x);
    put(std::string("this") + id, id[1] == 'a' ? x : y);
  }
  const Task::Evaluated e = evaluate_images(folder.path() / "this", folder.path() / "ref",
                                            {.versus = folder.path() / "other", .resamples = 2000}, ScoreRange::span);
  const Json json = parse_json(e.json, "test");
  const double one = json["cases"]["a"]["nmse"].get<double>();
  CHECK(json["cases"]["b"]["nmse"] == 0);
  CHECK(json["cases"]["b"]["psnr"].is_null());  // infinite
  CHECK(close(json["nmse"].get<double>(), one / 3, 1e-9));
  CHECK(json["intervals"]["nmse"]["low"] == 0);
  CHECK(close(json["intervals"]["nmse"]["high"].get<double>(), one, 1e-9));
  CHECK(json["versus"]["nmse"]["difference"].get<double>() < 0);
  CHECK(e.csv.substr(0, 49) == "case,psnr,ssim,ssim_3d,ms_ssim,nmse,nrmse,hfen\na,");
  using Catch::Matchers::Contains;
  CHECK_THAT(e.table, Contains("mean hfen") && Contains(" to "));
}
