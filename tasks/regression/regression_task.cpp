#include "core/config/json_values.h"
#include "tasks/regression/regression.h"
#include "tasks/regression/regression_judge.h"

namespace voxgrad {
namespace {

std::vector<double> numbers_from(const Json& v, double least) {
  check(v.is_array() && v.size() <= 4096, "a list of numbers is wanted");
  std::vector<double> out;
  for (auto& x : v) {
    check(x.is_number() && std::isfinite(x.get<double>()) && x.get<double>() > least, "finite numbers above ", least, " are wanted");
    out.push_back(x.get<double>());
  }
  return out;
}

std::vector<std::string> names_from(const Json& v) {
  check(v.is_array() && v.size() <= 4096, "a list of names is wanted");
  std::vector<std::string> out;
  for (auto& x : v) {
    check(x.is_string() && !x.get<std::string>().empty(), "a list of names is wanted");
    out.push_back(x.get<std::string>());
  }
  return out;
}

void add_keys(ConfigTable& t, RegressionOptions& o) {
  t.add_json(
      "values",
      "keys of the cases in dataset.json, or columns of a table, that are learned; []: the number, or all of {name: number}, that "
      "a case has as \"target\" or \"value\"",
      [&o] { return Json(o.values); }, [&o](const Json& v) { o.values = names_from(v); });
  t.choice("loss", o.loss, {"mse", "l1", "huber"}, "of differences in standard deviations of the training cases");
  t.number("huber_delta", o.huber_delta, 1e-6, 1e6, "difference from which Huber's loss is a line");
  t.choice("uncertainty", o.uncertainty, {"none", "gaussian"},
           "gaussian: the network gives mean and variance of each value, and the loss is the beta-NLL");
  add_image_input(t, o.image);
  t.number("beta", o.beta, 0, 1, "of the beta-NLL: 0 is the Gaussian negative log-likelihood, 1 weighs cases as a squared error does");
  t.add_json(
      "mean", "of the values in the training cases, by which they are standardised; []: computed", [&o] { return Json(o.mean); },
      [&o](const Json& v) { o.mean = numbers_from(v, -INFINITY); });
  t.add_json(
      "std", "their standard deviations; []: computed", [&o] { return Json(o.std); }, [&o](const Json& v) { o.std = numbers_from(v, 0); });
}

}  // namespace

TaskEntry regression_task() {
  return {.name = "regression",
          .summary = "numbers for each image, such as an age, with their uncertainty",
          .defaults = values_defaults("{}"),
          .options = [] { return Options::of<RegressionOptions>(add_keys); },
          .adapt = [](const Options& o, const Dataset& d) { return adapt_regression(o.as<RegressionOptions>(), d); },
          .make = [](const Options& o) { return std::make_shared<Regression>(o.as<RegressionOptions>()); },
          .describe_scores = describe_regression_scores};
}

}  // namespace voxgrad
