#pragma once
#include <filesystem>
#include <functional>
#include <string>

#include "core/config/registry.h"
#include "infer/model_file.h"

namespace voxgrad {

// A kind of trained network of other programs that load_model takes as it is. One file infer/NAME/NAME_source.cpp defines
// `ModelSource NAME_source()`; a program adds its own by model_sources().add(..).
struct ModelSource {
  std::string name, summary;
  std::function<bool(const std::filesystem::path&)> recognises;
  std::function<Model(const std::filesystem::path&, const LoadModelOptions&)> load;
};
Registry<ModelSource>& model_sources();
// The one that recognises it; null where none does.
const ModelSource* source_of(const std::filesystem::path&);

}  // namespace voxgrad
