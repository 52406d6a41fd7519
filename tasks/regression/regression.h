#pragma once
#include "tasks/values/image_input.h"
#include "tasks/values/values.h"

namespace voxgrad {

struct RegressionOptions {
  // Keys of the cases (of dataset.json, or columns of a table) that are learned, or within "target" or "value" where that is an object;
  // empty: all numbers of its "target" or "value".
  std::vector<std::string> values = {};
  std::string loss = "mse";          // mse, l1 or huber; of differences in standard deviations of the training cases
  double huber_delta = 1;            // where Huber's loss turns from a square into a line
  std::string uncertainty = "none";  // or gaussian: the network gives mean and log variance
  double beta = 0.5;                 // of the beta-NLL; 0: the Gaussian NLL
  ImageInput image = {};
  // Of the training cases: what the network learns is (value - mean) / std. Set by the data set.
  std::vector<double> mean = {}, std = {};
};

// Numbers of an image. Results are JSON, {"values": {name: v}} and with uncertainty {"std": {name: s}}, in the units of the data set.
//
// Losses of standardised targets t and predictions m, means over cases and values. mse: (m - t)^2. l1: |m - t|. huber (Huber 1964), for
// a = |m - t|: a^2 / 2 up to delta, else delta (a - delta / 2). With uncertainty=gaussian the network also gives s = ln var, and the loss
// is the beta-NLL (Seitzer et al. 2022), stop_gradient(var^beta) (s + (m - t)^2 / var) / 2, which is the Gaussian NLL (Kendall and Gal
// 2017) for beta 0 and gives each case the gradient of a squared error for beta 1; s is held within -15 and 15.
// With input=patch a case has the mean of what its tiles say, and the standard deviation of their mixture.
class Regression : public ValuesTask {
 public:
  explicit Regression(const RegressionOptions&);

  std::vector<Field> targets(const DatasetCase&, const Geometry&, const std::vector<std::string>& labels) const override;
  // The names of the values, then with uncertainty "log variance of NAME".
  std::vector<std::string> outputs(const Dataset&) const override;
  Double3 centre(const Case&, const Int3& patch, bool forced, Rng) const override;
  Tensor loss(const std::vector<Tensor>& outputs, const Batch&) const override;
  // Field "value" {K} in units of the data set, with uncertainty {2K}: values, then standard deviations.
  std::vector<Field> predict(const Network&, const ModelDescription&, const Case&, const PredictOptions&) const override;
  std::unique_ptr<Meter> meter(const std::vector<std::string>& outputs) const override;
  Result apply(const Model&, const Preprocessed&, const PredictOptions&) const override;
  const char* product() const override { return "values"; }
  Evaluated evaluate(const std::filesystem::path& predictions, const std::filesystem::path& references,
                     const EvaluateOptions&) const override;

 protected:
  std::vector<std::pair<std::string, std::string>> columns(const Json& result) const override;
  std::string in_words(const Json& result) const override;

 private:
  bool uncertain() const { return options_.uncertainty == "gaussian"; }
  // Values, then standard deviations where there are any, in the units of the data set, of outputs {T, K} of T tiles.
  std::vector<double> in_units(const Tensor& outputs) const;

  RegressionOptions options_;
};

// The values of a case by these names; all that it has where there are none. Without any, or where one is no finite number, an Error in the
// name of where.
std::vector<std::pair<std::string, double>> values_of(const DatasetCase&, const std::vector<std::string>& names, const std::string& where);
bool has_values(const DatasetCase&, const std::vector<std::string>& names);

// mean and std of options that leave them open, from the cases of the data set; and the names of the values where these are open.
bool adapt_regression(RegressionOptions&, const Dataset&);

}  // namespace voxgrad
