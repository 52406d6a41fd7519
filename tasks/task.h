#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/config/options.h"
#include "core/config/registry.h"
#include "data/case_store.h"
#include "infer/predict.h"
#include "io/numpy_planes.h"
#include "io/picture/picture.h"
#include "tasks/scores.h"

namespace voxgrad {

// Scores over cases.
class Meter {
 public:
  virtual ~Meter() = default;
  // prediction: what Task::predict gave for the case.
  virtual void add(const Case&, const std::vector<Field>& prediction) = 0;
  virtual Scores scores() const = 0;
  // What the cases that validate say of the task's options once the training is over, such as a temperature: a JSON object of options for
  // the best checkpoint, and a line for people. Empty: nothing.
  struct Calibration {
    std::string options, text;
  };
  virtual Calibration calibration() const { return {}; }
};

// What a model says of one file: a volume in the geometry of the file, a JSON object, or both.
struct Result {
  Volume volume;
  std::string json;
  std::shared_ptr<NumpyPlanesWriter> probabilities = {};  // PredictOptions::probabilities, complete but for its commit()
};

// A task heeds what has a meaning for it.
struct EvaluateOptions {
  std::vector<std::string> labels = {};  // names of the classes 0 .. K - 1 or regions; empty: those beside the references, else what occurs
  LabelMap map = {};                     // what values mean, where labels are given
  double tolerance_mm = 1;               // of surface distances
  int ignore_label = -1;                 // of references: left out, whatever the map says
  bool partial = false;                  // references without a prediction are left out instead of refused
  bool resample = false;                 // predictions on another grid than their reference are resampled to it instead of refused
  std::string series = {};               // of DICOM folders, which are then one result or reference each
  std::string array = {};                // of references in HDF5 or .npz files with several
  bool fast = false;                     // without what takes most of the time
  std::vector<std::string> metrics = {};       // more scores than usual, by their names
  int connectivity = 26;                       // neighbours by which voxels are one lesion: 6, 18 or 26
  std::filesystem::path probabilities = {};    // folder or file like the predictions, of probabilities
  std::filesystem::path versus = {};           // other predictions to compare with
  int resamples = 0;                           // of bootstrapped intervals; 0: none, but of comparisons 10000
  uint64_t seed = 1;                           // of these
  std::filesystem::path froc = {};             // where FROC curves of probabilities go, without the ending; empty: none
  double froc_threshold = 0.1;                 // of candidates (tasks/segmentation/froc)
  double threshold = 0.5;                      // of the probability from which a class is called
  std::filesystem::path curves = {};           // where pictures of values per image go, without their endings; empty: none
  std::filesystem::path choose_postprocessing = {};  // where to write what makes these predictions better; empty: is not looked for
};

// What a network learns, and what is done with what it has learned. An object is made of its part of the configuration and changes no more;
// all methods may be called from several threads.
class Task : public TargetSource {
 public:
  // --- what the network must give
  // Names of what its outputs stand for, one per output channel. A data set that cannot be trained on is an Error by the name of its file.
  virtual std::vector<std::string> outputs(const Dataset&) const = 0;
  virtual bool dense() const { return true; }  // a value per voxel, not per image

  // --- training
  // The classes that a case belongs to, by which train.sampling=balanced draws cases; none: it has none. labels: names of the outputs.
  virtual std::vector<int> classes(const DatasetCase&, const std::vector<std::string>& /*labels*/) const { return {}; }
  // The centre of a training patch, in voxels. forced: it is to hold something to be found, as train.oversample_foreground asks for.
  virtual Double3 centre(const Case&, const Int3& patch, bool forced, Rng) const;
  // What the last layers of a new network are multiplied by: near 0 where outputs are added to the input (models/last_layers.h).
  virtual double first_outputs() const { return 1; }
  // How many patches behind one another in a batch are views of one: the same case and centre, augmented each by itself.
  virtual int views() const { return 1; }
  // Whether augmentation may change intensities: of the input alone, which is no use where the target is an image of the same intensities.
  virtual bool changes_intensities() const { return true; }
  // What is done to a batch on the device, after augmentation: degradations, mixtures. A function of its arguments alone.
  virtual Batch prepare(const Batch& batch, const Rng&) const { return batch; }
  // A scalar, of the outputs of the network for batch.image.
  virtual Tensor loss(const std::vector<Tensor>& outputs, const Batch&) const = 0;

  // --- validation, in the geometry of the preprocessed case
  virtual std::vector<Field> predict(const Network&, const ModelDescription&, const Case&, const PredictOptions&) const = 0;
  virtual std::unique_ptr<Meter> meter(const std::vector<std::string>& outputs) const = 0;

  // --- use: from a preprocessed file to a result in its geometry
  // A file that holds measurements in place of an image: what `apply` is given of it. Absent: it is an image, and preprocessed as one.
  virtual std::optional<Preprocessed> measurements(const Volume&, const std::string& /*name*/) const { return {}; }
  // The image that is preprocessed in place of the one in a file, whose geometry is that of the result: the same on a finer grid.
  virtual Volume refined(const Volume& image, const ModelDescription&) const { return image; }
  virtual Result apply(const Model&, const Preprocessed&, const PredictOptions&) const = 0;
  // What is done with a result when no network is needed any more.
  virtual Result finished(Result r, const PredictOptions&) const { return r; }
  virtual const char* product() const { return "results"; }  // "masks"
  // The files that `write` writes for a case. stem: their folder and the name of the case; ending: of volumes, such as ".nii.gz".
  virtual std::vector<std::filesystem::path> files(const std::filesystem::path& stem, const std::string& ending) const = 0;
  virtual void write(const Result&, const std::filesystem::path& stem, const std::string& ending) const = 0;
  // What is written once for all cases: their names and JSON.
  virtual void write_summary(const std::filesystem::path& /*folder*/, const std::vector<std::pair<std::string, std::string>>&) const {}
  // Slices of a case with its result, and beside it the reference where there is one.
  virtual Picture picture(const Volume& image, const Result&, const Volume& reference, const std::string& title,
                          const ModelDescription&) const = 0;

  // --- results in a folder (or one file) against references in another: a table for people, and JSON
  struct Evaluated {
    std::string table, json;
    std::string csv = "";  // a line for each case; empty: the task has none
  };
  virtual Evaluated evaluate(const std::filesystem::path& predictions, const std::filesystem::path& references,
                             const EvaluateOptions&) const = 0;
};

// A task that a configuration can name. One file tasks/NAME/NAME_task.cpp defines `TaskEntry NAME_task()`; a program adds its own by
// task_registry().add(..).
struct TaskEntry {
  std::string name, summary;
  // What the configuration starts from where this task is chosen, as JSON: {"network": {"kind": "resnet"}}.
  std::string defaults = "{}";
  // Keys of the configuration below "NAME.".
  std::function<Options()> options = [] { return Options(); };
  // What a data set, of whose cases only those for training are there, says of the task is set in options that leave it open. Whether
  // anything was.
  std::function<bool(const Options&, const Dataset&)> adapt = [](const Options&, const Dataset&) { return false; };
  std::function<std::shared_ptr<const Task>(const Options&)> make;
  // How `evaluate` judges its results, for --help: each score with its definition.
  std::function<std::string()> describe_scores = [] { return std::string(); };
};
Registry<TaskEntry>& task_registry();

// The JSON that a model's description keeps of its task; empty for segmentation as it is by default.
std::string task_json(const std::string& kind, const Options&);
// Of a description's JSON.
std::shared_ptr<const Task> make_task(const std::string& json);

}  // namespace voxgrad
