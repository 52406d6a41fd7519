#pragma once
#include <memory>
#include <vector>

#include "augment/batch.h"
#include "augment/pipeline.h"
#include "augment/spatial/patch_geometry.h"

namespace voxgrad {

// All that is random about one patch of a batch, drawn.
struct PatchPlan {
  Sample volume;
  PatchGeometry geometry;
  std::vector<std::shared_ptr<const void>> intensities;  // by the steps of the pipeline
};

// Assigns images, labels, vectors and values of `out`, from one plan per sample.
void make_batch(Cuda, const Pipeline&, const std::vector<PatchPlan>&, const Batch& out);
// Copies the same from a batch on the CPU.
void copy_batch(Cuda, const Batch& from, const Batch& to);

}  // namespace voxgrad
