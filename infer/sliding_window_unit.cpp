#include <cmath>

#include "core/autograd.h"
#include "core/device/parallel.h"
#include "core/rng.h"
#include "kernels/pointwise/pointwise.h"
#include "tests/catch.h"
#include "core/progress.h"
#include "infer/sliding_window.h"

using namespace voxgrad;

namespace {

Tensor random_image(const Shape& s) {
  const Tensor t = Tensor::empty(s);
  Rng rng(3);
  for (float& v : t.mutable_data<float>()) v = float(rng.uniform(-1, 1));
  return t;
}

// Two classes per voxel: x and x^2 - 0.3 of the first channel.
Tensor pointwise_net(const Tensor& x) {
  const Tensor y = Tensor::empty(x.shape().with(4, 2));
  const float* from = x.view().as<float>();
  float* to = y.view().as<float>();
  for (int64_t i = 0; i < x.count() / x.dim(4); ++i) {
    const float v = from[i * x.dim(4)];
    to[2 * i] = v;
    to[2 * i + 1] = v * v - 0.3f;
  }
  return y;
}

// The place of a voxel within its tile, as three classes.
Tensor place_net(const Tensor& x) {
  const Tensor y = Tensor::empty(x.shape().with(4, 3));
  float* to = y.view().as<float>();
  for (int64_t n = 0; n < x.dim(0); ++n)
    for (int64_t d = 0; d < x.dim(1); ++d)
      for (int64_t h = 0; h < x.dim(2); ++h)
        for (int64_t w = 0; w < x.dim(3); ++w) *to++ = float(d), *to++ = float(h), *to++ = float(w);
  return y;
}

double largest_difference(const Tensor& a, const Tensor& b) {
  REQUIRE(a.shape() == b.shape());
  const auto x = a.values(), y = b.values();
  double worst = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double e = std::fabs(x[i] - y[i]);
    if (!(e < worst)) worst = e;
  }
  return worst;
}

}  // namespace

TEST_CASE("a pointwise net gives what it gives on the whole volume") {
  const Tensor image = random_image({21, 17, 30, 2});
  const Tensor whole = pointwise_net(image.reshape({1, 21, 17, 30, 2})).reshape({21, 17, 30, 2});
  for (const TileWeights weights : {TileWeights::gaussian, TileWeights::constant, TileWeights::floored})
    for (const int64_t batch : {1, 4})
      for (const std::array<bool, 3>& mirror :
           {std::array{false, false, false}, std::array{true, true, true}, std::array{false, false, true}}) {
        int64_t calls = 0, last = 0, total = 0;
        const SlidingWindowOptions o{
            .patch = {8, 20, 12}, .weights = weights, .batch = batch, .mirror = mirror, .progress = [&](int64_t done, int64_t all) {
              ++calls, last = done, total = all;
            }};
        const Tensor y = sliding_window(pointwise_net, image, o);
        // Weights of up to 8 tiles times 8 images, each rounded three times, sum to 1.
        CHECK(largest_difference(y, whole) < 64 * 4 * 0x1p-24);
        const int64_t tiles = 5 * 1 * 4 * (mirror[0] ? 2 : 1) * (mirror[1] ? 2 : 1) * (mirror[2] ? 2 : 1);
        CHECK(total == tiles);
        CHECK(last == tiles);
        CHECK(calls == (tiles + batch - 1) / batch);
        CHECK(sliding_window_labels(pointwise_net, image, o).values() == argmax_labels(y).values());
      }
}

TEST_CASE("tiles are blended by importance") {
  const SlidingWindowOptions o{.patch = {4, 4, 8}};
  const Tensor y = sliding_window(place_net, Tensor::zeros({4, 4, 12, 1}), o);  // tiles along W at 0 and 4
  const auto g = tile_importance(8);
  for (int64_t w = 0; w < 12; ++w) {
    double sum = 0, weight = 0;
    for (int64_t start : {0, 4})
      if (w >= start && w < start + 8) sum += g[size_t(w - start)] * double(w - start), weight += g[size_t(w - start)];
    for (int64_t d = 0; d < 4; ++d)
      for (int64_t h = 0; h < 4; ++h) {
        const float* logits = y.view().as<float>() + ((d * 4 + h) * 12 + w) * 3;
        CHECK(logits[0] == Approx(d).margin(1e-6));
        CHECK(logits[1] == Approx(h).margin(1e-6));
        CHECK(logits[2] == Approx(sum / weight).margin(1e-5));
      }
  }
}

TEST_CASE("mirror images are mirrored back") {
  // Seen by a net that names places within the tile, the mean of an axis and its mirror image is its middle.
  for (const std::array<bool, 3> axes : {std::array{true, false, true}, {false, true, false}, {true, true, true}}) {
    const Tensor y = sliding_window(place_net, Tensor::zeros({5, 6, 7, 1}), {.patch = {5, 6, 7}, .mirror = axes});
    for (int64_t i = 0; i < 5 * 6 * 7; ++i) {
      CHECK(y.view().as<float>()[3 * i] == Approx(axes[0] ? 2 : double(i / 42)).margin(1e-6));
      CHECK(y.view().as<float>()[3 * i + 1] == Approx(axes[1] ? 2.5 : double(i / 7 % 6)).margin(1e-6));
      CHECK(y.view().as<float>()[3 * i + 2] == Approx(axes[2] ? 3 : double(i % 7)).margin(1e-6));
    }
  }
}

