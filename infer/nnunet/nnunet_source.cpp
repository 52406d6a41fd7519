#include <map>

#include "core/config/json_values.h"
#include "core/error.h"
#include "infer/model_source.h"
#include "infer/nnunet/nnunet.h"
#include "infer/weights/import.h"
#include "io/json_file.h"
#include "io/torch/torch_file.h"
#include "models/ensemble/ensemble.h"

namespace voxgrad {
namespace fs = std::filesystem;

namespace {
constexpr const char* kCheckpoints[] = {"checkpoint_final.pth", "checkpoint_best.pth", "checkpoint_latest.pth"};

bool is_model_folder(const fs::path& p) { return fs::exists(p / "plans.json") && fs::exists(p / "dataset.json"); }

fs::path checkpoint_in(const fs::path& fold) {
  for (const char* name : kCheckpoints)
    if (fs::exists(fold / name)) return fold / name;
  return {};
}

// What a checkpoint says beside its weights.
struct Said {
  std::string configuration;
  bool mirrors_said = false;
  std::vector<int64_t> mirror_axes;
};
Said said_in(const Weights& weights) {
  Said out;
  const TorchFile* torch = weights.torch();
  if (!torch) return out;
  const PickleValue& root = torch->root();
  check(root.find("network_weights"), weights.name(), ": has no \"network_weights\", so it is no checkpoint of nnU-Net");
  if (const PickleValue* args = root.find("init_args"))
    if (const PickleValue* name = args->find("configuration")) out.configuration = torch->text(*name, "init_args.configuration");
  if (const PickleValue* axes = root.find("inference_allowed_mirroring_axes")) {
    out.mirrors_said = true;
    for (const PickleValue* a : axes->items) out.mirror_axes.push_back(int64_t(torch->number(*a, "inference_allowed_mirroring_axes")));
  }
  return out;
}

std::string configuration_in(const Said& said, const fs::path& folder) {
  if (!said.configuration.empty()) return said.configuration;
  const std::string name = folder.filename().string();  // nnUNetTrainer__nnUNetPlans__3d_fullres
  const size_t begin = name.rfind("__");
  check(begin != name.npos, folder.string(), ": neither the checkpoint nor the name of the folder (TRAINER__PLANS__CONFIGURATION) says ",
        "which configuration was trained");
  return name.substr(begin + 2);
}

void set_mirroring(ModelDescription& d, const Said& said, const std::string& who) {
  const bool flat = d.spacing[0] == 0;
  d.mirror = said.mirrors_said && !said.mirror_axes.empty();
  if (!said.mirrors_said) return;
  d.mirror_axes = {false, false, false};
  for (int64_t a : said.mirror_axes) {
    check(a >= 0 && a < (flat ? 2 : 3), who, ": mirrors along the axis ", a);
    d.mirror_axes[size_t(a) + (flat ? 1 : 0)] = true;
  }
}
}  // namespace

bool is_nnunet(const fs::path& path) {
  const fs::path p = fs::absolute(path).lexically_normal();
  if (fs::is_regular_file(p)) return p.extension() == ".pth" && is_model_folder(p.parent_path().parent_path());
  if (is_model_folder(p)) return true;
  return !checkpoint_in(p).empty() && is_model_folder((p / "").parent_path().parent_path());
}

NnunetFiles nnunet_files(const fs::path& path, const std::vector<std::string>& wanted) {
  const fs::path p = (fs::absolute(path) / "").lexically_normal().parent_path();
  const bool folder = is_model_folder(p);
  check(folder || wanted.empty(), p.string(), ": is one fold; others can be chosen from the folder above");
  if (fs::is_regular_file(p)) return {p.parent_path().parent_path(), {p}};
  if (!folder) return {p.parent_path(), {checkpoint_in(p)}};
  std::map<std::string, fs::path> folds;  // by name
  for (auto& e : fs::directory_iterator(p))
    if (const std::string name = e.path().filename().string(); name.starts_with("fold_") && !checkpoint_in(e.path()).empty())
      folds[name.substr(5)] = checkpoint_in(e.path());
  check(!folds.empty(), p.string(), ": no fold_X in it has a checkpoint_final.pth");
  NnunetFiles out{p};
  for (const std::string& name : wanted) {
    check(folds.count(name), p.string(), ": has no checkpoint_final.pth in fold_", name);
    out.checkpoints.push_back(folds[name]);
  }
  if (!wanted.empty()) return out;
  for (auto& [name, file] : folds)
    if (name != "all" || folds.size() == 1) out.checkpoints.push_back(file);
  return out;
}

Model load_nnunet(const fs::path& path, const LoadModelOptions& options) {
  const NnunetFiles files = nnunet_files(path, options.folds);
  const std::string who = files.folder.string();
  const Json plans = read_json(files.folder / "plans.json"), dataset = read_json(files.folder / "dataset.json");
  const std::vector<WeightRule> rules = nnunet_rules();
  Model m;
  std::vector<Network> nets;
  for (const fs::path& file : files.checkpoints) {
    const auto weights = open_weights(file);
    const Said said = said_in(*weights);
    ModelDescription d = nnunet_description(plans, dataset, configuration_in(said, files.folder), who);
    set_mirroring(d, said, file.string());
    check(nets.empty() || (d.network == m.description.network && d.mirror_axes == m.description.mirror_axes), file.string(),
          ": was not trained as ", files.checkpoints[0].string(), " was");
    const auto mapped = [&] { return map_weights(*weights, rules).weights; };
    nets.push_back(network_with(d, held_by(*weights), mapped, who + ": plans.json with " + file.lexically_relative(files.folder).string()));
    m.description = d;
  }
  m.net = ensemble_of(nets);
  if (nets.size() > 1) m.description.network = m.net.config();
  return m;
}

ModelSource nnunet_source() {
  return {.name = "nnunet",
          .summary = "folders that nnU-Net v2 trained: plans.json, dataset.json, fold_X/checkpoint_final.pth",
          .recognises = is_nnunet,
          .load = load_nnunet};
}

}  // namespace voxgrad
