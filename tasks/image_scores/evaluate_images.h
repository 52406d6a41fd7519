#pragma once
#include "tasks/image_scores/image_scores.h"
#include "tasks/task.h"

namespace voxgrad {

// The scores of images against their references: a line for each case and one for each mean over cases that have the score, with intervals
// where options.resamples asks for them, and with options.versus the differences to other images of the same cases. JSON: {"cases": {id:
// {score: value}}, score: mean, .., "intervals": {score: {"low", "high", "undefined"}}, "versus": ..}; what is not finite is null. CSV: a
// line for each case.
Task::Evaluated evaluate_images(const std::filesystem::path& predictions, const std::filesystem::path& references, const EvaluateOptions&,
                                ScoreRange);

// For evaluate --help.
std::string describe_image_scores(ScoreRange);

}  // namespace voxgrad
