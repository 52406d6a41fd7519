#include "train/config_keys.h"

#include <algorithm>
#include <limits>

#include "core/config/json_values.h"
#include "io/json_file.h"
#include "models/model_registry.h"
#include "optim/optimizer.h"
#include "tasks/task.h"

namespace voxgrad {
namespace {

std::string a_path(const Json& v) {
  check(v.is_string(), "a path is wanted");
  return v.get<std::string>();
}

void add_data(ConfigTable& t, DataConfig& d) {
  t.choice("data.split", d.split, {"auto", "folds"}, "auto: the data set's own, where it says which cases validate, else folds");
  t.integer("data.fold", d.fold, 0, 99, "the fold of the data set that validates");
  t.integer("data.folds", d.folds, 1, 100, "folds of the split; 1: every case trains, nothing validates");
  t.spacing("data.spacing", d.spacing, "spacing [d, h, w] in mm that cases are resampled to; []: the median of the training cases");
  t.choice(
      "data.normalization", d.normalization,
      {"auto", "auto_unclipped", "zscore", "zscore_masked", "ct", "none", "rescale_to_0_1", "rgb_to_0_1", "hounsfield"},
      "zscore: per volume; zscore_masked: of what is not 0, to whose box volumes are cropped, or as dataset.json says by "
      "\"use_mask_for_norm\"; ct: clip to the 0.5 and 99.5 percentiles of the foreground and standardise by it; rescale_to_0_1: by "
      "the extremes of the volume; rgb_to_0_1: x / 255; hounsfield: x / 1000 + 1, so that air is 0 and water 1; auto: what a channel is "
      "named (CT, noNorm, rescale_to_0_1, rgb_to_0_1, which red, green and blue are too), zscore for other names; auto_unclipped: the "
      "same, but CT is hounsfield");
  t.choice("data.nan", d.nan, {"refuse", "zero"}, "voxels that are not finite: refuse the case, or take them as 0");
  t.choice("data.other_grid", d.other_grid, {"refuse", "resample"},
           "channels and labels on another grid than the first channel: refuse the case, or resample them to that grid");
  t.add("data.series", "which DICOM series of folders with several, as --series; dataset.json may name another for a case: \"series\"",
        d.series, [](const Json& v) {
          check(v.is_string(), "a text is wanted");
          return v.get<std::string>();
        });
  t.add("data.previous_stage",
        "folder with masks that the first stage of a cascade gave of all cases, which the network sees beside the image; none by a model "
        "that trained on the case: --previous-stage",
        d.previous_stage, a_path);
  t.number("data.cache_gb", d.cache_gb, 0.01, 1e6, "preprocessed cases kept in memory, in gigabytes; others are read again");
  t.add("data.cache",
        "folder that preprocessed cases are written to once and patches read from, for data sets larger than memory; \"\": none",
        d.cache, [](const Json& v) {
          check(v.is_string(), "the name of a folder is wanted");
          return v.get<std::string>();
        });
  t.choice("data.cache_dtype", d.cache_dtype, {"f32", "f16", "bf16"}, "of images in data.cache: f32 trains as without it; others round");
}

// A configuration brings its batch, unless that is set after it.
void add_plan(ConfigTable& t, TrainConfig& c) {
  ConfigTable choice;
  choice.choice("plan.configuration", c.plan.configuration, {"default", "2d", "3d_fullres", "3d_lowres", "3d_cascade_fullres"},
                "patch, batch, spacing and network by nnU-Net's rules for slices, volumes, volumes at a lower resolution or the stage "
                "behind these; default: a patch of at most 128^3 voxels at the median spacing");
  ConfigKey key = choice.keys[0];
  key.set = [set = key.set, &c](const Json& v) {
    const std::string before = c.plan.configuration;
    set(v);
    if (c.plan.configuration != before) c.train.batch = c.plan.configuration == "default" ? ScheduleConfig{}.batch : 0;
  };
  t.keys.push_back(key);
  t.number("plan.memory_gb", c.plan.memory_gb, 0.1, 1e4, "of the GPU that plan.configuration is planned for, in gigabytes");
  t.add("plan.file", "a plans.json of voxgrad plan or of nnU-Net that plan.configuration is taken from, instead of planning", c.plan.file,
        [](const Json& v) {
          check(v.is_string(), "the name of a file is wanted");
          return v.get<std::string>();
        });
}

// The options of what was chosen, kept as JSON in `choice`.
void add_chosen(ConfigTable& t, const std::string& prefix, const Options& options, Choice& choice) {
  for (const ConfigKey& key : options.keys())
    t.keys.push_back({prefix + key.name, key.help, key.get, [key, options, &choice](const Json& v) {
                        key.set(v);
                        choice.options = options.to_json().dump();
                      }});
}

// Another network keeps what was set of the options that it has too, as far as it has such values; what the task has its own network start
// from is not set.
void add_network(ConfigTable& t, TrainConfig& c) {
  t.add("network.kind", "the network, a name of voxgrad models; its keys follow", c.network.name, [&c](const Json& v) {
    check(v.is_string(), "the name of a network is wanted");
    const Options now = model_registry().find(v.get<std::string>()).options();
    const Json before = parse_json(c.network.options, "network"), usual = model_registry().find(c.network.name).options().to_json();
    const Json by_task = parse_json(task_registry().find(c.task.name).defaults, "task " + c.task.name).value("network", Json::object());
    const bool another = by_task.value("kind", Json(v)) != v;
    for (auto& key : now.keys()) {
      const bool of_task = another && by_task.contains(key.name) && by_task[key.name] == before.value(key.name, Json());
      const bool set = before.contains(key.name) && (!usual.contains(key.name) || before[key.name] != usual[key.name]);
      try {
        if (set && !of_task) key.set(before[key.name]);
      } catch (const Error&) {}  // such as a depth that it cannot have
    }
    c.network.options = now.to_json().dump();
    return v.get<std::string>();
  });
  add_chosen(t, "network.", network_options(c), c.network);
}

void add_task(ConfigTable& t, TrainConfig& c) {
  t.add_json("task", "what is learned, a name of voxgrad tasks; its keys begin with that name", [&c] { return Json(c.task.name); },
             [&c](const Json& v) {
               check(v.is_string(), "the name of a task is wanted");
               const TaskEntry& entry = task_registry().find(v.get<std::string>());
               if (entry.name == c.task.name) return;
               c.task = {entry.name};
               apply_json(c, parse_json(entry.defaults, "task " + entry.name), "task " + entry.name);
             });
  add_chosen(t, c.task.name + ".", task_options(c), c.task);
}

std::string list_of_optimizers() {
  std::string list;
  for (auto& e : optimizers().entries()) list += (list.empty() ? "" : "; ") + e.name + ": " + e.summary;
  return list;
}

// The options of one optimizer but those that have a key for all of them.
void add_optimizer(ConfigTable& t, const OptimizerEntry& entry, ScheduleConfig& s) {
  const Options defaults = entry.options();
  for (auto& key : defaults.keys()) {
    if (key.name == "learning_rate" || key.name == "momentum" || key.name == "weight_decay") continue;
    t.add_json(("train." + entry.name + "." + key.name).c_str(), key.help.c_str(),
               [&s, path = entry.name + "." + key.name, key, defaults] {
                 const auto set = s.optimizer_options.find(path);
                 return set != s.optimizer_options.end() ? Json::parse(set->second) : key.get();
               },
               [&s, path = entry.name + "." + key.name, name = key.name, make = entry.options](const Json& value) {
                 const Options checked = make();
                 for (auto& k : checked.keys())
                   if (k.name == name) k.set(value);
                 s.optimizer_options[path] = value.dump();
               });
  }
}

void add_schedule(ConfigTable& t, ScheduleConfig& s, bool batch_planned) {
  t.extents("train.patch", s.patch, 0, 1024, "patch size [d, h, w] in voxels; 0: planned from the median case");
  t.integer("train.batch", s.batch, batch_planned ? 0 : 1, 1024, "patches per step; 0, with a plan.configuration: as planned");
  t.integer("train.accumulate", s.accumulate, 1, 1024, "batches per step, one after the other, whose gradients are averaged");
  t.integer("train.steps", s.steps, 1, 1000000000, "steps of the schedule, when train.minutes is 0");
  t.number("train.epochs", s.epochs, 0, 1e6, "> 0: no more steps than so many passes over the training cases take");
  t.number("train.minutes", s.minutes, 0, 1e6, "> 0: wall time for the whole command; the schedule fits it");
  t.choice("train.optimizer", s.optimizer, optimizers().names(), list_of_optimizers().c_str());
  t.number("train.learning_rate", s.learning_rate, 0, 1e3, "at the start of the schedule");
  t.number("train.momentum", s.momentum, 0, 0.9999, "of optimizers that have one: sgd");
  t.number("train.weight_decay", s.weight_decay, 0, 10, "L2 for sgd, decoupled for others");
  t.number("train.clip", s.clip, 0, 1e9, "largest L2 norm of the gradients; 0: no clipping");
  t.number("train.poly", s.poly, 0, 10, "power p of the schedule (1 - t / T)^p");
  t.integer("train.warmup_steps", s.warmup_steps, 0, 1000000, "steps over which the learning rate rises from 0");
  t.number("train.oversample_foreground", s.oversample_foreground, 0, 1,
           "fraction of a batch whose patches are centred on a labelled voxel");
  t.choice("train.sampling", s.sampling, {"random", "epochs", "balanced"},
           "random: the case of each patch is drawn from all; epochs: every case once in a random order, then again; balanced: the classes "
           "of the cases take turns, for tasks that have them");
  t.number("train.average_weights", s.average_weights, 0, 0.99999,
           "decay of a moving average of the weights, used for prediction; 0: none");
  t.number(
      "train.batch_statistics", s.batch_statistics, 0, 1,
      "part of the schedule in which norms of batches use the statistics of the batch; then they use the running ones, as prediction does");
  t.integer("train.validate_every", s.validate_every, 0, 1000000000,
            "steps between validations; 0: 100, or as many as train on twice the cases of a validation");
  t.integer("train.validate_cases", s.validate_cases, 0, 1000000, "cases of a validation during training (the last one takes all)");
  t.integer("train.checkpoint_every", s.checkpoint_every, 1, 1000000000, "steps between checkpoints");
  t.choice("train.dtype", s.dtype, {"f32", "bf16"}, "of the activations; weights, their gradients and statistics are f32");
  t.flag("train.cuda_graph", s.cuda_graph,
         "on a CUDA device: a step is recorded and then replayed as one piece of work, with the same results; false: kernel by kernel");
  t.add("train.init", "a model whose network, preprocessing and weights are the start: --init", s.init, a_path);
  t.add("train.init_rules", "the rules of weights that are no model by themselves: --rules", s.init_rules, a_path);
  for (auto& entry : optimizers().entries()) add_optimizer(t, entry, s);
}

// One text or several.
std::vector<std::string> texts(const Json& v) {
  if (v.is_string()) return {v.get<std::string>()};
  check(v.is_array() && std::all_of(v.begin(), v.end(), [](auto& e) { return e.is_string(); }), "a text or a list of texts is wanted");
  return v.get<std::vector<std::string>>();
}

void add_transfer(ConfigTable& t, TransferConfig& c) {
  t.add("transfer.from",
        "a model or a file of weights, of which the network that is planned takes what has its names and shapes: --from", c.from, a_path);
  t.add("transfer.rules", "the rules by which those weights are named, where the network's own are not meant: --rules", c.rules, a_path);
  t.add("transfer.skip", "patterns of tensors that keep their own values: --skip", c.skip, texts);
  t.choice("transfer.inflate", c.inflate, {"average", "center"},
           "kernels of 2D weights in 3D: each slice is the kernel / T; or the middle one");
  t.add("transfer.freeze",
        "patterns of what is not trained, PATTERN@0.3 for that part of the schedule, !PATTERN for all but that: --freeze", c.freeze, texts);
  t.add("transfer.lr_scale", "factors of the learning rate of parts, PATTERN=0.1: --lr-scale", c.lr_scale, texts);
}

}  // namespace

std::vector<ConfigKey> config_keys(TrainConfig& c) {
  ConfigTable t;
  t.integer("seed", c.seed, 0, std::numeric_limits<int64_t>::max(), "of the initial weights and of every random choice");
  add_task(t, c);
  add_data(t, c.data);
  add_plan(t, c);
  add_network(t, c);
  add_schedule(t, c.train, c.plan.configuration != "default");
  add_transfer(t, c.transfer);
  c.augment.add_keys(t);
  t.number("predict.overlap", c.predict.overlap, 0, 0.9, "of neighbouring patches of the sliding window, as a fraction of the patch");
  t.flag("predict.mirror", c.predict.mirror, "average the prediction over mirrored inputs (eight times the work)");
  return std::move(t.keys);
}

}  // namespace voxgrad
