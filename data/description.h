#pragma once
#include <array>
#include <string>
#include <vector>

#include "core/config/json.h"
#include "core/shape.h"
#include "models/network.h"

namespace voxgrad {

// How one channel is normalised before the network sees it.
struct Normalization {
  // zscore: (x - mean) / std of the volume; ct: clip to [low, high], then (x - mean) / std given here; none;
  // rescale_to_0_1: (x - min) / (max - min) of the volume; rgb_to_0_1: x / 255; hounsfield: x / 1000 + 1, air 0 and water 1;
  // quantiles: [q(low), q(high)] of the volume to [0, 1], clipped; low and high are shares of the voxels
  std::string kind = "zscore";
  double mean = 0, std = 1, low = 0, high = 0;
  // zscore_nonzero: zscore of the voxels that are not 0 in this channel; the others stay 0
  bool mask = false;  // zscore of what is not background alone: voxels that are 0 in all channels and reach the border stay 0
};

// All that is needed to apply a trained network to a file: kept in the checkpoint, so that a checkpoint alone suffices.
struct ModelDescription {
  std::string network;                        // JSON that build_network makes it of
  NetworkTraits traits;                       // of that network
  std::string task;                           // JSON of the task that it was trained for, with its "kind"; empty: segmentation
  Int3 patch = {0, 0, 0};                     // voxels, at `spacing`
  std::array<double, 3> spacing = {1, 1, 1};  // mm along D, H, W in canonical orientation; 0: as in the file
  std::vector<Normalization> normalization;   // one per channel
  std::vector<std::string> channels, labels;  // names of the inputs, and of what the outputs stand for: label i is voxel value i
  std::string nan = "refuse";                 // refuse or zero
  double overlap = 0.5;                       // of the sliding window
  bool mirror = false;
  std::string dtype = "f32";  // of the activations: f32 or bf16
  // How networks of other programs see a volume.
  std::string orientation = "canonical";                 // or file: axes as they are stored
  std::array<int, 3> axis_order = {0, 1, 2};             // axis a of the network is this one of the orientation
  bool crop = false;                                     // to the box of what is not 0; beyond it labels are 0
  bool crop_positive = false;                            // to the box of what is above 0 instead
  std::array<bool, 3> flip_axes = {false, false, false};  // and runs the other way
  std::string resampling = "linear";  // or nnunet: as resample_nnunet; centres: as resample_centres
  bool resample_first = false;        // before normalisation instead of after it
  std::array<bool, 3> mirror_axes = {true, true, true};  // that `mirror` averages over
  // Of a second stage: values of the first stage's mask, each of which is a channel behind the image's (data/cascade/previous_stage.h).
  std::vector<int> previous_labels = {};
  std::string tile_places = "spread";    // of the sliding window (infer/tiles.h): spread or stepped
  std::string tile_weights = "gaussian";  // gaussian, constant or floored
  std::string restoring = "outputs";  // what is brought back to the spacing of the file: the outputs of the network, their softmax
                                      // ("probabilities"), or the labels, of which the nearest are taken
};

DType activation_dtype(const ModelDescription&);
Json to_json(const ModelDescription&);
// Throws Error that names what is missing or wrong.
ModelDescription description_from_json(const Json&);

}  // namespace voxgrad
