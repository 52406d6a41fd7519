#pragma once
#include <array>
#include <string>
#include <vector>

#include "core/tensor.h"

namespace voxgrad {

// Free-response operating characteristic of lesions: how many are found at so many false positives per volume (Bandos et al. 2009, as
// in LUNA16, Setio et al. 2017).
//
// A candidate is a connected part of where the probability is at least a threshold; its confidence is the largest probability in it. A
// lesion is a connected part of the reference. A candidate that shares a voxel with a lesion finds it, one that shares none with any is
// a false positive; further candidates that find the same lesion are neither.

// Of one object in one volume.
struct FrocCase {
  std::vector<double> false_positives;  // their confidences
  std::vector<double> found;            // of each lesion the largest confidence of what finds it; -1: nothing does
};
struct FrocOptions {
  double threshold = 0.1;  // of candidates, above 0
  int connectivity = 26;   // of candidates and lesions: 6, 18 or 26
};
// probability: f32 {D, H, W}. reference: u8 {D, H, W}, 1 in lesions; voxels of value 255 (kIgnored) are in no candidate.
FrocCase froc_case(const Tensor& probability, const Tensor& reference, const FrocOptions& = {});

inline constexpr std::array<double, 7> kFrocRates = {0.125, 0.25, 0.5, 1, 2, 4, 8};

struct Froc {
  int64_t lesions = 0, volumes = 0;
  // The curve, a point for each confidence that occurs, from the highest: with candidates of at least that confidence.
  std::vector<double> confidence, false_positives, sensitivity;  // false positives per volume
  std::array<double, 7> at = {};  // sensitivity at kFrocRates
  double mean = 0;                // of these: LUNA16's competition performance metric
};
// Sensitivity is found / lesions over all volumes; not a number where there is no lesion. Between two points, of which (0, 0) is the first,
// it is linear; behind the last one it stays.
Froc froc_of(const std::vector<FrocCase>&);

// "class,confidence,false_positives_per_volume,sensitivity", a line for each point.
std::string csv_of(const std::vector<std::string>& names, const std::vector<Froc>&);

}  // namespace voxgrad
