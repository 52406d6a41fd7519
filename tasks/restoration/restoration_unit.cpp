#include <cmath>

#include "core/rng.h"
#include "tasks/restoration/restoration.h"
#include "tests/catch.h"
#include "tests/close.h"

using namespace voxgrad;

TEST_CASE("PSNR is the range over the root mean square difference, in dB") {
  const Tensor reference = Tensor::from({0.0, 10.0, 5.0, 5.0}, {4}), image = Tensor::from({1.0, 9.0, 6.0, 4.0}, {4});
  CHECK(close(psnr(image, reference), 20.0, 1e-6));
  CHECK(std::isinf(psnr(reference, reference)));
}

TEST_CASE("training patches get noise of the strengths wanted, and the clean patch is what is learned") {
  const Restoration task({.noise = {0.1, 0.3}});
  const Batch clean{Tensor::full({3, 12, 12, 12, 1}, 2), {}};
  const Batch a = task.prepare(clean, Rng(1)), b = task.prepare(clean, Rng(1)), other = task.prepare(clean, Rng(2));
  CHECK(a.image.values() == b.image.values());
  CHECK(a.image.values() != other.image.values());
  CHECK(a.at("clean").values() == clean.image.values());
  CHECK(clean.image.values() == std::vector<double>(size_t(clean.image.count()), 2.0));
  std::vector<double> strengths;
  for (int64_t n = 0; n < 3; ++n) {
    double square = 0;
    for (double x : a.image.rows(n, n + 1).values()) square += (x - 2) * (x - 2);
    strengths.push_back(std::sqrt(square / (12 * 12 * 12)));
    CHECK(strengths.back() > 0.09);
    CHECK(strengths.back() < 0.33);
  }
  CHECK(strengths[0] != strengths[1]);
}

TEST_CASE("the loss of a restoration compares the network's output with what is to be added") {
  const Tensor noisy = Tensor::from({1.0, 2.0}, {1, 1, 1, 2, 1}), clean = Tensor::from({1.5, 1.0}, {1, 1, 1, 2, 1});
  const Batch batch{noisy, {{"clean", DataKind::image, clean}}};
  const Tensor right = Tensor::from({0.5, -1.0}, {1, 1, 1, 2, 1}), none = Tensor::zeros({1, 1, 1, 2, 1});
  CHECK(Restoration({}).loss({right}, batch).item() == 0);
  CHECK(close(Restoration({}).loss({none}, batch).item(), 0.75, 1e-6));
  CHECK(close(Restoration({.loss = "l2"}).loss({none}, batch).item(), (0.25 + 1) / 2, 1e-6));
}
