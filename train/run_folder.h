#pragma once
#include <filesystem>

#include "train/config.h"
#include "data/split.h"

namespace voxgrad {

// The files of a training run. Each is replaced as a whole; metrics.jsonl grows by lines, and a line cut off by a kill is dropped on
// resume.
class RunFolder {
 public:
  explicit RunFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // Fails if the folder holds a run already.
  void check_free() const;
  // Creates the folder and config.json.
  void start(const TrainConfig&) const;
  TrainConfig config() const;
  void write_split(const Split&) const;

  std::filesystem::path last() const { return folder_ / "last.safetensors"; }
  std::filesystem::path best() const { return folder_ / "best.safetensors"; }
  std::filesystem::path metrics() const { return folder_ / "metrics.jsonl"; }
  std::filesystem::path transfer() const { return folder_ / "transfer.json"; }
  std::filesystem::path curves() const { return folder_ / "curves.png"; }

  void append_metrics(const Json& line) const;
  // Keeps the complete lines of steps up to `step`.
  void rewind_metrics(int64_t step) const;

 private:
  std::filesystem::path folder_;
};

}  // namespace voxgrad
