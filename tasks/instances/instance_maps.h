#pragma once
#include <vector>

#include "augment/sample.h"

// Objects that are told apart by their centres (Cheng et al., CVPR 2020, Panoptic-DeepLab): a heat map of these, and at each voxel of an
// object the way to its centre.
namespace voxgrad {

// Numbers i32 {D, H, W}, 0 or of an object from 1, and the class of each, from 0.
struct NumberedObjects {
  Tensor number;
  std::vector<int> label;
};

// What is learned: class u8 {D, H, W}, 0 or that of the object and 1; offsets f32 {D, H, W, 3} in voxels to the mean place of the object's
// voxels; heat f32 {D, H, W, 1}, the largest exp(-|x - centre|^2 / (2 sigma^2)) of all objects. sigma: voxels along d, h, w.
struct InstanceMaps {
  Tensor label, offsets, heat;
};
InstanceMaps maps_of(const NumberedObjects&, const Double3& sigma);

struct GroupingOptions {
  double least_peak = 0.2;  // of a centre in the heat map
  int64_t min_voxels = 5;   // of an object
};
// The reverse: centres are voxels that are largest within sigma to either side along each axis, of equal ones the first; a voxel with a
// class belongs to the centre that is nearest to where its offset leads, in sigmas; an object has the class of most of its voxels, the
// lowest of equal ones. Numbers follow the order of the centres in memory.
NumberedObjects grouped(const InstanceMaps&, const Double3& sigma, const GroupingOptions& = {});
// Of maps that were made by maps_of, by the centres that their offsets lead to.
NumberedObjects regrouped(const InstanceMaps&);

// Panoptic quality (Kirillov et al., CVPR 2019) of one class over images: an object and a real one of the class that overlap by more than
// half of their union are matched.
struct PanopticCounts {
  int64_t matched = 0, found = 0, real = 0;  // objects
  double iou = 0;                            // sum over the matched
  void add(const PanopticCounts&, int times = 1);
  double recognition() const;  // 2 matched / (found + real); NaN where there is none
  double segmentation() const;  // iou / matched
  double quality() const;       // 2 iou / (found + real)
};
std::vector<PanopticCounts> panoptic_counts(const NumberedObjects& found, const NumberedObjects& real, int classes);

}  // namespace voxgrad
