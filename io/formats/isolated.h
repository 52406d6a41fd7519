#pragma once
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace voxgrad {

// Runs `work` in a child process and returns what it emitted. For decoders of others: GDCM as distributions package it ends the process
// on malformed DICOM files, and warnings of all of them go to the terminal. An exception of `work`, or its crash, becomes an Error that
// begins with `who`. The child has one thread and must not touch tensors.
using Emit = std::function<void(const void* data, size_t bytes)>;
std::vector<std::byte> isolated(const std::string& who, const std::function<void(const Emit&)>& work);

}  // namespace voxgrad