TEST_CASE("a volume smaller than the patch lies in its middle, among zeros") {
  const Tensor image = random_image({3, 9, 4, 1});
  double inside = 0, sum = 0;
  const Net net = [&](const Tensor& x) {
    CHECK(x.shape() == Shape{1, 8, 8, 9, 1});
    for (double v : x.values()) sum += v != 0;
    inside += x.view().as<float>()[(2 * 8 + 0) * 9 + 2] != 0;  // pads: (8 - 3) / 2 = 2 along D, (9 - 4) / 2 = 2 along W
    CHECK(x.view().as<float>()[(1 * 8 + 0) * 9 + 2] == 0);
    CHECK(x.view().as<float>()[(2 * 8 + 0) * 9 + 1] == 0);
    return pointwise_net(x);
  };
  const Tensor y = sliding_window(net, image, {.patch = {8, 8, 9}});
  CHECK(sum == 2 * 3 * 8 * 4);  // tiles at 0 and 1 along H
  CHECK(inside == 2);
  CHECK(largest_difference(y, pointwise_net(image.reshape({1, 3, 9, 4, 1})).reshape({3, 9, 4, 2})) < 16 * 0x1p-24);
}

TEST_CASE("the result does not depend on the number of threads or on the batch") {
  const Tensor image = random_image({19, 14, 23, 1});
  const int before = threads();
  const auto run = [&](int n, int64_t batch) {
    set_threads(n);
    const auto y = sliding_window(place_net, image, {.patch = {8, 6, 10}, .batch = batch, .mirror = {true, true, false}}).values();
    set_threads(before);
    return y;
  };
  const auto one = run(1, 1);
  CHECK(run(3, 1) == one);
  CHECK(run(2, 5) == one);
}

TEST_CASE("the net runs at inference") {
  bool inference = false;
  const Net net = [&](const Tensor& x) {
    inference = Inference::active();
    return x;
  };
  sliding_window(net, Tensor::zeros({4, 4, 4, 1}), {.patch = {4, 4, 4}});
  CHECK(inference);
}

TEST_CASE("bad nets, images and options are errors") {
  using Catch::Matchers::Contains;
  const Tensor image = random_image({6, 6, 6, 1});
  const SlidingWindowOptions o{.patch = {4, 4, 4}};
  int calls = 0;
  const Net diverged = [&](const Tensor& x) { return ++calls == 3 ? log(affine(x, 0, -1)) : x; };
  CHECK_THROWS_WITH(sliding_window(diverged, image, o), Contains("not finite"));
  CHECK_THROWS_WITH(sliding_window([](const Tensor& x) { return log(affine(x, 0, 0)); }, image, o), Contains("not finite"));
  CHECK_THROWS_WITH(sliding_window([](const Tensor&) { return Tensor::zeros({1, 2, 4, 4, 2}); }, image, o), Contains("{1, 2, 4, 4, 2}"));
  CHECK_THROWS_WITH(sliding_window(pointwise_net, Tensor::zeros({4, 4, 4}), o), Contains("{D, H, W, C}"));
  CHECK_THROWS_WITH(sliding_window(pointwise_net, image, {.patch = {4, 0, 4}}), Contains("4x0x4"));
  CHECK_THROWS_WITH(sliding_window(pointwise_net, image, {.patch = {4, 4, 4}, .overlap = 1}), Contains("overlap"));
  CHECK_THROWS_WITH(sliding_window(pointwise_net, image, {.patch = {4, 4, 4}, .batch = 0}), Contains("batch"));
}

TEST_CASE("progress shows count, rate, time left and notes") {
  const ProgressOptions o{.what = "predict", .unit = "tile", .total = 12};
  CHECK(progress_line(o, {.done = 3, .total = 12, .rate = 1.5, .elapsed_s = 2}, "case_1") ==
        "predict  3/12 tile  1.5 tile/s  0:06 left  case_1");
  CHECK(progress_line(o, {.done = 12, .total = 12, .rate = 0.25, .elapsed_s = 48}, "") == "predict  12/12 tile  4.0 s/tile  in 0:48");
  CHECK(progress_line(o, {.done = 0, .total = 12}, "") == "predict  0/12 tile");
  CHECK(progress_bar(o, {.done = 6, .total = 12, .rate = 20, .elapsed_s = 1}, "", 52) ==
        "predict [=====>    ] 6/12 tile  20 tile/s  0:00 left");
  CHECK(progress_bar(o, {.done = 6, .total = 12}, "a long note", 20).size() == 20);
  // Against a clock the total is unknown and the fraction is not.
  CHECK(progress_bar(o, {.done = 40, .fraction = 0.5}, "loss 1", 36) == "predict [=====>    ] 40 tile  loss 1");
  CHECK(progress_bar(o, {.done = 40}, "loss 1", 36) == "predict  40 tile  loss 1");
  CHECK(duration_text(3723.4) == "1:02:03");
  CHECK(duration_text(59.6) == "1:00");
}

TEST_CASE("progress without a terminal writes the first and the last line and few between") {
  std::FILE* file = std::tmpfile();
  {
    Progress p({.what = "train", .total = 1000, .out = file});
    for (int64_t i = 1; i <= 1000; ++i) p.update(i);
    p.message("saved");
  }
  std::rewind(file);
  std::string text(10000, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file));
  std::fclose(file);
  CHECK(std::count(text.begin(), text.end(), '\n') == 3);
  CHECK_THAT(text, Catch::Matchers::Contains("train  1/1000 step") && Catch::Matchers::Contains("1000/1000") &&
                       Catch::Matchers::Contains("\nsaved\n"));
}
