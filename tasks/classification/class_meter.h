#pragma once
#include <functional>
#include <memory>

#include "tasks/task.h"

namespace voxgrad {

// Probabilities of the classes of one image at a temperature, of what the network gave for it.
using ClassProbabilities = std::function<std::vector<double>(const Tensor& outputs, double temperature)>;

// AUC, which decides, and accuracies over cases with a field "class" ({1}: the class; {K}, of labels, 0 or 1 for each). Predictions are
// the probabilities of the K classes and, for calibration(), a second field with what the network gave, of which `probabilities` makes
// them. The calibration is {"temperature": t}, fitted by the likelihood of all cases.
std::unique_ptr<Meter> class_meter(int classes, ClassProbabilities probabilities = {});

}  // namespace voxgrad
