#pragma once
#include <functional>
#include <string>
#include <vector>

#include "core/config/json.h"
#include "core/config/range.h"
#include "core/config/registry.h"
#include "core/rng.h"
#include "core/tensor.h"

namespace voxgrad {

// What makes an image worse, with a strength drawn for each image. What a strength is says the kind: a file
// degradations/NAME_degradation.cpp each, with its formula as the summary. Where 0 has to be black (all but gaussian, blur, low_resolution
// and bias_field) it is with data.normalization=rescale_to_0_1, or hounsfield, and what lies below is taken for 0.
struct Degradation {
  std::string kind = "gaussian";
  Range strength = {0.05, 0.2};
  std::vector<int> axes = {0, 1, 2};  // along which blur, low_resolution and motion act: 0 is D, 1 H, 2 W
};

// A kind. One file defines `DegradationEntry NAME_degradation()`, CMake lists it; a program adds its own by degradation_registry().add(..).
struct DegradationEntry {
  std::string name, summary;  // the formula, x being the image and s the strength
  double least = 0;           // of s
  std::string strength = "not negative";  // what it has to be, for messages
  // A new tensor of x f32 {D, H, W, C} on the CPU. All that is random comes from the source.
  std::function<Tensor(const Tensor& x, const Degradation&, double s, const Rng&)> apply;
};
Registry<DegradationEntry>& degradation_registry();

// f32 {D, H, W, C} on the CPU, made worse by each in turn; a new tensor.
Tensor degraded(const Tensor& image, const std::vector<Degradation>&, Rng);
// With the middle of each range of strengths.
Tensor degraded_in_the_middle(const Tensor& image, const std::vector<Degradation>&, Rng);

// [{"kind": .., "strength": [low, high], "axes": [..]}, ..]; an Error says what is wanted.
std::vector<Degradation> degradations_from(const Json&);
Json json_of(const std::vector<Degradation>&);
// Each kind with its formula.
std::string describe_degradations();

}  // namespace voxgrad
