#include "tasks/segmentation/postprocessing/choose_postprocessing.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "core/config/json_values.h"
#include "core/progress.h"
#include "io/json_file.h"
#include "tasks/segmentation/evaluate_files.h"
#include "tasks/segmentation/metrics.h"

namespace voxgrad {
namespace {

using Kind = PostprocessingStep::Kind;
constexpr double kMinimums[] = {5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000};  // mm3

class Chooser {
 public:
  Chooser(const std::vector<FilePair>& pairs, int classes, const LabelMap& map, OtherGrid other, const std::string& series)
      : pairs_(pairs), map_(map), other_(other), series_(series) {
    for (auto& r : map.regions) objects_.push_back(r);
    if (map.regions.empty())
      for (int k = 1; k < classes; ++k) objects_.push_back({.name = "class " + std::to_string(k), .values = {k}, .written = k});
  }

  PostprocessingChoice run() {
    PostprocessingStep all{.kind = Kind::keep_largest, .labels = {}};
    for (auto& o : objects_) all.labels.insert(all.labels.end(), o.values.begin(), o.values.end());
    std::sort(all.labels.begin(), all.labels.end());
    all.labels.erase(std::unique(all.labels.begin(), all.labels.end()), all.labels.end());
    std::erase(all.labels, 0);
    const std::vector<std::vector<double>> first = dice_with({{.steps = {}}, {.steps = {all}}});
    base_ = first[0];
    out_.before = nan_mean(base_);
    bool worse = false;
    for (size_t k = 0; k < base_.size(); ++k) worse = worse || first[1][k] < base_[k];
    if (!worse && nan_mean(first[1]) > nan_mean(base_)) choose(all, first[1]);
    if (objects_.size() > 1) try_each([](const std::vector<int>& labels) { return Postprocessing{{Kind::keep_largest, labels}}; });
    if (map_.regions.empty()) try_each([](const std::vector<int>& labels) { return Postprocessing{{Kind::fill_holes, labels}}; });
    try_each([](const std::vector<int>& labels) {
      Postprocessing sizes;
      for (double mm3 : kMinimums) sizes.push_back({Kind::remove_small, labels, mm3});
      return sizes;
    });
    out_.after = nan_mean(base_);
    return out_;
  }

 private:
  struct Candidate {
    Postprocessing steps;
    int64_t object = -1;  // the only one that changes; -1: any
  };

  // Mean Dice of every object over the cases, upon what is chosen so far, with each of the candidates.
  std::vector<std::vector<double>> dice_with(const std::vector<Candidate>& candidates) {
    std::vector<std::vector<std::vector<double>>> dice(candidates.size(), std::vector<std::vector<double>>(objects_.size()));
    Progress progress({.what = "postprocessing", .unit = "case", .total = int64_t(pairs_.size())});
    int64_t done = 0;
    for (const FilePair& pair : pairs_) {
      const PairOfVolumes both = read_pair(pair, other_, true, series_);
      Tensor mask = label_values(both.prediction, pair.prediction);
      const Tensor reference = label_values(both.reference, pair.reference);
      apply(out_.steps, mask, both.reference.spacing());
      for (size_t i = 0; i < candidates.size(); ++i) {
        Tensor changed = mask.clone();
        apply(candidates[i].steps, changed, both.reference.spacing());
        for (size_t k = 0; k < objects_.size(); ++k)
          if (candidates[i].object < 0 || candidates[i].object == int64_t(k))
            dice[i][k].push_back(confusion_of(objects_[k], changed, reference, map_.ignore).dice());
      }
      progress.update(++done, pair.id);
    }
    std::vector<std::vector<double>> out(candidates.size(), base_);
    for (size_t i = 0; i < candidates.size(); ++i) {
      out[i].resize(objects_.size());
      for (size_t k = 0; k < objects_.size(); ++k)
        if (candidates[i].object < 0 || candidates[i].object == int64_t(k)) out[i][k] = nan_mean(dice[i][k]);
    }
    return out;
  }

