#pragma once
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "data/target_source.h"

namespace voxgrad {

// A preprocessed training case.
struct Case {
  std::string id;
  Sample sample;
  Geometry geometry;
  ForegroundIndex places;  // for patches that are to hold something to be found
  size_t bytes() const { return sample.bytes(); }
};

// Volumes of a case as they are in its files: channels joined, on the grid of the first; one on another grid (io/grid.h) is refused, or
// resampled where the case says so.
Volume read_case_image(const DatasetCase&);

// Cases by id, preprocessed on first use and kept while they fit into `limit_bytes`; those not used for longest are dropped and read
// again. What a case contains does not depend on what is kept. Safe to use from several threads.
class CaseStore {
 public:
  CaseStore(Dataset, ModelDescription, std::shared_ptr<const TargetSource>, size_t limit_bytes);
  std::shared_ptr<const Case> get(const std::string& id);
  const Dataset& dataset() const { return dataset_; }
  const ModelDescription& description() const { return description_; }

 private:
  struct Kept {
    std::shared_ptr<const Case> value;
    std::list<std::string>::iterator place;
  };
  std::shared_ptr<const Case> load(const std::string& id) const;

  Dataset dataset_;
  ModelDescription description_;
  std::shared_ptr<const TargetSource> targets_;
  size_t limit_, held_ = 0;
  std::mutex mutex_;
  std::unordered_map<std::string, Kept> kept_;
  std::list<std::string> recent_;  // most recently used first
};

}  // namespace voxgrad
