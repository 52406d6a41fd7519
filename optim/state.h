#pragma once
#include "optim/parameter_group.h"

// What the optimizers share.
namespace voxgrad {

// Throws Error unless every parameter is trainable and has a name of its own.
void check_groups(const char* who, const std::vector<ParameterGroup>&);

// The device that all parameters are on; throws Error where they are on several.
Device device_of(const char* who, const std::vector<ParameterGroup>&);

// Copies tensors by name; both sides must hold the same names, shapes and dtypes.
void copy_state(const char* who, const std::vector<Parameter>& from, const std::vector<Parameter>& into);

}  // namespace voxgrad
