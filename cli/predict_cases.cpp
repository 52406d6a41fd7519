#include "cli/predict_cases.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "cli/commands.h"
#include "cli/predict_inputs.h"
#include "core/progress.h"
#include "core/stages/stages.h"
#include "data/dataset.h"
#include "data/listing/files_by_case.h"
#include "io/atomic_file.h"
#include "io/image.h"
#include "tasks/predictor.h"
#include "tasks/segmentation/postprocessing/postprocessing.h"

namespace voxgrad {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostNamed = 20;  // failed cases

// On the grid of the result, where that is an image: it may be finer than that of the file. Of other results a mask on that of the file.
Volume reference_of(const PredictCommand& c, const std::string& id, const Volume& image, const Volume& result) {
  const auto files = files_by_case(c.reference);
  const auto found = files.find(id);
  check(found != files.end(), c.reference, ": there is no reference for the case ", id);
  const bool mask = !result.data || !is_floating(result.data.dtype());
  const OtherGrid otherwise = !c.resample ? OtherGrid::refuse : mask ? OtherGrid::resample_nearest : OtherGrid::resample_linear;
  return on_grid(read_volume(found->second, {.labels = mask}), found->second.string(), grid_of(mask ? image : result),
                 mask ? "its image" : "its result", otherwise);
}

// Seconds of all cases. Each member is written by one thread.
struct Times {
  double reading = 0, preprocessing = 0, computing = 0, writing = 0;
  PredictTimes network = {};
};

class Stopwatch {
 public:
  explicit Stopwatch(double& sum) : sum_(sum), start_(Clock::now()) {}
  ~Stopwatch() { sum_ += std::chrono::duration<double>(Clock::now() - start_).count(); }

 private:
  using Clock = std::chrono::steady_clock;
  double& sum_;
  Clock::time_point start_;
};

std::string describe(const Times& t) {
  rusage used;
  getrusage(RUSAGE_SELF, &used);
  char text[320];
  std::snprintf(text, sizeof text,
                "times: reading %.2f s, preprocessing %.2f s, network %.2f s, resampling and labels %.2f s, other %.2f s, writing %.2f s; "
                "at most %.2f GB of memory",
                t.reading, t.preprocessing, t.network.outputs, t.network.rows, t.computing - t.network.outputs - t.network.rows, t.writing,
                double(used.ru_maxrss) * 1024 / 1e9);
  return text;
}

// The cases of a command and what is done with one of them, in three steps that may be taken for three cases at a time.
class Cases {
 public:
  // first: the first stage where it is predicted too, else null.
  Cases(const PredictCommand& c, const Predictor& predict, const Predictor* first, std::vector<DatasetCase> cases)
      : command_(c), predict_(predict), first_(first), cases_(std::move(cases)), json_(cases_.size()) {
    for (DatasetCase& one : cases_) one.resample = c.resample;
  }

  // `image` is kept for a picture, or for the second stage.
  struct Read {
    Preprocessed input;
    Volume image;
    std::string name;
  };
  struct Computed {
    Result result;
    Volume image;
    PredictOptions options;
  };

