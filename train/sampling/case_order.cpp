#include "train/sampling/case_order.h"

#include <map>
#include <numeric>

#include "core/error.h"
#include "core/lists/shuffle.h"

namespace voxgrad {
namespace {

std::vector<int64_t> shuffled(std::vector<int64_t> numbers, Rng rng) {
  shuffle(numbers, rng);
  return numbers;
}

}  // namespace

CaseOrder::CaseOrder(const std::string& sampling, const std::vector<std::vector<int>>& classes, const std::vector<std::string>& ids,
                     const Rng& rng)
    : rng_(rng) {
  if (sampling == "epochs") {
    groups_.resize(1, std::vector<int64_t>(ids.size()));
    std::iota(groups_[0].begin(), groups_[0].end(), 0);
  }
  if (sampling != "balanced") return;
  std::map<int, std::vector<int64_t>> of_class;
  for (size_t i = 0; i < ids.size(); ++i) {
    check(i < classes.size() && !classes[i].empty(), "train.sampling: balanced is for tasks whose cases are of classes, such as "
          "classification; the case ", ids[i], " is of none");
    for (int k : classes[i]) of_class[k].push_back(int64_t(i));
  }
  for (auto& [k, cases] : of_class) groups_.push_back(cases);
}

std::vector<int64_t> CaseOrder::cases(int64_t first, int64_t count) const {
  std::vector<int64_t> out(static_cast<size_t>(count));
  const int64_t groups = int64_t(groups_.size());
  for (int64_t g = 0; g < groups; ++g) {
    const int64_t n = int64_t(groups_[size_t(g)].size());
    int64_t epoch = -1;
    std::vector<int64_t> order;
    for (int64_t i = (g - first % groups + groups) % groups; i < count; i += groups) {
      const int64_t turn = (first + i) / groups;
      if (turn / n != epoch) order = shuffled(groups_[size_t(g)], rng_.at(uint64_t(g), uint64_t(epoch = turn / n)));
      out[size_t(i)] = order[size_t(turn % n)];
    }
  }
  return out;
}

}  // namespace voxgrad
