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

}  // namespace voxgrad
