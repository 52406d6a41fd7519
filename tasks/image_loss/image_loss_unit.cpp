#include "tasks/image_loss/image_loss.h"

#include <cmath>

#include "core/autograd.h"
#include "core/config/json_values.h"
#include "kernels/binary/binary.h"
#include "kernels/random/random.h"
#include "layers/ssim.h"
#include "tests/catch.h"
#include "tests/close.h"

using namespace voxgrad;

namespace {
double loss_of(const std::string& json, const ImagePair& p) { return image_loss(image_loss_from(Json::parse(json)), p).item(); }
}  // namespace

TEST_CASE("losses of images are their formulas, and a sum has its weights") {
  const Shape s{1, 1, 1, 3, 1};
  const ImagePair p{Tensor::from({1.0, 0.0, 2.0}, s), Tensor::from({1.0, 0.5, 0.0}, s)};
  CHECK(close(loss_of(R"("l1")", p), 2.5 / 3, 1e-6));
  CHECK(close(loss_of(R"("l2")", p), 4.25 / 3, 1e-6));
  const double charbonnier = (std::sqrt(0.0001) + std::sqrt(0.25 + 0.0001) + std::sqrt(4.0001)) / 3 - 0.01;
  CHECK(close(loss_of(R"([{"kind": "charbonnier", "epsilon": 0.01}])", p), charbonnier, 1e-5));
  // d = 0, -1/2, 2: differences -1/2, 5/2 and 0 in the last plane along W, and 0 along H.
  CHECK(close(loss_of(R"("gradient")", p), 3.0 / 6, 1e-6));
  CHECK(close(loss_of(R"([{"kind": "l1", "weight": 2}, {"kind": "l2", "weight": 0.5}])", p), 5.0 / 3 + 4.25 / 6, 1e-6));
}

TEST_CASE("similarity is that of images with their base, others are those of the difference") {
  const Tensor x = rand({1, 1, 24, 22, 1}, Rng(1)), y = rand(x.shape(), Rng(2)), base = rand(x.shape(), Rng(3));
  const ImagePair p{x, y, base};
  CHECK(close(loss_of(R"("ssim")", p), 1 - ssim(x + base, y + base).item(), 1e-6));
  CHECK(close(loss_of(R"([{"kind": "ms_ssim", "range": 2}])", p), 1 - multi_scale_ssim(x + base, y + base, {.range = 2}).item(), 1e-6));
  CHECK(close(loss_of(R"("l1_ssim")", {x, y}), loss_of(R"("l1")", p) + 0.1 * (1 - ssim(x, y).item()), 1e-6));
  for (const char* kind : {"l1", "l2", "charbonnier", "gradient", "ssim", "ms_ssim"}) {
    CAPTURE(kind);
    CHECK(std::abs(loss_of("\"" + std::string(kind) + "\"", {x, x, base})) < 1e-6);
    Tensor moved = x.clone();
    moved.require_grad();
    backward(image_loss({{.kind = kind}}, {moved, y, base}));
    CHECK(bool(moved.grad()));
  }
}

TEST_CASE("a masked loss is the mean over the mask") {
  const Shape s{1, 1, 1, 4, 2};
  const Tensor mask = Tensor::from({1.0, 0.0, 1.0, 0.0}, {1, 1, 1, 4, 1});
  const ImagePair p{Tensor::from({1.0, 2.0, 5.0, 5.0, 0.0, 1.0, 7.0, 7.0}, s), Tensor::zeros(s), {}, mask};
  CHECK(close(loss_of(R"("l1")", p), 1, 1e-6));
  CHECK(close(loss_of(R"("l2")", p), 1.5, 1e-6));
  CHECK(close(loss_of(R"([{"kind": "charbonnier", "epsilon": 1e-6}])", p), 1, 1e-4));
  CHECK_THROWS_WITH(loss_of(R"("ssim")", p), Catch::Matchers::Contains("masked"));
}

TEST_CASE("losses of a configuration") {
  const auto read = [](const char* text) { return image_loss_from(Json::parse(text)); };
  CHECK(json_of(read(R"("l2")")) == "l2");
  const ImageLoss two = read(R"([{"kind": "l1", "weight": 0.5}, {"kind": "ssim", "range": 3, "volume": true}])");
  CHECK(image_loss_from(json_of(two)) == two);
  CHECK(is_of_voxels(read(R"("charbonnier")")));
  CHECK(!is_of_voxels(two));
  using Catch::Matchers::Contains;
  CHECK_THROWS_WITH(read(R"("l3")"), Contains("charbonnier"));
  CHECK_THROWS_WITH(read("[]"), Contains("name of a loss"));
  CHECK_THROWS_WITH(read(R"([{"kind": "l1", "weigth": 1}])"), Contains("weight"));
}
