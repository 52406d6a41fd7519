#pragma once
#include <filesystem>

#include "tasks/segmentation/metrics.h"
#include "tasks/task.h"

namespace voxgrad {

// Masks against references of the same case ids, in two folders or two files. Masks must lie on the grid of their reference, within a
// twentieth of a voxel. Names of classes that are not given are those of the dataset.json beside the references, as nnU-Net lays it. Shows
// progress.
Evaluation evaluate_files(const std::filesystem::path& predictions, const std::filesystem::path& references, const EvaluateOptions&);

}  // namespace voxgrad
