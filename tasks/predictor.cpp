#include "tasks/predictor.h"

#include "tasks/segmentation/postprocessing/postprocessing.h"

namespace voxgrad {

Predictor::Predictor(const std::filesystem::path& model, const Device& device, const LoadModelOptions& o)
    : Predictor(std::vector{model}, device, o) {}
Predictor::Predictor(const std::vector<std::filesystem::path>& models, const Device& device, const LoadModelOptions& o)
    : Predictor(load_ensemble(models, o), device) {
  if (models.size() == 1) options_.postprocessing = postprocessing_of(models[0]);
}
Predictor::Predictor(Model model, const Device& device)
    : model_(std::move(model)), task_(make_task(model_.description.task)), options_(predict_options(model_.description)) {
  options_.device = device;
  move_to(model_.net, device);
}

Result Predictor::operator()(const Volume& image, const std::string& name) const { return (*this)(image, name, options_); }
Result Predictor::operator()(const Volume& image, const std::string& name, PredictOptions o) const {
  return finished((*this)(prepare(image, name), o), o);
}
Preprocessed Predictor::prepare(const Volume& image, const std::string& name, const PreviousMask* previous) const {
  if (auto measured = task_->measurements(image, name)) return std::move(*measured);
  return preprocess(task_->refined(image, model_.description), model_.description, name, {.previous = previous});
}
Result Predictor::operator()(const Preprocessed& image, PredictOptions o) const {
  o.device = options_.device;
  return task_->apply(model_, image, o);
}

}  // namespace voxgrad
