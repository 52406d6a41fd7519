#pragma once
#include "data/label_map.h"
#include "tasks/file_pairs.h"
#include "tasks/segmentation/metrics.h"
#include "tasks/segmentation/postprocessing/postprocessing.h"
#include "tasks/task.h"

namespace voxgrad {

struct PostprocessingChoice {
  Postprocessing steps;
  double before = 0, after = 0;  // mean Dice of the classes or regions of their means over the cases, of the predictions and with the steps
  std::vector<std::string> log;  // a line for each candidate that was better
};

// The steps that make predictions of validation cases better, each tried upon those chosen before it:
//   keep_largest of all labels: chosen where the mean Dice rises and that of no class falls (nnU-Net's rule);
//   keep_largest of each class, where there are several; fill_holes of each class (not of regions);
//   remove_small of each class with the best of 5, 10, 20, 50, .. 10000 mm3: each where the class's mean Dice rises, and that of all does.
// Dice as in `evaluate`: cases in which a class is in neither mask are left out. classes: with the background, where there are no regions.
PostprocessingChoice choose_postprocessing(const std::vector<FilePair>&, int classes, const LabelMap&, OtherGrid = OtherGrid::refuse,
                                           const std::string& series = {});

// The same for the files of an evaluation, written to options.choose_postprocessing with "chosen_on": how many cases, Dice before and
// after. What it found, for people. References in a folder labelsTs are refused: what is chosen on test cases says nothing of them.
std::string choose_postprocessing(const std::filesystem::path& predictions, const std::filesystem::path& references, const Evaluation&,
                                  const EvaluateOptions&);

}  // namespace voxgrad
