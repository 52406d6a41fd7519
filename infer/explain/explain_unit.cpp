#include <cmath>

#include "core/rng.h"
#include "infer/explain/explain.h"
#include "kernels/binary/binary.h"
#include "kernels/reduce/reduce.h"
#include "layers/conv.h"
#include "tests/catch.h"
#include "tests/close.h"

using namespace voxgrad;
using Catch::Matchers::Contains;

namespace {

// A convolution, ReLU, the mean over the volume and a linear layer; with `dense` the convolution alone.
struct Small {
  Conv3d conv;
  Linear head;
  bool dense;
  FIELDS(conv, head)

  Small(int outputs, bool d, Rng& rng)
      : conv({.in = 1, .out = d ? outputs : 3, .kernel = d ? Int3{1, 1, 1} : Int3{3, 3, 3}}, rng),
        head({.in = 3, .out = outputs}, rng),
        dense(d) {}
  Tensor operator()(const Tensor& x) const { return dense ? conv(x) : head(mean(relu(conv(x)), {1, 2, 3})); }
};

// The sum of the voxels times 2, and times -1.
struct Line {
  Tensor weight = Tensor::from({2.0, -1.0}, {1, 2}).require_grad();
  FIELDS(weight)
  Tensor operator()(const Tensor& x) const { return sum(x, {1, 2, 3}).reshape({1, 1}) * weight; }
};

Network small(int outputs, bool dense = false) {
  Rng rng(3);
  return {Small(outputs, dense, rng), {.in_channels = 1, .out_channels = outputs, .dense = dense}, "{}"};
}

Tensor noise_image(const Shape& shape) {
  Rng rng(5);
  std::vector<double> v;
  for (int64_t i = 0; i < shape.count(); ++i) v.push_back(rng.normal());
  return Tensor::from(v, shape);
}

}  // namespace

TEST_CASE("the class activation map of a linear head is its weights times the activations") {
  Network net = small(2);
  const Tensor x = noise_image({1, 4, 5, 6, 1});
  const Explanation e = explain(net, x, ExplainMethod::grad_cam, {.output = 1});
  CHECK(e.layer == "conv");
  const Small& s = *net.as<Small>();
  CHECK(close(e.score, net(x)[0].values()[1], 1e-6));
  // d score / d A = w (A > 0) / voxels for the convolution's output A; the mean over the voxels weighs each channel.
  const std::vector<double> a = s.conv(x).values(), w = s.head.weight.values(), map = e.map.values();
  double weight[3];
  for (size_t c = 0; c < 3; ++c) {
    double active = 0;
    for (size_t i = c; i < a.size(); i += 3) active += a[i] > 0;
    weight[c] = w[3 + c] / 120 * active / 120;
  }
  bool above = false;
  for (size_t i = 0; i < map.size(); ++i) {
    double sum = 0;
    for (size_t c = 0; c < 3; ++c) sum += weight[c] * a[3 * i + c];
    CHECK(close(map[i], std::max(0.0, sum), 1e-7));
    above |= map[i] > 0;
  }
  CHECK(above);
  CHECK_THROWS_WITH(explain(net, x, ExplainMethod::grad_cam, {.layer = "head"}), Contains("no layer \"head\"") && Contains("conv"));
  CHECK_THROWS_WITH(explain(net, x, ExplainMethod::grad_cam, {.output = 2}), Contains("no output 2"));
}

TEST_CASE("integrated gradients of a line are its terms, and add up to the score of any network") {
  Network line(Line(), {.in_channels = 1, .out_channels = 2, .dense = false}, "{}");
  const Tensor x = noise_image({1, 2, 3, 3, 1});
  const Explanation e = explain(line, x, ExplainMethod::integrated_gradients, {.steps = 3});
  for (size_t i = 0; i < 18; ++i) CHECK(close(e.map.values()[i], 2 * x.values()[i], 1e-6));
  CHECK(e.baseline == 0);
  Network net = small(2);
  const Explanation bent = explain(net, noise_image({1, 4, 5, 6, 1}), ExplainMethod::integrated_gradients, {.steps = 100});
  double sum = 0;
  for (double v : bent.map.values()) sum += v;
  CHECK(close(sum - (bent.score - bent.baseline), bent.completeness, 1e-6));
  CHECK(std::abs(bent.completeness) < 0.01 * std::abs(bent.score - bent.baseline));
}

TEST_CASE("occlusion of a line is what the boxes hide, on average over the boxes that cover a voxel") {
  Network line(Line(), {.in_channels = 1, .out_channels = 2, .dense = false}, "{}");
  const Tensor x = Tensor::from({1.0, 2.0, 3.0, 4.0, 5.0}, {1, 1, 1, 5, 1});
  const auto map = [&](ExplainOptions o) { return explain(line, x, ExplainMethod::occlusion, o).map.values(); };
  CHECK(map({.box = {1, 1, 1}}) == std::vector<double>{2, 4, 6, 8, 10});
  // Boxes of two at 0, 2 and, to end with the image, 3.
  CHECK(map({.box = {1, 1, 2}, .stride = {1, 1, 2}}) == std::vector<double>{6, 6, 14, 16, 18});
  CHECK(map({.box = {1, 1, 1}, .fill = 1}) == std::vector<double>{0, 2, 4, 6, 8});
}

TEST_CASE("of a network with a value per voxel the voxels count in which the output is the largest") {
  Network net = small(3, true);
  const Tensor x = noise_image({1, 2, 3, 4, 1});
  const std::vector<double> y = net(x)[0].values();
  double wanted = 0;
  for (size_t i = 0; i < y.size(); i += 3)
    if (y[i + 1] > y[i] && y[i + 1] > y[i + 2]) wanted += y[i + 1];
  REQUIRE(wanted != 0);
  CHECK(close(explain(net, x, ExplainMethod::integrated_gradients, {.output = 1, .steps = 1}).score, wanted, 1e-6));
}

TEST_CASE("the map of the middle lies where the patch was, among zeros, and beyond the image there is nothing") {
  Network line(Line(), {.in_channels = 1, .out_channels = 2, .dense = false}, "{}");
  ModelDescription d;
  d.patch = {2, 4, 3};
  const Tensor image = noise_image({5, 2, 3, 1});
  const Explanation e = explain_middle(line, d, image, ExplainMethod::integrated_gradients, {.steps = 1});
  REQUIRE(e.map.shape() == Shape({5, 2, 3}));
  for (size_t i = 0; i < 30; ++i) {
    const bool seen = i / 6 == 1 || i / 6 == 2;
    CHECK(close(e.map.values()[i], seen ? 2 * image.values()[i] : 0, 1e-6));
  }
}

TEST_CASE("a picture of an explanation is red where the map is above 0 and blue below") {
  Tensor map = Tensor::zeros({1, 2, 2});
  map.mutable_data<float>()[3] = 1, map.mutable_data<float>()[0] = -1;
  const Volume image{Tensor::full({1, 2, 2, 1}, 0.5), Affine::scaling({1, 1, 1})};
  const Picture p = explanation_picture(image, map, "x", Window{0, 1});
  const int left = 2 * 12 + 256;
  // The last row and column of voxels is the top left of the picture.
  CHECK(p.at(left + 10, 34 + 10).r > 200);
  CHECK(p.at(left + 246, 34 + 246).b > 200);
  CHECK(p.at(left + 246, 34 + 10) == Color{128, 128, 128});
  CHECK(p.at(12 + 10, 34 + 10) == Color{128, 128, 128});
}
