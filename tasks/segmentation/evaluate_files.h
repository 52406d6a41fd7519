#pragma once
#include <filesystem>

#include "tasks/segmentation/metrics.h"
#include "tasks/task.h"

namespace voxgrad {

// Masks against references of the same case ids, in two folders or two files. Masks must lie on the grid of their reference, within a
// twentieth of a voxel. Names of classes that are not given are those of the dataset.json beside the references, as nnU-Net lays it. Shows
// progress.
Evaluation evaluate_files(const std::filesystem::path& predictions, const std::filesystem::path& references, const EvaluateOptions&);

// What is evaluated: names with the background first, and what values mean, as the options or the dataset.json beside the references say.
Labels evaluated_labels(const std::filesystem::path& references, const EvaluateOptions&);
// u8 {D, H, W} of a label map of any dtype; file: for messages.
Tensor label_values(const Volume&, const std::filesystem::path& file);

}  // namespace voxgrad
