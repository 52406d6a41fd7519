#include <cmath>

#include "core/config/json_values.h"
#include "io/json_file.h"
#include "tasks/classification/class_meter.h"
#include "tasks/classification/classification.h"
#include "tasks/classification/temperature.h"
#include "tests/catch.h"
#include "tests/close.h"

using namespace voxgrad;

TEST_CASE("the temperature is where the likelihood is largest, or 1 where it says nothing") {
  CHECK(close(fitted_temperature([](double t) { return std::pow(std::log(t / 2.5), 2); }), 2.5, 1e-5));
  CHECK(close(fitted_temperature([](double t) { return std::pow(1 / t - 4, 2); }), 0.25, 1e-5));
  CHECK(fitted_temperature([](double t) { return t; }) == 1);
  CHECK(fitted_temperature([](double t) { return -t; }) == 1);
  CHECK(fitted_temperature([](double) { return NAN; }) == 1);
}

namespace {

struct FixedLogits {
  Tensor out = Tensor::from({0.0, 2.0}, {1, 2});
  FIELDS(out)
  Tensor operator()(const Tensor&) const { return out; }
};

}  // namespace

TEST_CASE("a temperature makes a classifier less sure, of what it validates and of what it predicts") {
  const Network net(FixedLogits(), {.in_channels = 1, .out_channels = 2, .dense = false}, "{}");
  ModelDescription d;
  d.traits = net.traits(), d.patch = {1, 1, 1}, d.labels = {"a", "b"};
  const Tensor image = Tensor::zeros({1, 1, 1, 1});
  const auto fields = Classification({.temperature = 2}).predict(net, d, {.id = "x", .sample = sample_of(image)}, {});
  CHECK(close(fields.at(0).data.values()[1], 1 / (1 + std::exp(-1.0)), 1e-6));
  CHECK(fields.at(1).data.values() == std::vector<double>{0, 2});
  const Json j = parse_json(Classification({.temperature = 4}).apply({net, d}, {.image = image, .geometry = {}}, {}).json, "result");
  CHECK(close(j["probabilities"]["b"].get<double>(), 1 / (1 + std::exp(-0.5)), 1e-6));
  CHECK(j["class"] == "b");
}

TEST_CASE("a classifier is calibrated by all cases of its meter") {
  const auto softmax_of = [](const Tensor& z, double t) {
    const std::vector<double> v = z.values();
    const double p = 1 / (1 + std::exp((v[0] - v[1]) / t));
    return std::vector<double>{1 - p, p};
  };
  const auto meter = class_meter(2, softmax_of);
  const auto add = [&](double logit, int truth) {
    const Tensor z = Tensor::from({0.0, logit}, {2});
    meter->add({.id = "x", .sample = {{{"class", DataKind::values, Tensor::from({double(truth)}, {1}, DType::i32)}}}},
               {{"class", DataKind::values, Tensor::from(softmax_of(z, 1), {2})}, {"outputs", DataKind::values, z}});
  };
  // Always as sure, e^4 : 1, and right in three of four: the logit that says so is ln 3.
  for (int i = 0; i < 4; ++i) add(4, i > 0), add(-4, i == 0);
  const double t = parse_json(meter->calibration().options, "calibration")["temperature"].get<double>();
  CHECK(close(t, 4 / std::log(3.0), 1e-4));
  CHECK_THAT(meter->calibration().text, Catch::Matchers::Contains("ECE 0.0000; without it NLL 1.0181, ECE 0.2320"));
  CHECK(class_meter(2)->calibration().options.empty());
}
