#include "train/validation.h"

#include "core/autograd.h"
#include "train/sliding_window.h"

namespace voxgrad {

std::vector<std::vector<double>> dice_by_case(const UNet& net, CaseStore& store, const std::vector<std::string>& ids, Device device,
                                              const std::function<void(int64_t done)>& progress) {
  Inference quiet;
  const ModelDescription& d = store.description();
  const int classes = int(d.labels.size());
  PredictOptions options = predict_options(d);
  options.mirror = false;
  options.device = device;
  std::vector<std::vector<double>> out;
  for (auto& id : ids) {
    const std::shared_ptr<const Case> c = store.get(id);
    const Tensor predicted = argmax_labels(predict_logits(net, d, c->sample.image(), options));
    std::vector<double> dice;
    for (auto& counts : confusion(predicted, c->sample.at("label"), classes)) dice.push_back(counts.dice());
    dice.erase(dice.begin());  // the background
    out.push_back(std::move(dice));
    progress(int64_t(out.size()));
  }
  return out;
}

ValidationScores mean_of(const std::vector<std::vector<double>>& cases, int classes) {
  ValidationScores s;
  for (int k = 0; k + 1 < classes; ++k) {
    std::vector<double> column;
    for (auto& c : cases) column.push_back(c[size_t(k)]);
    s.dice_by_class.push_back(nan_mean(column));
  }
  s.dice = nan_mean(s.dice_by_class);
  return s;
}

}  // namespace voxgrad
