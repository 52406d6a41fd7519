#include <chrono>
#include <cstdio>
#include <filesystem>
#include <optional>

#include "cli/commands.h"
#include "core/progress.h"
#include "data/dataset.h"
#include "io/atomic_file.h"
#include "io/image.h"
#include "tasks/file_pairs.h"
#include "tasks/task.h"

namespace voxgrad {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostNamed = 20;  // failed cases

struct PredictCommand {
  std::vector<std::string> models, folds;
  std::string rules, in, out, reference, device = "auto", conv = "own", ending = ".nii.gz", patch, volumes = "channels", series;
  std::optional<double> overlap;
  std::optional<bool> mirror;
  bool picture = false, resample = false;
};

Volume reference_of(const PredictCommand& c, const std::string& id, const Volume& image) {
  for (const auto& entry : fs::directory_iterator(c.reference))
    if (entry.is_regular_file() && !volume_extension(entry.path()).empty() && case_name(entry.path()) == id)
      return on_grid(read_volume(entry.path(), {.labels = true}), entry.path().string(), grid_of(image), "its image",
                     c.resample ? OtherGrid::resample_nearest : OtherGrid::refuse);
  fail(c.reference, ": there is no reference for the case ", id);
}

// Refuses to write over what is read.
void check_apart(const std::vector<DatasetCase>& cases, const Task& task, const PredictCommand& c) {
  for (const DatasetCase& one : cases)
    for (const fs::path& image : one.images)
      for (const fs::path& file : task.files(fs::path(c.out) / one.id, c.ending))
        check(!fs::exists(file) || !fs::equivalent(file, image), file.string(), ": is an input; --out must be another folder");
}

// Every volume of 4-D files as a case of its own, c_0, c_1 ..
std::vector<DatasetCase> each_volume(const std::vector<DatasetCase>& cases) {
  std::vector<DatasetCase> out;
  for (const DatasetCase& one : cases) {
    int64_t volumes = 1;
    try {
      volumes = read_header(one.images[0], {.series = one.series}).shape[3];
    } catch (const Error&) {}  // said when it is read
    for (int64_t k = 0; k < volumes; ++k) {
      out.push_back(one);
      out.back().volume = int(k);
      if (volumes > 1) out.back().id += "_" + std::to_string(k);
    }
  }
  return out;
}

// The JSON of the result.
std::string predict_case(const DatasetCase& one, const Model& model, const Task& task, const PredictCommand& c,
                         const PredictOptions& options) {
  DatasetCase read = one;
  read.resample = c.resample;
  const Volume image = read_case_image(read);
  const Result result = task.apply(model, image, one.images[0].string(), options);
  const fs::path stem = fs::path(c.out) / one.id;
  if (c.picture) {
    const Volume reference = c.reference.empty() ? Volume{} : reference_of(c, one.id, image);
    write_png(stem.string() + ".png", task.picture(image, result, reference, one.id, model.description));
  }
  const bool mask = result.volume.data && !is_floating(result.volume.data.dtype());
  if (c.ending == ".dcm" && mask) {
    const bool dicom = read_header(one.images[0], {.series = c.series}).format == "DICOM";
    write_segmentation(task.files(stem, c.ending)[0], result.volume,
                       {.labels = model.description.labels, .source = dicom ? one.images[0] : fs::path(), .series = c.series});
  } else {
    task.write(result, stem, c.ending);
  }
  return result.json;
}

// Says once more, behind all that was said meanwhile, which cases failed.
[[noreturn]] void report(const std::vector<std::string>& failed, size_t total) {
  std::string text = std::to_string(failed.size()) + " of " + std::to_string(total) + " cases failed: ";
  for (size_t i = 0; i < failed.size() && i < kMostNamed; ++i) text += (i ? ", " : "") + failed[i];
  if (failed.size() > kMostNamed) text += " and " + std::to_string(failed.size() - kMostNamed) + " more";
  if (failed.size() == total) throw Error(text);
  throw SomeFailed(text);
}

void run(const PredictCommand& c) {
  if (c.picture && c.ending == ".png") throw CLI::ValidationError("--picture and --format .png would write the same files");
  const Device device = chosen_device(c.device);
  const ConvBackendScope scope = conv_scope(c.conv, device);
  Model model = load_ensemble({c.models.begin(), c.models.end()}, {.folds = c.folds, .rules = c.rules});
  std::vector<DatasetCase> cases = list_images(c.in, int(model.description.channels.size()));
  for (DatasetCase& one : cases) one.series = c.series;
  if (c.volumes == "cases") cases = each_volume(cases);
  check(!cases.empty(), c.in, ": holds no images");
  move_to(model.net, device);
  const std::shared_ptr<const Task> task = make_task(model.description.task);
  check_apart(cases, *task, c);
  make_folders(c.out);

  PredictOptions options = predict_options(model.description);
  options.device = device;
  if (c.overlap) options.overlap = *c.overlap;
  if (!c.patch.empty()) options.patch = parse_extents(c.patch);
  if (c.mirror) options.mirror = *c.mirror;

  const int64_t total = int64_t(cases.size());
  const bool single = total == 1;  // then tiles are counted, else cases
  Progress progress({.what = "predict", .unit = single ? "tile" : "case", .total = single ? 0 : total});
  std::vector<std::string> failed;
  std::vector<std::pair<std::string, std::string>> summary;
  for (int64_t i = 0; i < total; ++i) {
    const DatasetCase& one = cases[size_t(i)];
    options.progress = [&](int64_t done, int64_t tiles) {
      if (single) {
        progress.set_total(tiles);
        progress.update(done, one.id);
      } else {
        progress.update(i, one.id + ", tile " + std::to_string(done) + "/" + std::to_string(tiles));
      }
    };
    try {
      summary.emplace_back(one.id, predict_case(one, model, *task, c, options));
    } catch (const std::exception& e) {
      if (single) throw;
      failed.push_back(one.id);
      progress.message(std::string("voxgrad: ") + e.what());
    }
    if (!single) progress.update(i + 1, one.id);
  }
  task->write_summary(c.out, summary);
  std::printf("%lld %s in %s\n", static_cast<long long>(summary.size()), task->product(), c.out.c_str());
  if (!failed.empty()) report(failed, size_t(total));
}

}  // namespace

