#include <cmath>

#include "core/config/json_values.h"
#include "core/rng.h"
#include "data/case_store.h"
#include "io/image.h"
#include "tasks/restoration/restoration.h"
#include "tests/catch.h"
#include "tests/close.h"
#include "tests/temporary_folder.h"

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
  CHECK(close(Restoration({.loss = {{.kind = "l2"}}}).loss({none}, batch).item(), (0.25 + 1) / 2, 1e-6));
}

TEST_CASE("degradations have the moments of their formulas") {
  const Tensor grey = Tensor::full({24, 24, 24, 1}, 0.5);
  const auto moments = [&](const Degradation& d) {
    double sum = 0, square = 0;
    const std::vector<double> v = degraded(grey, {d}, Rng(4)).values();
    for (double x : v) sum += x, square += x * x;
    const double mean = sum / double(v.size());
    return std::pair{mean, std::sqrt(square / double(v.size()) - mean * mean)};
  };
  const auto is = [&](const Degradation& d, double mean, double deviation) {
    CAPTURE(d.kind, d.strength.low);
    const auto [m, s] = moments(d);
    CHECK(std::abs(m - mean) < 4 * deviation / std::sqrt(24. * 24 * 24) + 1e-6);
    CHECK(std::abs(s - deviation) < 0.03 * deviation + 1e-6);
  };
  is({.kind = "gaussian", .strength = {0.1, 0.1}}, 0.5, 0.1);
  is({.kind = "speckle", .strength = {0.2, 0.2}}, 0.5, 0.1);
  is({.kind = "poisson", .strength = {20, 20}}, 0.5, std::sqrt(10.) / 20);
  is({.kind = "poisson", .strength = {400, 400}}, 0.5, std::sqrt(200.) / 400);
  // Rice: mean s sqrt(pi/2) L_{1/2}(-x^2 / 2 s^2), here with x = 0.5, s = 0.25 (scipy.stats.rice(2, scale=0.25)).
  is({.kind = "rician", .strength = {0.25, 0.25}}, 0.5681, 0.2286);
  is({.kind = "blur", .strength = {1, 1}}, 0.5, 0);
  is({.kind = "low_resolution", .strength = {2, 2}}, 0.5, 0);
}

TEST_CASE("a low resolution along one axis leaves means of boxes there and nothing else") {
  Tensor image = Tensor::zeros({2, 2, 12, 1});
  for (int i = 0; i < 48; ++i) image.mutable_data<float>()[i] = float(i % 12 < 6);
  const Tensor same = degraded(image, {{.kind = "low_resolution", .strength = {3, 3}, .axes = {0, 1}}}, Rng(1));
  CHECK(same.shape() == image.shape());
  double difference = 0;
  for (int i = 0; i < 48; ++i) difference = std::max(difference, std::abs(double(same.data<float>()[i] - image.data<float>()[i])));
  CHECK(difference < 1e-5);  // constant along D and H
  const Tensor low = degraded(image, {{.kind = "low_resolution", .strength = {4, 4}, .axes = {2}}}, Rng(1));
  CHECK(close(low.data<float>()[5], 1 - low.data<float>()[6], 1e-5));  // boxes: 1, 1/2, 0
  CHECK(low.data<float>()[5] < 0.7f);
  CHECK(low.data<float>()[0] > 0.9f);
}

TEST_CASE("noise2void: hidden voxels take values near them, and the loss counts these alone") {
  Tensor image = Tensor::zeros({6, 10, 10, 2});
  for (int i = 0; i < 1200; ++i) image.mutable_data<float>()[i] = float(i);
  const Tensor before = image.clone();
  const Tensor hidden = hide_voxels(image, 0.05, 2, Rng(3));
  int count = 0;
  for (int i = 0; i < 600; ++i) {
    const int from = int(image.data<float>()[2 * i]) / 2;
    const bool moved = hidden.data<float>()[i] == 1;
    count += moved;
    CHECK((from != i) == moved);
    CHECK(image.data<float>()[2 * i + 1] == float(2 * from + 1));
    CHECK(std::abs(from / 100 - i / 100) <= 2);
    CHECK(std::abs(from / 10 % 10 - i / 10 % 10) <= 2);
    CHECK(std::abs(from % 10 - i % 10) <= 2);
  }
  CHECK(count > 20);
  CHECK(count <= 30);

  for (const std::string loss : {"l1", "l2"}) {
    const Restoration task({.learns = "noise2void", .masked = 0.1, .loss = {{.kind = loss}}});
    const Batch batch = task.prepare({Tensor::full({2, 6, 10, 10, 1}, 3), {}}, Rng(5));
    CHECK(task.loss({Tensor::full({2, 6, 10, 10, 1}, 3)}, batch).item() == 0);
    CHECK(close(task.loss({Tensor::full({2, 6, 10, 10, 1}, 5)}, batch).item(), loss == "l1" ? 2 : 4, 1e-5));
    Tensor wrong = Tensor::full({2, 6, 10, 10, 1}, 3);
    for (int i = 0; i < 1200; ++i)
      if (batch.at("hidden").data<float>()[i] == 0) wrong.mutable_data<float>()[i] = 100;
    CHECK(task.loss({wrong}, batch).item() == 0);
  }
}

