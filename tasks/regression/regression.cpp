#include "tasks/regression/regression.h"

#include <cmath>

#include "core/config/json_values.h"
#include "core/error.h"
#include "io/json_file.h"
#include "kernels/binary/binary.h"
#include "kernels/mse_loss/mse_loss.h"
#include "kernels/reduce/reduce.h"
#include "kernels/slice/slice.h"
#include "tasks/regression/regression_judge.h"

namespace voxgrad {
namespace {

constexpr const char* kValue = "value";
constexpr double kMostLogVariance = 15;

class ValueMeter : public Meter {
 public:
  ValueMeter(std::vector<std::string> names, bool uncertain) : names_(std::move(names)), uncertain_(uncertain) {}

  void add(const Case& c, const std::vector<Field>& prediction) override {
    const std::vector<double> said = prediction.at(0).data.values(), real = c.sample.at("value_in_units").values();
    for (size_t k = 0; k < names_.size(); ++k)
      cases_[names_[k]].push_back({said.at(k), real.at(k), uncertain_ ? said.at(names_.size() + k) : NAN});
  }
  Scores scores() const override {
    Scores s{.name = "mae", .text = "mean absolute error", .value = NAN, .larger_is_better = false};
    double sum = 0;
    for (const std::string& name : names_) {
      const auto found = cases_.find(name);
      if (found == cases_.end()) return s;
      const RegressionJudge judge(found->second);
      const std::vector<double> all = judge.scores(std::vector<int>(found->second.size(), 1));
      const std::string of = names_.size() > 1 ? "_" + name : "";
      // Of several values, whose units differ, the mean of the errors in units of the spread of each.
      sum += names_.size() > 1 ? all[size_t(RegressionJudge::mae)] / judge.spread() : all[size_t(RegressionJudge::mae)];
      if (names_.size() > 1) s.parts.emplace_back(name, all[size_t(RegressionJudge::mae)]);
      s.others.emplace_back("r2" + of, all[size_t(RegressionJudge::r2)]);
      s.others.emplace_back("pearson" + of, all[size_t(RegressionJudge::pearson)]);
      if (uncertain_) s.others.emplace_back("nll" + of, all[size_t(RegressionJudge::nll)]);
    }
    s.value = sum / double(names_.size());
    return s;
  }