  // For one object after the other the best of its candidates, if that is better. What is done to a class changes no other class, so all of
  // them are tried in one reading of the cases; regions share voxels.
  template <class F>
  void try_each(F&& candidates_of) {
    const bool together = map_.regions.empty();
    std::vector<Candidate> candidates;
    for (size_t k = 0; k < objects_.size(); ++k) {
      std::vector<int> labels = objects_[k].values;
      std::erase(labels, 0);
      for (const PostprocessingStep& s : candidates_of(labels)) candidates.push_back({{s}, together ? int64_t(k) : -1});
      if (together && k + 1 < objects_.size()) continue;
      const auto dice = dice_with(candidates);
      const size_t each = together ? candidates.size() / objects_.size() : candidates.size();
      for (size_t j = together ? 0 : k; j <= k; ++j) choose_best(candidates, dice, j, together ? j * each : 0, each);
      candidates.clear();
    }
  }

  // Of the candidates begin .. begin + count for an object.
  void choose_best(const std::vector<Candidate>& candidates, const std::vector<std::vector<double>>& dice, size_t object, size_t begin,
                   size_t count) {
    size_t best = candidates.size();
    std::vector<double> best_dice = base_;
    for (size_t i = begin; i < begin + count; ++i) {
      std::vector<double> now = candidates[i].object < 0 ? dice[i] : base_;
      now[object] = dice[i][object];
      if (!(now[object] > best_dice[object] && nan_mean(now) > nan_mean(base_))) continue;
      best = i;
      best_dice = now;
    }
    if (best < candidates.size()) choose(candidates[best].steps.at(0), best_dice);
  }

  void choose(const PostprocessingStep& step, const std::vector<double>& dice) {
    char text[80];
    std::snprintf(text, sizeof text, ": mean Dice %.4f -> %.4f", nan_mean(base_), nan_mean(dice));
    out_.log.push_back(describe(step) + text);
    out_.steps.push_back(step);
    base_ = dice;
  }

  const std::vector<FilePair>& pairs_;
  const LabelMap& map_;
  OtherGrid other_;
  std::string series_;
  std::vector<LabelMap::Region> objects_;
  std::vector<double> base_;  // mean Dice of every object with what is chosen so far
  PostprocessingChoice out_;
};

}  // namespace

PostprocessingChoice choose_postprocessing(const std::vector<FilePair>& pairs, int classes, const LabelMap& map, OtherGrid other,
                                           const std::string& series) {
  check(!map.regions.empty() || classes >= 2, "postprocessing: the number of classes is not known");
  return Chooser(pairs, classes, map, other, series).run();
}

std::string choose_postprocessing(const std::filesystem::path& predictions, const std::filesystem::path& references, const Evaluation& e,
                                  const EvaluateOptions& o) {
  check(std::filesystem::weakly_canonical(references).filename() != "labelsTs", references.string(),
        ": are references of test cases; post-processing is chosen on validation cases");
  const Labels labels = evaluated_labels(references, o);
  const int classes = e.cases.empty() ? 0 : int(e.cases[0].classes.size()) + 1;
  const auto pairs = pair_files(predictions, references, {.partial = o.partial, .series = o.series});
  const PostprocessingChoice c =
      choose_postprocessing(pairs, classes, labels.map, o.resample ? OtherGrid::resample_nearest : OtherGrid::refuse, o.series);
  Json json = to_json(c.steps);
  json["chosen_on"] = {{"cases", pairs.size()}, {"dice_before", finite_or_null(c.before)}, {"dice_after", finite_or_null(c.after)}};
  write_json(o.choose_postprocessing, json);
  std::string text = "post-processing, in " + o.choose_postprocessing.string() + ":\n";
  for (const std::string& line : c.log) text += "  " + line + "\n";
  return c.log.empty() ? text + "  nothing makes these predictions better\n" : text;
}

}  // namespace voxgrad