TEST_CASE("noise2self: voxels of a grid take the weighted mean of their neighbours") {
  Tensor image = Tensor::zeros({1, 9, 8, 1});
  for (int i = 0; i < 72; ++i) image.mutable_data<float>()[i] = float(i * i % 31);
  const Tensor before = image.clone(), hidden = hide_grid(image, 4, Rng(2));
  const auto at = [&](int y, int x) { return double(before.data<float>()[y * 8 + x]); };
  int count = 0, inner = 0;
  for (int y = 0; y < 9; ++y)
    for (int x = 0; x < 8; ++x) {
      const int i = 8 * y + x;
      if (hidden.data<float>()[i] == 0) {
        CHECK(image.data<float>()[i] == before.data<float>()[i]);
        continue;
      }
      ++count;
      for (int other = i + 1; other < 72; ++other)
        if (hidden.data<float>()[other] == 1) CHECK(((other / 8 - y) % 4 == 0 && (other % 8 - x) % 4 == 0));
      if (y == 0 || x == 0 || y == 8 || x == 7) continue;
      ++inner;
      const double sides = at(y - 1, x) + at(y + 1, x) + at(y, x - 1) + at(y, x + 1);
      const double corners = at(y - 1, x - 1) + at(y - 1, x + 1) + at(y + 1, x - 1) + at(y + 1, x + 1);
      CHECK(close(image.data<float>()[i], (sides + corners / 2) / 6, 1e-5));
    }
  CHECK(count >= 4);
  CHECK(inner >= 1);
  const Restoration task({.learns = "noise2self"});
  const Batch batch = task.prepare({Tensor::full({2, 6, 10, 10, 1}, 3), {}}, Rng(5));
  CHECK(task.loss({Tensor::full({2, 6, 10, 10, 1}, 5)}, batch).item() == 2);
  CHECK_THROWS_WITH(Restoration({.learns = "noise2self", .loss = {{.kind = "ssim"}}}), Catch::Matchers::Contains("a few voxels"));
}

TEST_CASE("noise2noise: either image of a pair is the input, as a coin says") {
  const Restoration task({.learns = "noise2noise"});
  const Batch batch{Tensor::zeros({40, 1, 2, 2, 1}), {{"clean", DataKind::image, Tensor::full({40, 1, 2, 2, 1}, 1)}}};
  const Batch out = task.prepare(batch, Rng(1));
  int exchanged = 0;
  for (int64_t n = 0; n < 40; ++n) {
    const double input = out.image.values()[size_t(4 * n)], other = out.at("clean").values()[size_t(4 * n)];
    CHECK(input + other == 1);
    exchanged += input == 1;
  }
  CHECK(exchanged > 8);
  CHECK(exchanged < 32);
  CHECK(batch.image.values() == std::vector<double>(160, 0));
  CHECK(!task.changes_intensities());
  CHECK(Restoration({}).changes_intensities());
}

