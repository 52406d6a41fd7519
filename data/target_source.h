#pragma once
#include <vector>

#include "augment/foreground.h"
#include "augment/sample.h"
#include "data/dataset.h"
#include "data/preprocess.h"

namespace voxgrad {

// What is known of a case beside its image: what a task adds to a sample.
class TargetSource {
 public:
  virtual ~TargetSource() = default;
  // The image that training and validation preprocess in place of that of a case's files, such as the same on the finer grid of its target.
  virtual Volume training_image(const Volume& image, const ModelDescription&) const { return image; }
  // The targets of a case in the geometry of its preprocessed image. labels: names of what the network's outputs stand for. What cannot be
  // used is an Error by the name of its file.
  virtual std::vector<Field> targets(const DatasetCase&, const Geometry&, const std::vector<std::string>& labels) const = 0;
  // The same for tasks that look at more of the preprocessed image, such as how its intensities were changed.
  virtual std::vector<Field> fields(const DatasetCase& c, const Preprocessed& p, const ModelDescription& d) const {
    return targets(c, p.geometry, d.labels);
  }
  // What of the task's options decides targets and places, as JSON: cases are preprocessed once for all tasks that agree in it. Empty: all
  // of them do.
  virtual std::string decides_targets() const { return ""; }
  // The value of voxels that say nothing, in fields of kind labels; -1: none.
  virtual int ignored_label() const { return -1; }
  // Voxels that patches may be asked to be centred on, by class; none by default.
  virtual ForegroundIndex places(const Sample& sample) const { return {.classes = {}, .size = volume_size(sample.image())}; }
};

}  // namespace voxgrad
