#include <cmath>
#include <numeric>
#include <set>

#include "io/image.h"
#include "kernels/binary/binary.h"
#include "kernels/permute/permute.h"
#include "kernels/random/random.h"
#include "kernels/reduce/reduce.h"
#include "kernels/slice/slice.h"
#include "layers/mri/simulation.h"
#include "tasks/reconstruction/reconstruction.h"
#include "tasks/reconstruction/reconstruction_scores.h"
#include "tasks/reconstruction/untrained.h"
#include "tests/catch.h"
#include "tests/close.h"
#include "tests/temporary_folder.h"

using namespace voxgrad;

TEST_CASE("scores of reconstructions are fastMRI's") {
  // By its formulas in NumPy with scikit-image 0.26: g = (1 + sin(0.4 r + 0.2 c + d)) of 3 x 10 x 9, p = g + 0.1 cos(3 r + c).
  std::vector<double> g, p;
  for (int d = 0; d < 3; ++d)
    for (int r = 0; r < 10; ++r)
      for (int c = 0; c < 9; ++c) {
        g.push_back(1 + std::sin(0.4 * r + 0.2 * c + d));
        p.push_back(g.back() + 0.1 * std::cos(3 * r + c));
      }
  const ReconstructionScores s = reconstruction_scores(Tensor::from(p, {3, 10, 9}, DType::f64), Tensor::from(g, {3, 10, 9}, DType::f64));
  CHECK(close(s.psnr, 28.882034715934, 1e-9));
  CHECK(close(s.ssim, 0.989615813042, 1e-9));
  CHECK(close(s.nmse, 0.004115086246, 1e-9));
}

TEST_CASE("batches of reconstruction are measurements of their patches, each with random numbers of its own") {
  const Batch clean{rand({2, 1, 20, 24, 1}, Rng(1)), {}};
  const Reconstruction kspace({.measurement = {.coils = 3}});
  const Batch a = kspace.prepare(clean, Rng(1)), b = kspace.prepare(clean, Rng(1)), other = kspace.prepare(clean, Rng(2));
  CHECK(a.image.shape() == Shape{2, 1, 20, 24, 7});
  CHECK(a.image.values() == b.image.values());
  CHECK(a.image.values() != other.image.values());
  CHECK(a.at("clean").values() == clean.image.values());
  const Tensor mask = a.image.reshape({2 * 20 * 24, 7});
  double measured = 0, wrong = 0;
  for (int64_t i = 0; i < mask.dim(0); ++i) {
    const auto row = mask.rows(i, i + 1).values();
    measured += row[6];
    wrong += row[6] == 0 && (row[0] != 0 || row[5] != 0);
  }
  CHECK(wrong == 0);
  CHECK(measured > 0.1 * double(mask.dim(0)));
  CHECK(measured < 0.5 * double(mask.dim(0)));

  const Reconstruction views({.measurement = {.kind = "projections", .views = 15}, .sees = "image"});
  const Batch c = views.prepare(clean, Rng(1));
  CHECK(c.image.shape() == Shape{2, 1, 24, 24, 1});
  // The image that the network sees and 0 for what it gives: the loss is that of filtered back-projection.
  const Tensor zero = Tensor::zeros(c.image.shape());
  CHECK(close(views.loss({zero}, c).item(), mean(abs(c.image - c.at("clean"))).item(), 1e-6));
  CHECK(views.loss({c.at("clean") - c.image}, c).item() < 1e-6);
}

