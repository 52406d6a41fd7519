#pragma once
#include <filesystem>

#include "io/picture/picture.h"

namespace voxgrad {

// Loss, the validation's score (and its parts) and learning rate over the steps of a run, from the lines of its metrics.jsonl:
// {"step", "loss", "learning_rate"} and {"step", "validation_NAME", "NAME": {part: value}}, such as "validation_dice" and "dice". An
// incomplete last line is ignored, and a run that has logged nothing has no such file.
Picture training_curves(const std::filesystem::path& metrics_jsonl);

}  // namespace voxgrad
