#pragma once
#include <condition_variable>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <unordered_set>

#include "data/cache/stored_sample.h"
#include "data/target_source.h"

namespace voxgrad {

class CaseCache;

// A preprocessed training case.
struct Case {
  std::string id;
  Sample sample;  // without fields where the voxels are in `stored`
  Geometry geometry;
  ForegroundIndex places;  // for patches that are to hold something to be found
  std::shared_ptr<const StoredSample> stored = {};  // voxels that are not in memory; else absent
  size_t bytes() const { return sample.bytes(); }
};

// The field of kind labels that a case has where a channel is normalised by what is not background: 1 there and where a label is not 0,
// 0 elsewhere (nnU-Net's label -1).
inline constexpr const char* kInside = "inside";

// Volumes of a case as they are in its files: channels joined, on the grid of the first; one on another grid (io/grid.h) is refused, or
// resampled where the case says so.
Volume read_case_image(const DatasetCase&);

struct StoreOptions {
  size_t limit_bytes = SIZE_MAX;             // of the cases kept in memory, and of those that are being preprocessed at one time
  std::filesystem::path cache = {};          // folder that preprocessed cases are written to and read from (cache/case_cache.h)
  DType cached_image = DType::f32;           // f16 and bf16 round
};

// Cases by id, preprocessed on first use and kept while they fit; those not used for longest are dropped and, without a cache, read and
// preprocessed again. What a case contains does not depend on what is kept, nor, where images are cached as f32, on the cache. Safe to use
// from several threads.
class CaseStore {
 public:
  CaseStore(Dataset, ModelDescription, std::shared_ptr<const TargetSource>, const StoreOptions& = {});
  ~CaseStore();
  // With its voxels in memory.
  std::shared_ptr<const Case> get(const std::string& id);
  // To take patches of: with a cache, its voxels stay there.
  std::shared_ptr<const Case> open(const std::string& id);
  // Makes what `open` gives of these cases ahead, several at a time, and shows the progress: what the cache lacks, or without one what fits
  // into memory, and reads the first `always` of them in any case, so that an Error comes now.
  struct Prepared {
    size_t made = 0, outdated = 0;  // of the cases made those whose files have changed since they were cached
  };
  Prepared prepare(const std::vector<std::string>& ids, size_t always);
  const Dataset& dataset() const { return dataset_; }
  const ModelDescription& description() const { return description_; }

 private:
  struct Kept {
    std::shared_ptr<const Case> value;
    std::list<std::string>::iterator place;
  };
  const DatasetCase& find(const std::string& id) const;
  std::shared_ptr<const Case> load(const DatasetCase&) const;
  std::shared_ptr<const Case> keep(std::shared_ptr<const Case>);
  std::shared_ptr<const Case> kept(const std::string& id);
  bool full();

  Dataset dataset_;
  ModelDescription description_;
  std::shared_ptr<const TargetSource> targets_;
  StoreOptions options_;
  std::unique_ptr<const CaseCache> cache_;
  size_t held_ = 0;
  std::mutex mutex_;
  std::unordered_map<std::string, Kept> kept_;
  std::list<std::string> recent_;  // most recently used first
  std::unordered_map<std::string, std::shared_ptr<const Case>> opened_;
  std::unordered_set<std::string> making_;  // which a thread is writing into the cache
  std::condition_variable done_;
};

}  // namespace voxgrad
