#pragma once
#include "infer/model_file.h"
#include "tasks/task.h"

namespace voxgrad {

// A trained model as a function from images to results in memory, what `voxgrad predict` does for files:
//   const Predictor segment("runs/hippocampus");
//   const Volume mask = segment(read_volume("patient.nii.gz")).volume;
// Calls from several threads at a time are safe and give the bits of one after the other; each takes threads() of its caller.
class Predictor {
 public:
  // What load_ensemble takes: folders of runs, checkpoints, models of others; of several the mean output.
  explicit Predictor(const std::filesystem::path& model, const Device& device = {}, const LoadModelOptions& = {});
  explicit Predictor(const std::vector<std::filesystem::path>& models, const Device& device = {}, const LoadModelOptions& = {});
  // The network is moved to the device.
  explicit Predictor(Model, const Device& device = {});

  const ModelDescription& description() const { return model_.description; }
  const Task& task() const { return *task_; }
  // The defaults of a call: overlap and mirroring as the model was trained to be used with; of a single model given by its path the
  // post-processing that was chosen for it (tasks/segmentation/postprocessing).
  const PredictOptions& options() const { return options_; }

  // image: {D, H, W} or {D, H, W, C} with the model's channels in their order. name: of the image, for messages. options.device is the
  // predictor's, whatever it says.
  Result operator()(const Volume& image, const std::string& name = "the image") const;
  Result operator()(const Volume& image, const std::string& name, PredictOptions) const;
  // The same in three steps, of which the first and the last need no network and so may be taken while another image is computed.
  // previous: the mask of the first stage, where the model is a second one.
  Preprocessed prepare(const Volume& image, const std::string& name, const PreviousMask* previous = nullptr) const;
  Result operator()(const Preprocessed&, PredictOptions) const;
  Result finished(Result r, const PredictOptions& o) const { return task_->finished(std::move(r), o); }

 private:
  Model model_;
  std::shared_ptr<const Task> task_;
  PredictOptions options_;
};

}  // namespace voxgrad
