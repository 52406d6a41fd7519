#include <cmath>

#include "core/autograd.h"
#include "core/gradient_check.h"
#include "layers/losses.h"
#include "models/model_registry.h"
#include "tasks/pretraining/contrastive.h"
#include "tasks/pretraining/masked_reconstruction.h"
#include "tests/catch.h"
#include "tests/close.h"
#include "tests/temporary_folder.h"
#include "tests/tensor_helpers.h"

using namespace voxgrad;
using Catch::Matchers::Contains;

TEST_CASE("masks are whole blocks, as many as wanted, at random") {
  const Tensor m = block_mask({12, 8, 10}, 2, {4, 4, 4}, 0.5, Rng(1)), other = block_mask({12, 8, 10}, 2, {4, 4, 4}, 0.5, Rng(2));
  REQUIRE(m.shape() == Shape{12, 8, 10, 2});
  const auto v = m.values();
  const auto at = [&](int d, int h, int w, int c) { return v[size_t(((d * 8 + h) * 10 + w) * 2 + c)]; };
  int blocks = 0;
  for (int d = 0; d < 12; ++d)
    for (int h = 0; h < 8; ++h)
      for (int w = 0; w < 10; ++w)
        for (int c = 0; c < 2; ++c) {
          CHECK(at(d, h, w, c) == at(d / 4 * 4, h / 4 * 4, w / 4 * 4, 0));
          blocks += d % 4 == 0 && h % 4 == 0 && w % 4 == 0 && c == 0 && at(d, h, w, c) == 1;
        }
  CHECK(blocks == 9);  // of 3 x 2 x 3
  CHECK(m.values() != other.values());
}

TEST_CASE("masked reconstruction hides what the loss looks at") {
  const MaskedReconstruction task({.ratio = 0.75, .block = {2, 2, 2}});
  const Batch whole{noise({2, 8, 8, 8, 1}, 3), {}};
  const Batch b = task.prepare(whole, Rng(4)), same = task.prepare(whole, Rng(4));
  CHECK(b.image.values() == same.image.values());
  const auto seen = b.image.values(), mask = b.at("mask").values(), x = whole.image.values();
  double masked = 0;
  std::vector<double> wrong = x;
  for (size_t i = 0; i < x.size(); ++i) {
    CHECK(seen[i] == (mask[i] == 0 ? x[i] : 0));
    masked += mask[i];
    wrong[i] += mask[i] == 0 ? 5 : 2;  // what is seen does not count
  }
  CHECK(masked == 0.75 * 1024);
  CHECK(mask != std::vector<double>(mask.rbegin(), mask.rend()));
  CHECK(close(task.loss({whole.image}, b).item(), 0, 1e-9));
  CHECK(close(task.loss({Tensor::from(wrong, b.image.shape())}, b).item(), 4, 1e-5));
}

TEST_CASE("the block of a mask is an eighth of the patch where nobody says otherwise") {
  const Batch b = MaskedReconstruction({}).prepare({Tensor::full({1, 16, 32, 8, 1}, 1), {}}, Rng(1));
  const auto m = b.at("mask").values();
  const auto at = [&](int d, int h, int w) { return m[size_t((d * 32 + h) * 8 + w)]; };
  int changes_d = 0, changes_h = 0;
  for (int d = 0; d < 16; ++d)
    for (int h = 0; h < 32; ++h) {
      CHECK(at(d, h, 3) == at(d / 2 * 2, h / 4 * 4, 3));
      changes_d += d % 2 == 0 && d > 0 && at(d, h, 3) != at(d - 1, h, 3);
      changes_h += h % 4 == 0 && h > 0 && at(d, h, 3) != at(d, h - 1, 3);
    }
  CHECK(changes_d > 0);
  CHECK(changes_h > 0);
}

TEST_CASE("NT-Xent is the cross-entropy of the other view among all others") {
  // PyTorch: s = normalize(z) @ normalize(z).T / 0.5, diagonal -inf, cross_entropy(s, [1, 0, 3, 2]).
  const Tensor z = Tensor::from({1, 0.5, -0.5, 2, 0.3, 1, 1, -1, 0.25, -2, 0.5, 1}, {4, 3}, DType::f64);
  const std::vector<double> v = z.values();
  double expected = 0;
  const auto cosine = [&](int i, int j) {
    double dot = 0, a = 0, b = 0;
    for (int c = 0; c < 3; ++c) dot += v[size_t(3 * i + c)] * v[size_t(3 * j + c)], a += v[size_t(3 * i + c)] * v[size_t(3 * i + c)],
                                b += v[size_t(3 * j + c)] * v[size_t(3 * j + c)];
    return dot / std::sqrt(a * b);
  };
  for (int i = 0; i < 4; ++i) {
    double others = 0;
    for (int j = 0; j < 4; ++j)
      if (j != i) others += std::exp(cosine(i, j) / 0.5);
    expected += std::log(others) - cosine(i, i ^ 1) / 0.5;
  }
  CHECK(close(nt_xent(z, 0.5).item(), expected / 4, 1e-12));
  CHECK(gradient_error([](const std::vector<Tensor>& x) { return nt_xent(x[0], 0.5); }, {z}) < 1e-6);
  CHECK_THAT(error_of([&] { nt_xent(Tensor::zeros({3, 2}), 1); }), Contains("nt_xent") && Contains("{2 B, C}"));
  CHECK_THAT(error_of([&] { nt_xent(z, 0); }), Contains("the temperature is 0"));
  CHECK_THAT(error_of([&] { Contrastive({}).loss({Tensor::zeros({2, 8})}, {}); }), Contains("train.batch: 2"));
}

TEST_CASE("retrieval counts the cases whose other view is the most similar one") {
  const auto meter = Contrastive({}).meter({});
  const auto add = [&](std::vector<double> a, std::vector<double> b) {
    meter->add({}, {{"first", DataKind::values, Tensor::from(a, {2})}, {"last", DataKind::values, Tensor::from(b, {2})}});
  };
  CHECK(std::isnan(meter->scores().value));
  add({3, 0}, {1, 0.1});
  add({0, 1}, {0.2, 5});
  CHECK(meter->scores().value == 1);
  add({1, 0.2}, {0, -1});  // the first one's other view is nearer
  CHECK(close(meter->scores().value, 2.0 / 3, 1e-12));
}

TEST_CASE("reconstruction is measured by the variance of what is masked") {
  const MaskedReconstruction task({});
  const auto meter = task.meter({});
  Case c;
  c.sample = sample_of(Tensor::from({1, 2, 3, 6}, {1, 1, 4, 1}));
  const Tensor mask = Tensor::from({0, 1, 1, 1}, {1, 1, 4, 1});
  meter->add(c, {{"y", DataKind::image, Tensor::from({9, 3, 3, 5}, {1, 1, 4, 1})}, {"mask", DataKind::image, mask}});
  CHECK(close(meter->scores().value, 1 - 2 / (26.0 / 3), 1e-6));
}