  Read read(int64_t i) {
    Read out;
    {
      const Stopwatch watch(times.reading);
      out.image = read_case_image(at(i));
    }
    const Stopwatch watch(times.preprocessing);
    out.name = at(i).images[0].string();
    if (first_) {
      out.input = first_->prepare(out.image, out.name);
      return out;
    }
    PreviousMask previous{.name = at(i).previous.string(), .other = command_.resample ? OtherGrid::resample_nearest : OtherGrid::refuse};
    if (!at(i).previous.empty()) previous.mask = read_volume(at(i).previous, {.labels = true});
    out.input = predict_.prepare(out.image, out.name, at(i).previous.empty() ? nullptr : &previous);
    if (!command_.picture) out.image = {};
    return out;
  }
  Computed compute(int64_t i, const Read& read, PredictOptions options) {
    const Stopwatch watch(times.computing);
    options.times = &times.network;
    if (command_.probabilities) options.probabilities = probabilities_of(at(i), command_);
    if (!first_) return {predict_(read.input, options), read.image, options};
    PredictOptions of_first = first_->options();
    of_first.progress = options.progress;
    of_first.times = options.times;
    of_first.skip_empty = options.skip_empty;
    if (command_.overlap) of_first.overlap = *command_.overlap;
    of_first.batch = command_.batch;
    if (command_.mirror) of_first.mirror = *command_.mirror;
    const PreviousMask mask{.mask = (*first_)(read.input, std::move(of_first)).volume, .name = "the mask of the first stage"};
    return {predict_(predict_.prepare(read.image, read.name, &mask), options), read.image, options};
  }
  void write(int64_t i, const Computed& computed) {
    const Stopwatch watch(times.writing);
    const DatasetCase& one = at(i);
    const Task& task = predict_.task();
    const Result result = predict_.finished(computed.result, computed.options);
    const fs::path stem = fs::path(command_.out) / one.id;
    if (command_.picture) {
      const Volume reference = command_.reference.empty() ? Volume{} : reference_of(command_, one.id, computed.image, result.volume);
      write_png(stem.string() + ".png", task.picture(computed.image, result, reference, one.id, predict_.description()));
    }
    const bool mask = result.volume.data && !is_floating(result.volume.data.dtype());
    if (command_.ending == ".dcm" && mask) {
      const bool dicom = read_header(one.images[0], {.series = command_.series}).format == "DICOM";
      const fs::path source = dicom ? one.images[0] : fs::path();
      write_segmentation(task.files(stem, command_.ending)[0], result.volume,
                         {.labels = predict_.description().labels, .source = source, .series = command_.series});
    } else {
      task.write(result, stem, command_.ending);
    }
    check(!command_.probabilities || result.probabilities, "--probabilities: the task gives none of every voxel");
    if (result.probabilities) result.probabilities->commit();
    json_[size_t(i)] = result.json;
  }

  const DatasetCase& at(int64_t i) const { return cases_[size_t(i)]; }
  int64_t count() const { return int64_t(cases_.size()); }
  const std::string& json(int64_t i) const { return json_[size_t(i)]; }  // of one that is written
  Times times;

 private:
  const PredictCommand& command_;
  const Predictor& predict_;
  const Predictor* first_;
  std::vector<DatasetCase> cases_;
  std::vector<std::string> json_;
};

// Says once more, behind all that was said meanwhile, which cases failed.
[[noreturn]] void report(const std::vector<std::string>& failed, size_t total) {
  std::string text = std::to_string(failed.size()) + " of " + std::to_string(total) + " cases failed: ";
  for (size_t i = 0; i < failed.size() && i < kMostNamed; ++i) text += (i ? ", " : "") + failed[i];
  if (failed.size() > kMostNamed) text += " and " + std::to_string(failed.size() - kMostNamed) + " more";
  if (failed.size() == total) throw Error(text);
  throw SomeFailed(text);
}

// What becomes of masks; an Error where it cannot be read.
void say(const fs::path& postprocessing) {
  std::string text;
  for (const PostprocessingStep& step : read_postprocessing(postprocessing)) text += (text.empty() ? "" : "; ") + describe(step);
  std::fprintf(stderr, "voxgrad: post-processing by %s: %s\n", postprocessing.c_str(), text.empty() ? "nothing" : text.c_str());
}

// One file, where tiles are counted.
void predict_one(Cases& cases, PredictOptions options) {
  Progress progress({.what = "predict", .unit = "tile"});
  options.progress = [&](int64_t done, int64_t tiles) {
    fail_if_interrupted();
    progress.set_total(tiles);
    progress.update(done, cases.at(0).id);
  };
  cases.write(0, cases.compute(0, cases.read(0), options));
}

// Ids of cases that failed, whose messages are shown.
std::vector<std::string> predict_all(Cases& cases, PredictOptions options, std::vector<int64_t>& written) {
  Progress progress({.what = "predict", .unit = "case", .total = cases.count()});
  std::vector<std::string> failed;
  int64_t done = 0;
  run_stages<Cases::Read, Cases::Computed>(cases.count(),
                                           {.read = [&](int64_t i) { return cases.read(i); },
                                            .compute =
                                                [&](int64_t i, Cases::Read read) {
                                                  options.progress = [&](int64_t tile, int64_t tiles) {
                                                    fail_if_interrupted();
                                                    progress.update(done, cases.at(i).id + ", tile " + std::to_string(tile) + "/" +
                                                                              std::to_string(tiles));
                                                  };
                                                  return cases.compute(i, read, options);
                                                },
                                            .write = [&](int64_t i, Cases::Computed c) { cases.write(i, c); },
                                            .done =
                                                [&](int64_t i, std::exception_ptr error) {
                                                  try {
                                                    if (error) std::rethrow_exception(error);
                                                    written.push_back(i);
                                                  } catch (const std::exception& e) {
                                                    failed.push_back(cases.at(i).id);
                                                    progress.message(std::string("voxgrad: ") + e.what());
                                                  }
                                                  progress.update(++done, cases.at(i).id);
                                                }});
  return failed;
}

// What predicts the masks that a second stage sees. Null where the model is none, and where masks are given: the cases then name theirs.
std::unique_ptr<const Predictor> first_stage(const PredictCommand& c, const ModelDescription& d, std::vector<DatasetCase>& cases,
                                             const Device& device) {
  const bool second = !d.previous_labels.empty();
  check(second || c.previous.empty(), c.models[0], ": is no second stage of a cascade, --previous-stage is in vain");
  check(!second || !c.previous.empty(), c.models[0], ": is the second stage of a cascade; --previous-stage names the masks of the first ",
        "stage, or its models");
  if (!second) return {};
  if (!names_models(c.previous)) {
    find_masks(cases, c.previous[0]);
    return {};
  }
  auto first = std::make_unique<const Predictor>(std::vector<fs::path>(c.previous.begin(), c.previous.end()), device);
  check(first->description().channels.size() == d.channels.size(), c.previous[0], ": takes ", first->description().channels.size(),
        " channels, the second stage ", d.channels.size());
  return first;
}

}  // namespace

