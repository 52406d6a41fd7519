#pragma once
#include "core/config/options.h"
#include "core/rng.h"
#include "data/case_store.h"
#include "infer/predict.h"

namespace voxgrad {

// What a task of values per image sees of it.
struct ImageInput {
  std::string input = "whole";  // whole and center: the middle of the image, of the size of the patch; patch: patches anywhere
  double shift = 0.1;           // of the middle in training: up to this part of the patch, along each axis
};

// The keys `input` and `shift`.
void add_image_input(ConfigTable&, ImageInput&);

// The centre of a training patch in the middle of the image, moved by whole voxels at random.
Double3 middle_centre(const ImageInput&, const Case&, const Int3& patch, Rng);

// Outputs {T, K} of a network that gives values per image: of the image (predict_values), with input=patch of each of T tiles.
Tensor image_outputs(const ImageInput&, const Network&, const ModelDescription&, const Tensor& image, const PredictOptions&);

}  // namespace voxgrad
