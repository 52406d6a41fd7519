#pragma once
#include <functional>

#include "train/model_file.h"
#include "train/preprocess.h"

namespace voxgrad {

struct PredictOptions {
  double overlap = 0.5;  // of neighbouring tiles
  bool mirror = false;   // average over the eight mirror images
  Device device = {};
  Int3 patch = {0, 0, 0};  // of the sliding window; 0: as trained
  std::function<void(int64_t done, int64_t total)> progress = {};  // in tiles
};
// What the model was trained to be used with.
PredictOptions predict_options(const ModelDescription&);

// Logits f32 {D, H, W, K} of a preprocessed image.
Tensor predict_logits(const UNet&, const ModelDescription&, const Tensor& image, const PredictOptions&);

// The whole way: preprocess, sliding window, argmax, back to the geometry of the input. u8 {D, H, W, 1}. `name`: for messages.
Volume predict_labels(const UNet&, const ModelDescription&, const Volume&, const std::string& name, const PredictOptions&);

}  // namespace voxgrad
