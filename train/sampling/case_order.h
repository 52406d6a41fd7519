#pragma once
#include <string>
#include <vector>

#include "core/rng.h"

namespace voxgrad {

// Which cases a step learns from, by their numbers 0 .. n - 1: a function of seed, step and what is given here.
//   random:   each is drawn from all
//   epochs:   every case once, in a random order, then again in another one
//   balanced: the classes take turns, the cases of each as with epochs; a case of several classes has a turn with each
class CaseOrder {
 public:
  // classes: of each case, needed for balanced, where a case without one is an Error in the name of its id.
  CaseOrder(const std::string& sampling, const std::vector<std::vector<int>>& classes, const std::vector<std::string>& ids, const Rng&);
  // Of the samples first .. first + count - 1 of the training, counted from 0; not with random.
  std::vector<int64_t> cases(int64_t first, int64_t count) const;
  bool is_random() const { return groups_.empty(); }

 private:
  std::vector<std::vector<int64_t>> groups_;  // whose cases take turns
  Rng rng_;
};

}  // namespace voxgrad
