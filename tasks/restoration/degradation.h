#pragma once
#include <functional>
#include <string>
#include <vector>

#include "core/config/json.h"
#include "core/config/range.h"
#include "core/config/registry.h"
#include "core/rng.h"
#include "core/tensor.h"
#include "io/volume.h"

namespace voxgrad {

// What makes an image worse, with a strength drawn for each image. What a strength is says the kind: a file
// degradations/NAME_degradation.cpp each, with its formula as the summary. Where 0 has to be black (all but gaussian, blur, low_resolution
// and bias_field) it is with data.normalization=rescale_to_0_1, or hounsfield, and what lies below is taken for 0.
struct Degradation {
  std::string kind = "gaussian";
  Range strength = {0.05, 0.2};
  std::vector<int> axes = {0, 1, 2};  // along which blur, low_resolution and motion act: 0 is D, 1 H, 2 W
};

// What is drawn for one image, and what it is like.
struct DegradationDraw {
  double s;                    // the strength
  Vec3 spacing = {1, 1, 1};    // mm between voxels along D, H and W, for what has a size or absorbs
  Rng rng;                     // of all that is random
};

// A kind. One file defines `DegradationEntry NAME_degradation()`, CMake lists it; a program adds its own by degradation_registry().add(..).
struct DegradationEntry {
  std::string name, summary;  // the formula, x being the image and s the strength
  double least = 0, most = 1e9;  // of s: beyond, an image takes forever or is no more
  std::string strength = "not negative";  // what it has to be, for messages
  bool in_mm = false;     // whether it looks at the spacing
  // A new tensor of x f32 {D, H, W, C} on the CPU.
  std::function<Tensor(const Tensor& x, const Degradation&, const DegradationDraw&)> apply;
};
Registry<DegradationEntry>& degradation_registry();

// f32 {D, H, W, C} on the CPU, made worse by each in turn; a new tensor. spacing: mm between its voxels.
Tensor degraded(const Tensor& image, const std::vector<Degradation>&, Rng, const Vec3& spacing = {1, 1, 1});
// With the middle of each range of strengths.
Tensor degraded_in_the_middle(const Tensor& image, const std::vector<Degradation>&, Rng, const Vec3& spacing = {1, 1, 1});
// Whether any of them looks at the spacing.
bool act_in_mm(const std::vector<Degradation>&);

// [{"kind": .., "strength": [low, high], "axes": [..]}, ..]; an Error says what is wanted.
std::vector<Degradation> degradations_from(const Json&);
Json json_of(const std::vector<Degradation>&);
// Each kind with its formula.
std::string describe_degradations();

}  // namespace voxgrad
