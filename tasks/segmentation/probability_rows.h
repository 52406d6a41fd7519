#pragma once
#include <memory>

#include "data/label_map.h"
#include "data/preprocess.h"
#include "infer/sliding_window.h"
#include "io/numpy_planes.h"

namespace voxgrad {

// A sink of logits {rows, H, W, K} of the box of a geometry (infer/sliding_window.h) that writes their probabilities: softmax over K, or
// 1 / (1 + exp(-x)) of regions, f32. Beyond the box the background has 1 and everything else 0. The array is "probabilities", {K, D, H,
// W} on the grid of the file, as nnU-Net's --save_probabilities has it, with "affine" beside it.
class ProbabilityRows {
 public:
  // ready: what comes are probabilities already.
  ProbabilityRows(const std::filesystem::path& npz, const Geometry&, const LabelMap&, bool ready = false);
  // The rows in their order, each once.
  void operator()(int64_t first, int64_t rows, const float* values, int64_t channels);
  // Complete but for its commit().
  std::shared_ptr<NumpyPlanesWriter> file() const { return file_; }

 private:
  void put(int64_t first, int64_t rows, const float* values, int64_t channels);

  std::filesystem::path path_;
  Geometry geometry_;
  bool regions_, ready_;
  std::shared_ptr<NumpyPlanesWriter> file_;
};

}  // namespace voxgrad
