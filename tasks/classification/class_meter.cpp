#include "tasks/classification/class_meter.h"

#include "tasks/classification/class_scores.h"

namespace voxgrad {
namespace {

class ClassMeter : public Meter {
 public:
  explicit ClassMeter(int classes) : classes_(classes) {}

  void add(const Case& c, const std::vector<Field>& prediction) override {
    cases_.push_back({prediction.at(0).data.values(), int(c.sample.at("class").item())});
  }
  Scores scores() const override {
    Scores s{.name = "auc", .text = "AUC", .value = auc(cases_)};
    const auto confusion = confusion_matrix(cases_, classes_);
    s.others = {{"accuracy", accuracy(confusion)}, {"balanced_accuracy", balanced_accuracy(confusion)}};
    return s;
  }

 private:
  int classes_;
  std::vector<ClassifiedCase> cases_;
};

}  // namespace

std::unique_ptr<Meter> class_meter(int classes) { return std::make_unique<ClassMeter>(classes); }

}  // namespace voxgrad
