#pragma once
#include <filesystem>
#include <memory>
#include <string>

#include "core/config/json.h"
#include "data/cache/case_file.h"

namespace voxgrad {

// A folder of preprocessed cases, each a file of its own (case_file.h), beside cache.json, which says how they were preprocessed. A case is
// taken from it where it was made of the files that are there now: their names, sizes and times are in it. Safe to use from several threads
// and by several processes: files appear complete or not at all.
class CaseCache {
 public:
  // Makes the folder where it is absent. Refuses one with something else in it, and one of cases that were preprocessed otherwise, with
  // what differs.
  CaseCache(std::filesystem::path folder, const Dataset&, const ModelDescription&, const TargetSource&, DType image);

  enum class Found { missing, outdated, current };
  struct Entry {
    Found found;
    std::shared_ptr<const CaseFile> file;  // where it is current
  };
  // A file that is damaged counts as missing.
  Entry find(const DatasetCase&) const;
  std::shared_ptr<const CaseFile> put(const DatasetCase&, const Case&) const;
  std::filesystem::path file_of(const std::string& id) const;  // in the folder, whatever the id is
  const std::filesystem::path& folder() const { return folder_; }

 private:
  std::string key_of(const DatasetCase&) const;

  std::filesystem::path folder_, root_;
  std::string settings_;  // JSON
  DType image_;
};

}  // namespace voxgrad
