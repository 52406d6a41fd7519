#pragma once
#include "data/dataset.h"
#include "train/planning/experiment_plan.h"

namespace voxgrad {

// The plan in the form of nnU-Net's plans.json, which nnU-Net and `nnunet_description` read. Axes are those of a fingerprint in canonical
// orientation, so the images are read by nnU-Net's NibabelIOWithReorient.
// normalization: of each channel; where it is "zscore", plan.mask decides whether of what is not 0 alone.
Json plans_json(const ExperimentPlan&, const Fingerprint&, const std::string& dataset_name, const std::vector<Normalization>&);

// For people: a line for each configuration and its stages.
std::string text_of(const ExperimentPlan&);

}  // namespace voxgrad
