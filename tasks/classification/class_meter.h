#pragma once
#include <memory>

#include "tasks/task.h"

namespace voxgrad {

// AUC, which decides, and accuracies over cases with a field "class"; predictions are the probabilities of the classes.
std::unique_ptr<Meter> class_meter(int classes);

}  // namespace voxgrad
