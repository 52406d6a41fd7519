#include "tasks/classification/class_meter.h"

#include "tasks/classification/class_judge.h"
#include "tasks/classification/temperature.h"

namespace voxgrad {
namespace {

class ClassMeter : public Meter {
 public:
  ClassMeter(int classes, ClassProbabilities probabilities) : classes_(classes), probabilities_(std::move(probabilities)) {}

  void add(const Case& c, const std::vector<Field>& prediction) override {
    const std::vector<double> truth = c.sample.at("class").values();
    ClassifiedCase one{.probabilities = prediction.at(0).data.values()};
    if (truth.size() == 1) one.truth = int(truth[0]);
    else one.present.assign(truth.begin(), truth.end());
    cases_.push_back(std::move(one));
    if (prediction.size() > 1) outputs_.push_back(prediction[1].data);
  }
  Scores scores() const override {
    Scores s{.name = "auc", .text = "AUC", .value = auc(cases_)};
    const bool labels = !cases_.empty() && !cases_[0].present.empty();
    const ClassJudge judge(cases_, classes_, 0.5);
    const std::vector<double> all = judge.scores(std::vector<int>(cases_.size(), 1));
    for (size_t i = 0; i < all.size(); ++i) {
      const auto& [key, of] = judge.names()[i];
      if (of < 0 && (key == "accuracy" || key == (labels ? "subset_accuracy" : "balanced_accuracy"))) s.others.emplace_back(key, all[i]);
    }
    return s;
  }
  Calibration calibration() const override {
    if (!probabilities_ || outputs_.empty() || outputs_.size() != cases_.size()) return {};
    const auto nll = [&](double t) {
      double sum = 0;
      for (const ClassifiedCase& c : at(t)) sum += nll_of(c);
      return sum / double(cases_.size());
    };
    const double t = fitted_temperature(nll);
    char text[200];
    std::snprintf(text, sizeof text, "temperature %.4f: NLL %.4f, ECE %.4f; without it NLL %.4f, ECE %.4f", t, nll(t), error_of(at(t)),
                  nll(1), error_of(at(1)));
    char options[64];
    std::snprintf(options, sizeof options, R"({"temperature": %.17g})", t);
    return {options, text};
  }

 private:
  std::vector<ClassifiedCase> at(double temperature) const {
    std::vector<ClassifiedCase> out = cases_;
    for (size_t i = 0; i < out.size(); ++i) out[i].probabilities = probabilities_(outputs_[i], temperature);
    return out;
  }
  double error_of(const std::vector<ClassifiedCase>& cases) const {
    double sum = 0;
    const bool labels = !cases[0].present.empty();
    for (int k = 0; k < (labels ? classes_ : 1); ++k)
      sum += expected_calibration_error(CalibrationBins(cases, labels ? k : -1).bins()) / (labels ? classes_ : 1);
    return sum;
  }

  int classes_;
  ClassProbabilities probabilities_;
  std::vector<ClassifiedCase> cases_;
  std::vector<Tensor> outputs_;
};

}  // namespace

std::unique_ptr<Meter> class_meter(int classes, ClassProbabilities probabilities) {
  return std::make_unique<ClassMeter>(classes, std::move(probabilities));
}

}  // namespace voxgrad