TEST_CASE("batches of reconstruction are measured at places of both axes, drawn or of a file") {
  const Batch clean{rand({2, 1, 40, 48, 1}, Rng(1)), {}};
  const auto mask_in = [&](const MeasurementOptions& o, int64_t n) {
    const Tensor seen = Reconstruction({.measurement = o}).prepare(clean, Rng(1)).image;
    return slice(seen.rows(n, n + 1), 4, seen.dim(4) - 1, seen.dim(4)).values();
  };
  const MeasurementOptions drawn{.coils = 2, .mask = "poisson_disc", .acceleration = 5};
  const std::vector<double> first = mask_in(drawn, 0);
  CHECK(first != mask_in(drawn, 1));
  CHECK(std::abs(std::accumulate(first.begin(), first.end(), 0.0) - 40 * 48 / 5.0) < 0.05 * 40 * 48 / 5.0);
  std::set<std::vector<double>> rows;
  for (int64_t r = 0; r < 40; ++r) rows.emplace(first.begin() + 48 * r, first.begin() + 48 * (r + 1));
  CHECK(rows.size() > 20);  // masks of columns have one

  const TemporaryFolder folder;
  std::vector<float> given(40 * 48, 0.0f);
  for (size_t i = 0; i < given.size(); i += 3) given[i] = 2;
  const std::string file = (folder / "mask.npy").string();
  write_volume(file, {Tensor::from(given, {1, 40, 48, 1}), {}});
  const std::vector<double> seen = mask_in({.coils = 2, .mask_file = file}, 1);
  for (size_t i = 0; i < seen.size(); ++i) CHECK(seen[i] == (i % 3 == 0));
  const auto error_for = [&](const Tensor& mask) {
    write_volume(file, {mask, {}});
    return error_of([&] { mask_in({.coils = 2, .mask_file = file}, 0); });
  };
  using Catch::Matchers::Contains;
  CHECK_THAT(error_for(Tensor::zeros({1, 48, 40, 1})), Contains("mask.npy") && Contains("40 x 48"));
  CHECK_THAT(error_for(Tensor::zeros({1, 40, 48, 1})), Contains("0 everywhere"));
  CHECK_THAT(error_for(Tensor::full({1, 40, 48, 1}, NAN)), Contains("not finite"));
}

TEST_CASE("k-space of a file is reconstructed slice by slice, in its units") {
  // A network that gives the zero-filled image: what is added to it is 0.
  struct Nothing {
    FIELDS()
    Tensor operator()(const Tensor& x) const { return x * 0; }
  };
  const Reconstruction task({.sees = "image"});
  const Model model{.net = Network(Nothing{}, {}, "{}")};
  const Tensor x = rand({2, 1, 12, 10, 1}, Rng(1)) * 500;
  const Tensor kspace = simulated_kspace(x, {.coils = 3, .noise = 0}, Rng(2));  // {2, 1, 12, 10, 6}
  const Volume file{permute(kspace.reshape({2, 12, 10, 3, 2}), {3, 1, 2, 0, 4}).reshape({3, 12, 10, 4}), {}};
  const auto measurements = task.measurements(file, "k");
  REQUIRE(measurements);
  const Tensor y = task.apply(model, *measurements, {}).volume.data;
  CHECK(y.shape() == Shape{2, 12, 10, 1});
  CHECK(max(abs(y.reshape(x.shape()) - x)).item() < 0.01);
  CHECK(!task.measurements({Tensor::zeros({3, 12, 10, 1}), {}}, "an image"));
  CHECK_THROWS_WITH(task.measurements({Tensor::zeros({3, 12, 10, 3}), {}}, "RGB"), Catch::Matchers::Contains("RGB"));
  // What was not measured is what is 0 in all coils.
  const Tensor mask = mask_tensor({1, 0, 1, 1, 0, 1, 1, 1, 1, 1});
  const Tensor data = measured_in(kspace * mask).data;
  CHECK(sum(slice(data, 4, 6, 7)).item() == 2 * 12 * 8);
}

