#pragma once
#include "augment/batch.h"
#include "tasks/task.h"
#include "train/sampling/case_order.h"
#include "train/config.h"

namespace voxgrad {

// (step, slot) -> augmented patch, as a pure function of the seed: nothing depends on threads, on the order of calls or on a resume.
class Loader {
 public:
  Loader(CaseStore& store, const Task&, std::vector<std::string> ids, const TrainConfig&);
  Batch batch(int64_t step) const;
  // The same with the same random numbers into tensors of a CUDA device, as work for a stream of it; and memory for it.
  void batch(int64_t step, Cuda, Batch& into) const;
  Batch empty_batch(Device device) const { return batch_like(batch_, patch_, device, false); }
  // Zeros of the fields of a batch of so many patches of that size.
  Batch blank_batch(int batch, const Int3& patch, Device device) const { return batch_like(batch, patch, device, true); }

 private:
  // The number of a case, -1 where it is to be drawn.
  PatchRequest request(int64_t step, int slot, int64_t number) const;
  std::vector<PatchRequest> requests(int64_t step) const;
  bool is_forced(int place, Rng&) const;
  Batch batch_like(int batch, const Int3& patch, Device, bool zeros) const;

  CaseStore& store_;
  const Task& task_;
  std::vector<std::string> ids_;
  Int3 patch_;
  int batch_;
  double oversample_;
  Augmentation augment_;
  Rng rng_;
  CaseOrder order_;
};

}  // namespace voxgrad
