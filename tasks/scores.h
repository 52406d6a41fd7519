#pragma once
#include <cmath>
#include <string>
#include <utility>
#include <vector>

namespace voxgrad {

// What a validation gives: the score by which checkpoints are compared, its parts where it has some (one per class), and others beside it.
// NaN: not known.
struct Scores {
  std::string name;  // of the score that decides: "dice"
  std::string text;  // the same for people: "Dice"
  double value = NAN;
  bool larger_is_better = true;
  std::vector<std::pair<std::string, double>> parts = {}, others = {};
};

}  // namespace voxgrad
