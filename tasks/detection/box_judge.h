#pragma once
#include <string>
#include <vector>

#include "tasks/detection/box.h"
#include "tasks/segmentation/froc/froc.h"

namespace voxgrad {

// What was found in one image and what is there, in voxels of it, and what a voxel measures along d, h, w in mm.
struct JudgedBoxes {
  std::vector<ObjectBox> found, real;
  Double3 spacing = {1, 1, 1};
};

// Scores of boxes over images, as those of COCO: in each image and for each class, boxes in the order of their scores each take the free
// real box that they overlap most, if by at least a threshold; at most 100 of an image and class count.
//   AP: over the boxes of all images by their scores, precision made monotone from the right, at 101 recalls from 0 to 1.
//   FROC at IoU 0.1: see froc.h, boxes that take a real one find it, others are false positives, of all classes together.
//   Centre error: mm between the centres of each real box and of the one that takes it at IoU 0.1; found: the share of real boxes with one.
// Classes without a real box have no AP, and means leave them out.
class BoxJudge {
 public:
  BoxJudge(std::vector<JudgedBoxes> images, std::vector<std::string> classes);

  // Names of what scores() gives: "map" (mean over classes and over IoU 0.1, 0.15, .. 0.5), "ap_50", "ap_10", "froc_1" (at 1 false positive
  // an image), "froc", "centre_error" (median), "found", then ap_50 of each class.
  std::vector<std::string> keys() const;
  // Image i counts counts[i] times.
  std::vector<double> scores(const std::vector<int>& counts) const;
  std::vector<double> scores() const { return scores(std::vector<int>(images_.size(), 1)); }
  const Froc& froc() const { return froc_; }
  // The median over an image's real boxes that are found; NaN where none is.
  double centre_error(size_t image) const;
  // Real boxes of an image that are found at IoU 0.5, and boxes with a score of at least 0.5 that find none.
  struct Counts {
    int64_t real = 0, found = 0, wrong = 0;
  };
  const Counts& counts(size_t image) const { return counts_.at(image); }

 private:
  // A box of one class and threshold: whose it is, and whether it takes a real one.
  struct Taken {
    double score;
    size_t image;
    bool right;
  };
  std::vector<FrocCase> froc_cases(const std::vector<int>& counts) const;
  double average_precision(size_t threshold, size_t label, const std::vector<int>& counts) const;

  std::vector<JudgedBoxes> images_;
  std::vector<std::string> classes_;
  std::vector<std::vector<std::vector<Taken>>> taken_;  // by threshold and class, best first
  std::vector<std::vector<double>> errors_;             // mm, of the real boxes of each image that are found
  std::vector<Counts> counts_;                          // of each image
  std::vector<FrocCase> of_froc_;
  Froc froc_;
};

// For each real box of the class the number of the found one that takes it, -1 where none does; and for each found one whether it does.
struct BoxMatches {
  std::vector<int64_t> of_real;
  std::vector<bool> right;
};
BoxMatches match_boxes(const std::vector<ObjectBox>& found, const std::vector<ObjectBox>& real, double iou);

}  // namespace voxgrad
