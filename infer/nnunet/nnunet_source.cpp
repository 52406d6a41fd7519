#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "infer/model_source.h"
#include "infer/nnunet/nnunet.h"
#include "io/json_file.h"
#include "io/torch/torch_file.h"
#include "models/model_registry.h"

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
Said said_in(const fs::path& file) {
  Said out;
  if (!is_torch_file(file)) return out;
  const TorchFile torch(file);
  const PickleValue& root = torch.root();
  check(root.find("network_weights"), file.string(), ": has no \"network_weights\", so it is no checkpoint of nnU-Net");
  if (const PickleValue* args = root.find("init_args"))
    if (const PickleValue* name = args->find("configuration")) out.configuration = torch.text(*name, "init_args.configuration");
  if (const PickleValue* axes = root.find("inference_allowed_mirroring_axes")) {
    out.mirrors_said = true;
    for (const PickleValue* a : axes->items) out.mirror_axes.push_back(int64_t(torch.number(*a, "inference_allowed_mirroring_axes")));
  }
  return out;
}
}  // namespace

bool is_nnunet(const fs::path& path) {
  const fs::path p = fs::absolute(path).lexically_normal();
  if (fs::is_regular_file(p)) return p.extension() == ".pth" && is_model_folder(p.parent_path().parent_path());
  if (is_model_folder(p)) return true;
  return !checkpoint_in(p).empty() && is_model_folder((p / "").parent_path().parent_path());
}

NnunetFiles nnunet_files(const fs::path& path) {
  const fs::path p = (fs::absolute(path) / "").lexically_normal().parent_path();
  if (fs::is_regular_file(p)) return {p.parent_path().parent_path(), p};
  if (!is_model_folder(p)) return {p.parent_path(), checkpoint_in(p)};
  std::vector<fs::path> folds;
  for (auto& e : fs::directory_iterator(p))
    if (e.path().filename().string().starts_with("fold_") && !checkpoint_in(e.path()).empty()) folds.push_back(e.path());
  check(!folds.empty(), p.string(), ": no fold_X in it has a checkpoint_final.pth");
  return {p, checkpoint_in(*std::min_element(folds.begin(), folds.end()))};
}

Model load_nnunet(const fs::path& path) {
  const NnunetFiles files = nnunet_files(path);
  const std::string who = files.folder.string();
  Said said = said_in(files.checkpoint);
  if (said.configuration.empty()) {  // nnUNetTrainer__nnUNetPlans__3d_fullres
    const std::string name = files.folder.filename().string();
    const size_t begin = name.rfind("__");
    check(begin != name.npos, who, ": neither the checkpoint nor the name of the folder (TRAINER__PLANS__CONFIGURATION) says which ",
          "configuration was trained");
    said.configuration = name.substr(begin + 2);
  }
  Model m;
  ModelDescription& d = m.description;
  d = nnunet_description(read_json(files.folder / "plans.json"), read_json(files.folder / "dataset.json"), said.configuration, who);
  const Json network = parse_json(d.network, who);
  const bool flat = d.spacing[0] == 0;
  if (said.mirrors_said) {
    d.mirror_axes = {false, false, false};
    for (int64_t a : said.mirror_axes) {
      check(a >= 0 && a < (flat ? 2 : 3), files.checkpoint.string(), ": mirrors along the axis ", a);
      d.mirror_axes[size_t(a) + (flat ? 1 : 0)] = true;
    }
    d.mirror = !said.mirror_axes.empty();
  } else {
    d.mirror = false;
  }
  const auto weights = open_weights(files.checkpoint);
  // Before memory is asked for: nothing in the plans is believed that the weights do not bear out.
  double held = 0;
  for (auto& w : weights->list()) held += double(w.shape.count());
  const double least = model_registry().find(network_kind(network)).least_weights(network);
  check(least <= held, who, ": its plans describe a network of at least ", least, " weights, but ", files.checkpoint.filename().string(),
        " holds ", held, " numbers");
  const WeightMap mapped = map_weights(*weights, nnunet_rules());
  Rng unused(0);
  m.net = build_network(network, unused);
  try {
    load_into(m.net, mapped.weights);
  } catch (const Error& e) { fail(files.checkpoint.string(), ": ", describe(mapped), "\n", e.what()); }
  return m;
}

ModelSource nnunet_source() {
  return {.name = "nnunet",
          .summary = "folders that nnU-Net v2 trained: plans.json, dataset.json, fold_X/checkpoint_final.pth",
          .recognises = is_nnunet,
          .load = load_nnunet};
}

}  // namespace voxgrad
