#include <cstdio>
#include <filesystem>
#include <sstream>

#include "cli/commands.h"
#include "core/config/json_values.h"
#include "data/label_map.h"
#include "io/atomic_file.h"
#include "io/json_file.h"
#include "tasks/segmentation/metrics/metric.h"
#include "tasks/task.h"

namespace voxgrad {
namespace {

namespace fs = std::filesystem;

struct EvaluateCommand {
  std::string prediction, reference, json, csv, labels, series, array, metrics, probabilities, versus, postprocessing, froc, curves,
      task = "segmentation";
  double tolerance_mm = 1, froc_threshold = 0.1, threshold = 0.5;
  int ignore_label = -1, connectivity = 26, resamples = 0;
  uint64_t seed = 1;
  bool partial = false, fast = false, resample = false;
};

bool is_number(const std::string& text) { return !text.empty() && text.find_first_not_of("0123456789") == text.npos; }

// For CLI::Option::check.
std::string check_labels(const std::string& text) {
  if (!is_number(text)) return fs::exists(text) ? "" : text + ": is neither a number of classes nor a file that exists";
  const int classes = text.size() > 3 ? 0 : std::stoi(text);
  return classes >= 2 && classes <= 256 ? "" : text + " classes; 2 to 256 are possible, the background is one";
}

// Of --labels. Without names: not given.
Labels labels_of(const EvaluateCommand& c) {
  Labels out;
  if (is_number(c.labels)) {
    out.names = {"background"};
    for (int k = 1; k < std::stoi(c.labels); ++k) out.names.push_back("class " + std::to_string(k));
  } else if (!c.labels.empty()) {
    out = read_labels(c.labels);
  }
  return out;
}

// Of --metrics: names with commas between them, or all that can be computed from what is given.
std::vector<std::string> metric_names(const EvaluateCommand& c) {
  std::vector<std::string> out;
  std::istringstream list(c.metrics);
  for (std::string name; std::getline(list, name, ',');) {
    if (name != "all") {
      out.push_back(metric_registry().find(name).name);
      continue;
    }
    for (const MetricEntry& m : metric_registry().entries())
      if (!m.probabilities || !c.probabilities.empty()) out.push_back(m.name);
  }
  return out;
}

// For CLI::Option::check.
std::string check_metrics(const std::string& text) {
  try {
    metric_names({.metrics = text});
    return "";
  } catch (const Error& e) { return e.what(); }
}

// Of each task that has scores.
std::string describe_scores() {
  std::string out;
  for (const TaskEntry& task : task_registry().entries())
    if (const std::string text = task.describe_scores(); !text.empty()) out += "Scores of --task " + task.name + ":\n" + text + "\n";
  return out;
}

void run(const EvaluateCommand& c) {
  const Labels labels = labels_of(c);
  const TaskEntry& entry = task_registry().find(c.task);
  const Task::Evaluated e = entry.make(entry.options())
                                ->evaluate(c.prediction, c.reference,
                                           {.labels = labels.names,
                                            .map = labels.map,
                                            .tolerance_mm = c.tolerance_mm,
                                            .ignore_label = c.ignore_label,
                                            .partial = c.partial,
                                            .resample = c.resample,
                                            .series = c.series,
                                            .array = c.array,
                                            .fast = c.fast,
                                            .metrics = metric_names(c),
                                            .connectivity = c.connectivity,
                                            .probabilities = c.probabilities,
                                            .versus = c.versus,
                                            .resamples = c.resamples,
                                            .seed = c.seed,
                                            .froc = c.froc,
                                            .froc_threshold = c.froc_threshold,
                                            .threshold = c.threshold,
                                            .curves = c.curves,
                                            .choose_postprocessing = c.postprocessing});
  std::fputs(e.table.c_str(), stdout);
  check(c.csv.empty() || !e.csv.empty(), "--csv: the task ", c.task, " writes none");
  if (!c.csv.empty()) write_text_file(c.csv, e.csv);
  if (!c.json.empty()) write_json(c.json, parse_json(e.json, "the evaluation"));
}

}  // namespace

void add_evaluate(CLI::App& program) {
  auto o = std::make_shared<EvaluateCommand>();
  CLI::App* command =
      program.add_subcommand("evaluate", "Compare results with references; of masks: Dice, IoU, Hausdorff distance, surface Dice");
  command->add_option("--pred", o->prediction, "Folder of masks or other results, or one")
      ->required()
      ->check(CLI::ExistingPath)
      ->type_name("DIR");
  command->add_option("--ref", o->reference, "Folder of references with the same case names, or one")
      ->required()
      ->check(CLI::ExistingPath)
      ->type_name("DIR");
  command->add_option("--json", o->json, "Write scores of every case and their means, in the form of nnU-Net's summary.json")
      ->type_name("FILE");
  command
      ->add_option("--labels", o->labels,
                   "Number of classes with the background, or a dataset.json, of which regions are evaluated as such (the one beside "
                   "--ref, else what occurs)")
      ->check(check_labels)
      ->type_name("N_or_FILE");
  command->add_option("--tolerance", o->tolerance_mm, "Of the normalised surface Dice (NSD), in mm")
      ->check(number_within(0, 1e6))
      ->type_name("MM")
      ->capture_default_str();
  command->add_option("--ignore", o->ignore_label, "Reference label whose voxels are left out (what dataset.json names \"ignore\")")
      ->check(whole_number_within(0, 255))
      ->type_name("LABEL");
  command->add_flag("--partial", o->partial, "Allow references without a prediction");
  command->add_flag("--resample", o->resample, "Resample predictions on another grid than their reference instead of refusing them");
  command->add_flag("--no-surface", o->fast, "Leave out HD95 and NSD, which take most of the time");
  command
      ->add_option("--metrics", o->metrics, "More scores: names of those below with commas between, or all")
      ->check(check_metrics)
      ->type_name("NAMES");
  command->add_option("--connectivity", o->connectivity, "Neighbours by which voxels are parts of one lesion: 6, 18 or 26")
      ->check(CLI::IsMember({6, 18, 26}))
      ->type_name("N")
      ->capture_default_str();
  command
      ->add_option("--probabilities", o->probabilities,
                   "Folder of volumes with a channel of probabilities for each class, for brier, ece and --froc")
      ->check(CLI::ExistingPath)
      ->type_name("DIR");
  command
      ->add_option("--versus", o->versus,
                   "Folder of other predictions for the same cases: the difference of each score, bootstrapped, and Wilcoxon's test")
      ->check(CLI::ExistingPath)
      ->type_name("DIR");
  command->add_option("--bootstrap", o->resamples, "Intervals of 95 % of the means, from so many resamples of the cases (10000 is usual)")
      ->check(whole_number_within(1, 10000000))
      ->type_name("N");
  command->add_option("--seed", o->seed, "Of the resamples: the same gives the same intervals")->type_name("S")->capture_default_str();
  command->add_option("--froc", o->froc, "Write FROC curves of --probabilities as PREFIX.csv and PREFIX.png, and into --json")
      ->type_name("PREFIX");
  command->add_option("--froc-threshold", o->froc_threshold, "Least probability in a candidate of --froc")
      ->check(number_within(1e-6, 1))
      ->type_name("P")
      ->capture_default_str();
  command
      ->add_option("--choose-postprocessing", o->postprocessing,
                   "Look for what makes these predictions of validation cases better and write it; predict applies RUN/postprocessing.json")
      ->type_name("FILE");
  command->add_option("--csv", o->csv, "Write a line for each case and class")->type_name("FILE");
  command->footer(describe_scores());
  command->add_option("--threshold", o->threshold, "Of classes: probability from which one is called, in sensitivity and the like")
      ->check(number_within(0, 1))
      ->type_name("P")
      ->capture_default_str();
  command
      ->add_option("--curves", o->curves,
                   "Write pictures: of classes PREFIX_roc.png, _pr.png, _calibration.png, _confusion.png, of values _predicted.png and "
                   "_bland_altman.png")
      ->type_name("PREFIX");
  command
      ->add_option("--task", o->task,
                   "What the results are of, a name of voxgrad tasks; of values per image --ref is the data set and --pred the folder of "
                   "predict or a table of case and probabilities")
      ->check(CLI::IsMember(task_registry().names()))
      ->type_name("NAME")
      ->capture_default_str();
  command
      ->add_option("--array", o->array,
                   "Of images: which array of references that are HDF5 or .npz files with several; fastMRI's reconstruction_rss or "
                   "reconstruction_esc are compared with the middle of an image")
      ->type_name("NAME");
  add_series(*command, o->series);
  add_threads(*command);
  command->callback([o] { run(*o); });
}

}  // namespace voxgrad
