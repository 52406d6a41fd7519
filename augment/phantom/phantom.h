#pragma once
#include <string>
#include <vector>

#include "augment/sample.h"

namespace voxgrad {

// Synthetic patients: anatomy composed of smoothly deformed, nested ellipsoids, imaged with texture, partial volume, bias field,
// blur and noise. Shapes, positions, contrasts and distractors differ for every seed. The intensities of labelled and unlabelled
// tissues overlap, so that a label follows from place and shape, not from a threshold.
enum class PhantomKind {
  head,     // T1-like MR of a head: grey and white matter, ventricles, a lesion
  abdomen,  // CT-like: liver, spleen, kidneys, aorta
  shapes    // three kinds of objects in clutter of their own brightness: told apart by shape and texture only
};

struct PhantomOptions {
  Int3 size = {96, 96, 96};  // D towards superior, H anterior, W right; at least 16 each
  uint64_t seed = 0;
};

struct Phantom {
  Tensor image;  // f32 {D, H, W, 1}
  Tensor label;  // u8 {D, H, W}: indices into phantom_labels
  Double3 spacing_mm;
};

// "background" first.
std::vector<std::string> phantom_labels(PhantomKind);
Phantom make_phantom(PhantomKind, const PhantomOptions& = {});

// "head", "abdomen", "shapes".
const char* name_of(PhantomKind);
PhantomKind parse_phantom_kind(const std::string&);

}  // namespace voxgrad