TEST_CASE("networks that correct images take slices of any extents, and others say what they take") {
  // A network that wants multiples of 8, and gives what is missing of 3.
  struct Missing {
    FIELDS()
    Tensor operator()(const Tensor& x) const {
      check(x.dim(2) % 8 == 0 && x.dim(3) % 8 == 0, "multiples of 8");
      return 3 - x;
    }
  };
  const Reconstruction task({.measurement = {.coils = 3}, .sees = "image"});
  const Network net(Missing{}, {.divisor = {1, 8, 8}}, "{}");
  const Case c{.id = "a", .sample = sample_of(rand({2, 20, 13, 1}, Rng(1))), .geometry = {}, .places = {}};
  const Tensor y = task.predict(net, {}, c, {}).at(0).data;
  CHECK(y.shape() == Shape{2, 20, 13, 1});
  CHECK(max(abs(y - 3)).item() < 1e-5);
  const Tensor kspace = simulated_kspace(rand({1, 1, 12, 10, 1}, Rng(1)), {.coils = 2}, Rng(2)).reshape({1, 12, 10, 4});
  CHECK(task.apply({.net = net}, {.image = kspace}, {}).volume.data.shape() == Shape{1, 12, 10, 1});

  const auto error_of_kind = [&](const char* kind, const ReconstructionOptions& o) {
    const Network other(Missing{}, {}, std::string("{\"kind\": \"") + kind + "\"}");
    return error_of([&] { Reconstruction(o).predict(other, {}, c, {}); });
  };
  using Catch::Matchers::Contains;
  CHECK_THAT(error_of_kind("varnet", {.measurement = {.kind = "projections"}}),
             Contains("network.kind=varnet") && Contains("measurement=projections"));
  CHECK_THAT(error_of_kind("varnet", {.sees = "image"}), Contains("sees=image"));
  CHECK_THAT(error_of_kind("learned_primal_dual", {}), Contains("measurement=kspace"));
  CHECK_THAT(error_of_kind("unet", {}), Contains("sees=measurement") && Contains("the others images"));
}

TEST_CASE("k-space is reconstructed without a network, in its units, from lines and from scattered places") {
  std::vector<float> discs;
  for (int i = 0; i < 2 * 32 * 28; ++i) {
    const int row = i / 28 % 32, column = i % 28;
    discs.push_back((std::hypot(row - 15.0, column - 13.0) < 11) + 0.5f * float(std::hypot(row - 18.0, column - 10.0 - i / 896) < 4));
  }
  const Tensor x = Tensor::from(discs, {2, 1, 32, 28, 1}) * 500;
  const Tensor kspace = simulated_kspace(x, {.coils = 4, .noise = 0.002}, Rng(2)).reshape({2, 32, 28, 8});
  std::vector<float> places;
  Rng rng(7);
  for (int i = 0; i < 32 * 28; ++i)
    places.push_back(rng.uniform(0, 1) < 0.35 || (std::abs(i / 28 - 16) < 6 && std::abs(i % 28 - 14) < 6) ? 1.0f : 0.0f);
  const Tensor scattered = Tensor::from(places, {1, 32, 28, 1});
  const Tensor lines = mask_tensor(sampling_mask(28, {.centre_fraction = 0.4, .acceleration = 2}, Rng(3))).reshape({1, 1, 28, 1});
  const auto error = [&](const Tensor& mask, const UntrainedOptions& o) {
    const Tensor off = reconstruct_untrained(kspace * mask, o).reshape(x.shape()) - x;
    return std::sqrt(sum(square(off)).item() / sum(square(x)).item());
  };
  for (const Tensor& mask : {scattered, lines}) {
    const double zeros = error(mask, {.method = "zero_filled"});
    CHECK(zeros > 0.1);
    for (const char* method : {"sense", "total_variation", "wavelets"})
      CHECK(error(mask, {.method = method, .iterations = 40}) < 0.6 * zeros);
  }
  CHECK(error(scattered, {.sensitivities = "estimated", .iterations = 40}) < error(scattered, {.method = "zero_filled"}));
  CHECK_THROWS_WITH(reconstruct_untrained(kspace, {.method = "grappa"}), Catch::Matchers::Contains("grappa"));
  CHECK_THROWS_WITH(kspace_of({Tensor::zeros({3, 12, 10, 3}), {}}, "RGB"), Catch::Matchers::Contains("RGB"));
}
