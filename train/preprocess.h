#pragma once
#include <string>

#include "io/volume.h"
#include "train/description.h"

namespace voxgrad {

// Where a preprocessed volume came from: what it takes to bring a result back to the geometry of the file.
struct Geometry {
  Orientation orientation;  // from the file's axes to canonical ones
  Affine affine;            // of the file
  Int3 canonical;           // extents in canonical orientation, at the file's spacing
  Int3 working;             // extents at the model's spacing
};

struct Preprocessed {
  Tensor image;  // f32 {D, H, W, C}, normalised, canonical orientation, the model's spacing
  Geometry geometry;
};

// `name`: the file or case, for messages. Refuses a wrong number of channels and, unless description.nan is "zero", voxels that are not
// finite. Order, as nnU-Net: orientation, normalisation, resampling (trilinear).
Preprocessed preprocess(const Volume&, const ModelDescription&, const std::string& name);

// Labels of the same case: u8 {D, H, W}. Refuses values that are no integer in [0, classes) and a shape other than the image's. Resampled
// by the label with the largest trilinear weight.
Tensor preprocess_label(const Volume& label, const Geometry&, int classes, const std::string& name);

// A result at working extents to a u8 volume {D, H, W, 1} with the geometry of the file: logits f32 {D, H, W, K}, which are resampled
// trilinearly before the argmax, or labels u8 {D, H, W} where working and canonical extents are the same.
Volume restore_labels(const Tensor& logits_or_labels, const Geometry&);

// Only the orientation of preprocess, with values as they are in the file: f32 {D, H, W, C}. Not finite values stay.
Tensor canonical_image(const Volume&, Orientation* orientation = nullptr);

}  // namespace voxgrad
