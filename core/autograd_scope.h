#pragma once
#include "core/autograd.h"

// Within core: what this thread does with ops.
namespace voxgrad {

class RecordingScope {
 public:
  RecordingScope(Recording, const char* in_backward_of = nullptr);
  ~RecordingScope();
  RecordingScope(const RecordingScope&) = delete;

 private:
  Recording recording_;
  const char* of_;
};

// While alive, keeps every leaf that ops on this thread are given where they are not recorded, as backward would have saved it.
class SeenLeaves {
 public:
  SeenLeaves();
  ~SeenLeaves();
  SeenLeaves(const SeenLeaves&) = delete;
  const std::vector<Tensor>& leaves() const { return leaves_; }
  void add(const Tensor& leaf);

 private:
  std::vector<Tensor> leaves_;
  SeenLeaves* around_;
};

}  // namespace voxgrad
