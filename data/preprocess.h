#pragma once
#include <string>

#include "data/cascade/previous_stage.h"
#include "data/description.h"
#include "data/label_map.h"
#include "data/normalize.h"
#include "io/grid.h"
#include "io/volume.h"
#include "kernels/separable/separable.h"

namespace voxgrad {

// Where a preprocessed volume came from: what it takes to bring a result back to the geometry of the file.
struct Geometry {
  Orientation orientation;  // from the file's axes to those of the network, canonical ones where the description does not say otherwise
  Affine affine;            // of the file
  Int3 canonical;           // extents in canonical orientation, at the file's spacing
  Int3 working;             // extents at the model's spacing
  Int3 box_begin = {0, 0, 0}, box;                     // the part of `canonical` that the network sees: all of it without description.crop
  Vec3 file_spacing = {1, 1, 1}, spacing = {1, 1, 1};  // mm along the axes of the network: of the file, of the model
  std::string resampling = "linear";                   // as the description says
  LengthUnit unit = LengthUnit::millimetre;             // of the file
};

struct Preprocessed {
  Tensor image;  // f32 {D, H, W, C}, normalised, canonical orientation, the model's spacing
  Geometry geometry;
  std::vector<Standardization> intensity;  // per channel
  // Where asked for and a channel is normalised by what is not background alone (Normalization::mask), u8 {D, H, W}: 1 there, 0 in the
  // background; resampled as labels are. Else absent.
  Tensor inside = {};
  Tensor previous = {};  // u8 {D, H, W}, the mask of a first stage on the grid of the image; absent where the model sees none
};
// What the network sees: the image, and behind its channels those of the mask.
Tensor network_input(const Preprocessed&, const ModelDescription&);

// `name`: the file or case, for messages. Refuses a wrong number of channels and, unless description.nan is "zero", voxels that are not
// finite. Order, as nnU-Net: orientation, cropping, normalisation, resampling.
struct PreprocessOptions {
  bool with_inside = false;
  const PreviousMask* previous = nullptr;  // a second stage is refused without it, others do not look at it
};
Preprocessed preprocess(const Volume&, const ModelDescription&, const std::string& name, const PreprocessOptions& = {});

// Labels of the same case: u8 {D, H, W}. Refuses values that the map does not know, or that are no integer in [0, classes), and, unless
// asked to resample it, a grid other than the image's (io/grid.h). Resampled to the model's spacing by the label with the largest trilinear
// weight; where images are resampled as "nnunet" or "centres" say, by resample_labels on the same grid, with the axis that is sampled by
// itself from the nearest slice.
Tensor preprocess_label(const Volume& label, const Geometry&, int classes, const std::string& name, OtherGrid = OtherGrid::refuse,
                        const LabelMap& = {});
// That of the file that a geometry belongs to.
Grid file_grid(const Geometry&);

// A result f32 {D, H, W, K} at working extents, trilinearly resampled to those of the box in the file.
Tensor at_file_spacing(const Tensor&, const Geometry&);
SeparableMap to_file_spacing(const Geometry&);  // the same as matrices of the axes
// Labels u8 {D, H, W} at working extents: of the voxels of the box each the nearest; the one of even index in the middle between two.
Tensor nearest_at_file_spacing(const Tensor& labels, const Geometry&);
// {D, H, W, K} or {D, H, W} of any dtype at canonical extents, or at those of the box among zeros, as a volume in the geometry of the file.
Volume in_file_axes(const Tensor&, const Geometry&);

// Only the orientation of preprocess, with values as they are in the file: f32 {D, H, W, C}. Not finite values stay.
Tensor canonical_image(const Volume&, Orientation* orientation = nullptr);

}  // namespace voxgrad