 private:
  std::vector<std::string> names_;
  bool uncertain_;
  std::map<std::string, std::vector<RegressedCase>> cases_;
};

Tensor huber(const Tensor& m, const Tensor& t, double delta) {
  const Tensor a = abs(m - t), square_part = clamp(a, 0, delta);
  return mean(square(square_part) * 0.5 + (a - square_part) * delta);
}

std::string text_of(double v) {
  char text[32];
  std::snprintf(text, sizeof text, "%.9g", v);
  return text;
}

}  // namespace

Regression::Regression(const RegressionOptions& o) : options_(o) {
  check(o.mean.size() == o.std.size() && (o.values.empty() || o.mean.empty() || o.mean.size() == o.values.size()),
        "regression: ", o.values.size(), " values with ", o.mean.size(), " means and ", o.std.size(), " standard deviations");
}

std::vector<Field> Regression::targets(const DatasetCase& c, const Geometry&, const std::vector<std::string>&) const {
  check(!options_.std.empty(), "regression: mean and standard deviation of the training cases are not known");
  std::vector<double> real, standardised;
  for (auto& [name, value] : values_of(c, options_.values, c.images.at(0).string())) {
    const size_t k = real.size();
    real.push_back(value);
    standardised.push_back((value - options_.mean.at(k)) / options_.std.at(k));
  }
  const int64_t k = int64_t(real.size());
  return {{kValue, DataKind::values, Tensor::from(standardised, {k})}, {"value_in_units", DataKind::values, Tensor::from(real, {k})}};
}

std::vector<std::string> Regression::outputs(const Dataset& d) const {
  check(!options_.values.empty(), "regression: the data set has not said what is learned");
  for (auto& c : d.cases) values_of(c, options_.values, source_of(d));
  std::vector<std::string> out = options_.values;
  if (uncertain())
    for (auto& name : options_.values) out.push_back("log variance of " + name);
  return out;
}

Tensor Regression::loss(const std::vector<Tensor>& outputs, const Batch& batch) const {
  const Tensor y = outputs.at(0).to(accum_of(outputs.at(0).dtype())), t = batch.at(kValue).to(y.dtype());
  const int64_t k = t.dim(1);
  const Tensor m = uncertain() ? slice(y, 1, 0, k) : y;
  if (!uncertain())
    return options_.loss == "mse" ? mse_loss(m, t) : options_.loss == "l1" ? l1_loss(m, t) : huber(m, t, options_.huber_delta);
  const Tensor s = clamp(slice(y, 1, k, 2 * k), -kMostLogVariance, kMostLogVariance);
  const Tensor nll = (s + square(m - t) * exp(-s)) * 0.5;
  return mean(options_.beta > 0 ? nll * exp(s.detach() * options_.beta).detach() : nll);
}

Double3 Regression::centre(const Case& c, const Int3& patch, bool forced, Rng rng) const {
  return options_.image.input == "patch" ? Task::centre(c, patch, forced, rng) : middle_centre(options_.image, c, patch, rng);
}

std::vector<double> Regression::in_units(const Tensor& outputs) const {
  const size_t k = options_.std.size(), each = uncertain() ? 2 * k : k, tiles = size_t(outputs.dim(0));
  check(size_t(outputs.dim(1)) == each, "regression: the network gives ", outputs.dim(1), " outputs for ", k, " values");
  const std::vector<double> y = outputs.values();
  std::vector<double> out(each);
  for (size_t i = 0; i < k; ++i) {
    double mean = 0, variance = 0;
    for (size_t t = 0; t < tiles; ++t) mean += y[t * each + i] / double(tiles);
    out[i] = mean * options_.std[i] + options_.mean[i];
    if (!uncertain()) continue;
    for (size_t t = 0; t < tiles; ++t) {
      const double apart = y[t * each + i] - mean, s = std::clamp(y[t * each + k + i], -kMostLogVariance, kMostLogVariance);
      variance += (std::exp(s) + apart * apart) / double(tiles);
    }
    out[k + i] = std::sqrt(variance) * options_.std[i];
  }
  return out;
}

std::vector<Field> Regression::predict(const Network& net, const ModelDescription& d, const Case& c, const PredictOptions& o) const {
  const std::vector<double> y = in_units(image_outputs(options_.image, net, d, c.sample.image(), o));
  return {{kValue, DataKind::values, Tensor::from(y, {int64_t(y.size())})}};
}

std::unique_ptr<Meter> Regression::meter(const std::vector<std::string>&) const {
  return std::make_unique<ValueMeter>(options_.values, uncertain());
}

Result Regression::apply(const Model& model, const Preprocessed& image, const PredictOptions& o) const {
  const std::vector<double> y = in_units(image_outputs(options_.image, model.net, model.description, image.image, o));
  Json j;
  for (size_t i = 0; i < options_.values.size(); ++i) {
    j["values"][options_.values[i]] = y[i];
    if (uncertain()) j["std"][options_.values[i]] = y.at(options_.values.size() + i);
  }
  return {.volume = {}, .json = j.dump()};
}

std::vector<std::pair<std::string, std::string>> Regression::columns(const Json& result) const {
  std::vector<std::pair<std::string, std::string>> out;
  for (auto& [name, value] : result.at("values").items()) out.emplace_back(name, text_of(value.get<double>()));
  if (result.contains("std"))
    for (auto& [name, value] : result["std"].items()) out.emplace_back("std of " + name, text_of(value.get<double>()));
  return out;
}

std::string Regression::in_words(const Json& result) const {
  std::string out;
  for (auto& [name, value] : result.at("values").items()) {
    out += (out.empty() ? "" : ", ") + name + " " + text_of(value.get<double>());
    if (result.contains("std")) out += " (std " + text_of(result["std"].at(name).get<double>()) + ")";
  }
  return out;
}

}  // namespace voxgrad