void predict_cases(const PredictCommand& c) {
  if (c.picture && c.ending == ".png") throw CLI::ValidationError("--picture and --format .png would write the same files");
  const Device device = chosen_device(c.device);
  const ConvBackendScope scope = conv_scope(c.conv, device);
  const Predictor predictor({c.models.begin(), c.models.end()}, device, {.folds = c.folds, .rules = c.rules});
  const bool listed = c.validation && is_dataset(c.in);  // whose test cases are what is predicted otherwise
  std::vector<DatasetCase> found =
      listed ? read_dataset(c.in).cases : list_images(c.in, int64_t(predictor.description().channels.size()), c.series);
  for (DatasetCase& one : found) one.series = c.series;
  if (c.volumes == "cases") found = each_volume(found);
  if (c.validation) found = validating(found, c);
  const std::unique_ptr<const Predictor> first = first_stage(c, predictor.description(), found, device);
  check(!found.empty(), c.in, ": holds no images");
  check_apart(found, predictor.task(), c);
  make_folders(c.out);
  std::vector<std::pair<std::string, std::string>> summary;
  if (c.resume) summary = take_done(found, predictor.task(), c);
  if (!summary.empty())
    std::fprintf(stderr, "voxgrad: %zu of %zu cases are in %s already\n", summary.size(), summary.size() + found.size(), c.out.c_str());

  PredictOptions options = predictor.options();
  if (c.overlap) options.overlap = *c.overlap;
  options.batch = c.batch;
  if (!c.patch.empty()) options.patch = parse_extents(c.patch);
  if (c.mirror) options.mirror = *c.mirror;
  options.shift = c.shift;
  options.skip_empty = c.skip_empty;
  if (c.validation) options.postprocessing.clear();
  if (!c.postprocessing.empty()) options.postprocessing = c.postprocessing == "none" ? "" : c.postprocessing;
  if (!options.postprocessing.empty()) say(options.postprocessing);

  const InterruptScope interrupts;
  Cases cases(c, predictor, first.get(), std::move(found));
  std::vector<int64_t> written;
  std::vector<std::string> failed;
  if (cases.count() == 1) predict_one(cases, options), written = {0};
  else if (cases.count() > 1) failed = predict_all(cases, options, written);
  for (int64_t i : written) summary.emplace_back(cases.at(i).id, cases.json(i));
  std::sort(summary.begin(), summary.end());
  predictor.task().write_summary(c.out, summary);
  std::printf("%lld %s in %s\n", static_cast<long long>(summary.size()), predictor.task().product(), c.out.c_str());
  if (c.times) std::printf("%s\n", describe(cases.times).c_str());
  if (!failed.empty()) report(failed, size_t(cases.count()));
}

}  // namespace voxgrad