void add_predict(CLI::App& program) {
  auto o = std::make_shared<PredictCommand>();
  CLI::App* command = program.add_subcommand("predict", "Apply a trained network to images");
  command
      ->add_option("--model", o->models,
                   "Folder of a run (its best checkpoint), a checkpoint file, or a model folder of nnU-Net; of several the mean output")
      ->required()
      ->check(CLI::ExistingPath)
      ->type_name("MODEL ..");
  command->add_option("--folds", o->folds, "Of a model folder with several folds these: 0 1 2, or all; else the mean of all of them")
      ->type_name("FOLD ..");
  command->add_option("--rules", o->rules, "What the weights in --model are where they do not say it: see convert --help")
      ->check(CLI::ExistingFile)
      ->type_name("FILE");
  command->add_option("--in", o->in, "An image, a folder of images or a DICOM folder")
      ->required()
      ->check(CLI::ExistingPath)
      ->type_name("FILE_or_DIR");
  command->add_option("--out", o->out, "Folder for the results, one per case; masks and images in the geometry of the input")
      ->required()
      ->type_name("DIR");
  command->add_option("--overlap", o->overlap, "Share of a tile that the next one covers again, 0 to 0.95 (as trained: 0.5)")
      ->check(number_within(0, 0.95))
      ->type_name("X");
  command->add_option("--patch", o->patch, "Extent of a tile, 96 or 64x96x96; a smaller one needs less memory (as trained)")
      ->check(check_extents)
      ->type_name("SIZE");
  // Not as a flag of an optional, which CLI11 sets to false where it is not given.
  command->add_flag_function(
      "--tta,!--no-tta", [o](std::int64_t n) { o->mirror = n > 0; },
      "Average over the eight mirror images: 8 times the work (as configured in training)");
  command->add_option("--format", o->ending, "Ending of the results: .nii.gz, .nii, .nrrd, .mha, .mgz, .tif, .png of slices, .dcm of masks")
      ->check(CLI::IsMember({".nii.gz", ".nii", ".nrrd", ".mha", ".mgz", ".tif", ".png", ".dcm"}))
      ->type_name("EXT")
      ->capture_default_str();
  command->add_option("--volumes", o->volumes, "What the volumes of a 4-D file are: the channels of one case, or cases of their own")
      ->check(CLI::IsMember({"channels", "cases"}))
      ->type_name("channels|cases")
      ->capture_default_str();
  command->add_flag("--resample", o->resample, "Resample channels that lie on another grid than the first one instead of refusing them");
  command->add_flag("--picture", o->picture, "Write a PNG of slices with the result beside each");
  command->add_option("--ref", o->reference, "Folder of reference masks, shown in the pictures")
      ->check(CLI::ExistingDirectory)
      ->type_name("DIR");
  add_series(*command, o->series);
  add_device(*command, o->device);
  add_conv(*command, o->conv);
  add_threads(*command);
  command->footer("A case that cannot be read does not stop the others: it is named at the end, and the exit status is 3.");
  command->callback([o] { run(*o); });
}

}  // namespace voxgrad