TEST_CASE("pairs: the second image of a case has the units of the first one as a network sees it, wherever its axes run") {
  const TemporaryFolder folder;
  std::vector<double> noisy, clean;
  for (int i = 0; i < 24; ++i) noisy.push_back(100 + i * i % 17), clean.push_back(100 + i);
  write_volume(folder / "noisy.nii.gz", {Tensor::from(noisy, {2, 3, 4, 1}), Affine{}});
  write_volume(folder / "clean.nii.gz", from_canonical({Tensor::from(clean, {2, 3, 4, 1}), Affine{}}, {{2, 1, 0}, {true, false, false}}));
  const DatasetCase c{.id = "a", .images = {folder / "noisy.nii.gz"}, .label = folder / "clean.nii.gz"};
  ModelDescription d;
  d.normalization = {{.kind = "zscore"}};
  d.channels = {"MR"};
  d.spacing = {0, 0, 0};
  const Preprocessed p = preprocess(read_case_image(c), d, "noisy");
  const Restoration task({.learns = "pairs"});
  const std::vector<Field> fields = task.fields(c, p, d);
  REQUIRE(fields.size() == 1);
  const Standardization s = p.intensity.at(0);
  CHECK(s.scale != 1);
  for (size_t i = 0; i < 24; ++i) CHECK(close(fields[0].data.values()[i], (clean[i] - s.shift) * s.scale, 1e-4));
  CHECK(Restoration({}).fields(c, p, d).empty());

  // Of a network that gives what is missing, the score is that of the second image.
  Sample sample = sample_of(p.image);
  sample.fields.push_back(fields[0]);
  const auto meter = task.meter({});
  meter->add({.id = "a", .sample = sample, .geometry = p.geometry, .places = {}}, {fields[0], {"seen", DataKind::image, p.image}});
  CHECK(std::isinf(meter->scores().value));
  CHECK_THROWS_WITH(task.outputs({.name = "d", .cases = {{.id = "b"}}}), Catch::Matchers::Contains("no second image"));
  write_volume(folder / "clean.nii.gz", {Tensor::zeros({2, 3, 5, 1}), Affine{}});
  CHECK_THROWS_WITH(task.fields(c, p, d), Catch::Matchers::Contains("another grid"));
}

TEST_CASE("what is CT is made worse in the millimetres of each case, in training and validation") {
  const std::vector<Degradation> dose = {{.kind = "low_dose", .strength = {1e4, 1e4}}};
  const Restoration task({.degradations = dose});
  ModelDescription d;
  d.spacing = {0, 0, 0};
  d.channels = {"CT"};
  d.normalization = {{.kind = "none"}};
  const Volume flat{Tensor::full({1, 20, 20, 1}, 1), Affine::scaling({3, 0.5, 0.5})};
  const Preprocessed p = preprocess(flat, d, "flat");
  const std::vector<Field> fields = task.fields({}, p, d);
  REQUIRE(fields.size() == 1);
  CHECK(fields[0].kind == DataKind::values);
  CHECK(fields[0].data.values() == std::vector<double>{3, 0.5, 0.5});
  CHECK(task.decides_targets() != Restoration({}).decides_targets());

  const Tensor two = Tensor::full({2, 1, 20, 20, 1}, 1), mm = Tensor::from({3, 0.5, 0.5, 1, 4, 4}, {2, 3});
  const Tensor seen = task.prepare({two, {{fields[0].name, DataKind::values, mm}}}, Rng(3)).image;
  const Tensor plain = Tensor::full({1, 20, 20, 1}, 1);
  CHECK(seen.rows(0, 1).values() == degraded(plain, dose, Rng(3).at(0), {3, 0.5, 0.5}).values());
  CHECK(seen.rows(1, 2).values() == degraded(plain, dose, Rng(3).at(1), {1, 4, 4}).values());

  struct NoChange {
    FIELDS()
    Tensor operator()(const Tensor& x) const { return x * 0; }
  };
  d.patch = {1, 20, 20};
  const Case c{.id = "a", .sample = sample_of(p.image), .geometry = p.geometry, .places = {}};
  const Field validated = task.predict(Network(NoChange{}, {}, "{}"), d, c, {}).at(1);
  CHECK(validated.data.values() == degraded_in_the_middle(p.image, dose, Rng(number_of("a")), {3, 0.5, 0.5}).values());
}

TEST_CASE("degradations of a configuration") {
  const auto read = [](const char* text) { return degradations_from(Json::parse(text)); };
  const auto all = read(R"([{"kind": "rician", "strength": [0.1, 0.2]}, {"kind": "low_resolution", "strength": [2, 2], "axes": [0]}])");
  REQUIRE(all.size() == 2);
  CHECK(all[1].axes == std::vector<int>{0});
  CHECK(degradations_from(json_of(all)).at(0).strength.high == 0.2);
  using Catch::Matchers::Contains;
  CHECK_THROWS_WITH(read(R"([{"kind": "rice"}])"), Contains("rician"));
  CHECK_THROWS_WITH(read(R"([{"kind": "low_resolution", "strength": [0.5, 2]}])"), Contains("a factor, from 1"));
  CHECK_THROWS_WITH(read(R"([{"kind": "poisson", "strength": [0, 2]}])"), Contains("above 0"));
  CHECK_THROWS_WITH(read(R"([{"strenght": [0, 2]}])"), Contains("strength"));
  for (const char* kind : {"sparse_views", "low_resolution", "blur", "bias_field", "motion", "metal"})
    CHECK_THROWS_WITH(read((std::string(R"([{"kind": ")") + kind + R"(", "strength": [1, 1e8]}])").c_str()),
                      Contains(kind) && Contains("at most"));
}
