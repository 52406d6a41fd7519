#pragma once
#include <filesystem>
#include <functional>
#include <string>

#include "core/config/registry.h"
#include "data/dataset.h"

namespace voxgrad {

// A form in which data sets come. One file data/readers/NAME_dataset.cpp defines `DatasetReader NAME_dataset()`; a program adds its own
// by dataset_readers().add(..).
struct DatasetReader {
  std::string name, summary;
  std::function<bool(const std::filesystem::path&)> recognises;  // by what lies there, without reading much
  std::function<Dataset(const std::filesystem::path&)> read;
  bool unlabelled = false;  // images alone: taken where no other form knows them, and no data set for is_dataset
};
Registry<DatasetReader>& dataset_readers();

// Sorts cases and tests by id; one that occurs twice is an Error, as is a data set without a case for training
// or, with tests_alone, without any.
void complete(Dataset&, const std::string& who, bool tests_alone = false);

}  // namespace voxgrad
