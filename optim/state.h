#pragma once
#include "optim/parameter_group.h"

// What the optimizers share.
namespace voxgrad {

// Throws Error unless every parameter is trainable and has a name of its own.
void check_groups(const char* who, const std::vector<ParameterGroup>&);

// The device that all parameters are on; throws Error where they are on several.
Device device_of(const char* who, const std::vector<ParameterGroup>&);

// In a step that is recorded: has the device note the norm of the gradients and clip them to max_norm (0: not); whether all are finite is
// said when the step is done.
void judge_recorded(const std::vector<Parameter>&, double max_norm);
// The same without clipping, where nobody has asked for the norm of these gradients.
void check_judged(const std::vector<Parameter>&);

// Copies tensors by name; both sides must hold the same names, shapes and dtypes.
void copy_state(const char* who, const std::vector<Parameter>& from, const std::vector<Parameter>& into);

}  // namespace voxgrad
