#include <algorithm>
#include <functional>
#include <utility>

#include "core/config/json_values.h"
#include "core/error.h"
#include "infer/monai/monai.h"
#include "io/json_fields.h"
#include "models/unet/unet.h"

namespace voxgrad {
namespace {

using Names = std::vector<std::string>;

// The arguments of a network; each is asked for by name, and those that nobody asked for are refused.
class Arguments {
 public:
  Arguments(const Json& j, std::string who) : json_(j), who_(std::move(who)) { asked_ = {"_target_"}; }
  const Json* find(const std::string& key) {
    asked_.push_back(key);
    return json_.contains(key) && !json_[key].is_null() ? &json_[key] : nullptr;
  }
  std::string name(const std::string& key) const { return who_ + ": " + key; }
  int whole(const std::string& key, int usual) { return with(key, usual, whole_of); }
  bool flag(const std::string& key, bool usual) { return with(key, usual, flag_of); }
  std::vector<int> wholes(const std::string& key, const std::vector<int>& usual) {
    const Json* j = find(key);
    if (!j) return usual;
    check(j->is_array() && j->size() <= 64, name(key), ": is ", j->dump().substr(0, 60), ", wanted a list of integers");
    std::vector<int> out;
    for (auto& v : *j) out.push_back(whole_of(v, name(key)));
    return out;
  }
  // ["GROUP", {"num_groups": 8}] or "GROUP": in small letters, its options beside it.
  std::pair<std::string, Json> choice(const std::string& key, const std::string& usual) {
    const Json* j = find(key);
    if (!j) return {usual, Json::object()};
    const bool list = j->is_array() && j->size() == 2 && (*j)[1].is_object();
    std::string out = text_of(list ? (*j)[0] : *j, name(key));
    for (char& c : out) c = char(std::tolower(static_cast<unsigned char>(c)));
    return {out, list ? (*j)[1] : Json::object()};
  }
  // An argument that must be as it usually is, or absent.
  void only(const std::string& key, const Json& wanted) {
    const Json* j = find(key);
    check(!j || *j == wanted, name(key), ": is ", j ? j->dump().substr(0, 60) : "", ", ", wanted.dump(), " is read");
  }
  void done() const {
    for (auto& [key, value] : json_.items())
      check(std::count(asked_.begin(), asked_.end(), key) > 0, who_, ": the argument \"", key, "\" is not read");
  }

 private:
  template <class T, class Read>
  T with(const std::string& key, T usual, Read read) {
    const Json* j = find(key);
    return j ? read(*j, name(key)) : usual;
  }
  const Json& json_;
  std::string who_;
  Names asked_;
};

// Dropout is absent at prediction.
void ignore_dropout(Arguments& a) {
  for (const char* key : {"dropout", "dropout_prob", "dropout_dim"}) a.find(key);
}

void add(std::vector<WeightRule>& rules, const std::string& from, const std::string& to) {
  rules.push_back({.from = from, .to = {to}, .layout = "channels_last"});
}

// ADN of MONAI.
void add_act(std::vector<WeightRule>& rules, const std::string& theirs, const std::string& ours, const std::string& norm) {
  add(rules, theirs + ".A.weight", ours + ".slope");
  add(rules, theirs + ".N.*", ours + ".norm." + norm + ".$1");
}

void add_block(std::vector<WeightRule>& rules, const std::string& theirs, const std::string& ours, int units, const std::string& norm) {
  if (units == 0) {
    add(rules, theirs + ".conv.*", ours + ".convs.0.$1");
    return add_act(rules, theirs + ".adn", ours + ".acts.0", norm);
  }
  for (int u = 0; u < units; ++u) {
    const std::string n = std::to_string(u);
    add(rules, theirs + ".conv.unit" + n + ".conv.*", ours + ".convs." + n + ".$1");
    add_act(rules, theirs + ".conv.unit" + n + ".adn", ours + ".acts." + n, norm);
  }
  add(rules, theirs + ".residual.*", ours + ".residual.$1");
}

BundleNetwork unet_of(Arguments& a, const std::string& who) {
  const auto [norm, norm_options] = a.choice("norm", "instance");
  const auto [act, act_options] = a.choice("act", "prelu");
  check(norm == "instance" || norm == "batch", a.name("norm"), ": is ", norm, "; instance and batch are read");
  check((act == "prelu" && act_options.empty()) || act == "relu", a.name("act"), ": is ", act, " ", act_options.dump(),
        "; PRELU and RELU are read");
  for (auto& [key, value] : norm_options.items()) check(key == "affine", a.name("norm"), ": its ", key, " is not read");
  const std::vector<int> channels = a.wholes("channels", {});
  const int units = a.whole("num_res_units", 0);
  const Json net = {{"kind", "res_unet"},
                 {"in_channels", a.whole("in_channels", 1)},
                 {"classes", a.whole("out_channels", 1)},
                 {"channels", channels},
                 {"strides", a.wholes("strides", {})},
                 {"units", units},
                 {"kernel", a.whole("kernel_size", 3)},
                 {"up_kernel", a.whole("up_kernel_size", 3)},
                 {"norm", norm},
                 {"affine", norm == "instance" && norm_options.value("affine", false)},
                 {"activation", act},
                 {"bias", a.flag("bias", true)}};
  BundleNetwork out{.network = net.dump()};
  a.only("adn_ordering", "NDA");
  check(channels.size() >= 2, who, ": channels has ", channels.size(), " entries");
  std::string level = "model.";
  for (size_t i = 0; i + 1 < channels.size(); ++i, level += "1.submodule.") {
    const std::string n = std::to_string(i), up = level + "2" + (units > 0 ? ".0" : "");
    add_block(out.rules, level + "0", "down." + n, units, norm);
    add(out.rules, up + ".conv.*", "up." + n + ".conv.$1");
    add_act(out.rules, up + ".adn", "up." + n + ".act", norm);
    if (units > 0) add_block(out.rules, level + "2.1", "up." + n + ".block", 1, norm);
  }
  level.pop_back();
  add_block(out.rules, level, "bottom", units, norm);
  out.rules.push_back({.from = "**.num_batches_tracked", .skip = "a count that is not used"});
  std::rotate(out.rules.begin(), out.rules.end() - 1, out.rules.end());
  return out;
}

BundleNetwork segresnet_of(Arguments& a) {
  auto [norm, norm_options] = a.choice("norm", "group");
  if (norm_options.empty() && norm == "group") norm_options = {{"num_groups", a.whole("num_groups", 8)}};
  a.find("num_groups");
  const auto [act, act_options] = a.choice("act", "relu");
  check(act == "relu", a.name("act"), ": is ", act, "; RELU is read");
  check(norm == "group" || norm == "instance" || norm == "batch", a.name("norm"), ": is ", norm, "; GROUP, INSTANCE and BATCH are read");
  for (auto& [key, value] : norm_options.items())
    check(key == "affine" || key == "num_groups", a.name("norm"), ": its ", key, " is not read");
  a.only("upsample_mode", "nontrainable");
  a.only("use_conv_final", true);
  const Json net = {{"kind", "segresnet"},
                 {"in_channels", a.whole("in_channels", 1)},
                 {"classes", a.whole("out_channels", 2)},
                 {"features", a.whole("init_filters", 8)},
                 {"blocks_down", a.wholes("blocks_down", {1, 2, 2, 4})},
                 {"blocks_up", a.wholes("blocks_up", {1, 1, 1})},
                 {"norm", norm},
                 {"groups", norm_options.contains("num_groups") ? whole_of(norm_options["num_groups"], a.name("norm")) : 8},
                 {"affine", norm != "instance" || norm_options.value("affine", false)}};
  BundleNetwork out{.network = net.dump()};
  std::vector<WeightRule>& r = out.rules;
  r.push_back({.from = "**.num_batches_tracked", .skip = "a count that is not used"});
  add(r, "convInit.conv.weight", "stem.weight");
  const size_t stages = net["blocks_down"].size();
  for (size_t s = 0; s < stages; ++s) {
    const std::string n = std::to_string(s);
    add(r, "down_layers." + n + ".0.conv.weight", "down." + n + ".conv.weight");
    add(r, "up_samples." + n + ".0.conv.weight", "up." + n + ".conv.weight");
    for (int b = 0; b < 64; ++b)
      for (const bool down : {true, false}) {
        const std::string theirs = (down ? "down_layers." : "up_layers.") + n + "." + std::to_string(down ? b + 1 : b),
                          ours = (down ? "down." : "up.") + n + ".blocks." + std::to_string(b);
        for (const char* half : {"1", "2"}) {
          add(r, theirs + ".norm" + half + ".*", ours + ".norm" + half + "." + norm + ".$1");
          add(r, theirs + ".conv" + half + ".conv.weight", ours + ".conv" + half + ".weight");
        }
      }
  }
  add(r, "conv_final.0.*", "norm." + norm + ".$1");
  add(r, "conv_final.2.conv.*", "head.$1");
  return out;
}

Int3 int3_of(const Json& j, const std::string& who) {
  if (!j.is_array()) {
    const int n = whole_of(j, who);
    return {n, n, n};
  }
  check(j.size() == 3, who, ": is ", j.dump().substr(0, 60), ", wanted three integers");
  return {whole_of(j[0], who), whole_of(j[1], who), whole_of(j[2], who)};
}
std::vector<Int3> int3s_of(Arguments& a, const std::string& key) {
  const Json* j = a.find(key);
  check(j && j->is_array() && j->size() <= 32, a.name(key), ": wanted a list for the stages");
  std::vector<Int3> out;
  for (auto& v : *j) out.push_back(int3_of(v, a.name(key)));
  return out;
}

BundleNetwork dynunet_of(Arguments& a) {
  constexpr int kMostFilters = 320;
  UNetConfig c;
  c.in_channels = a.whole("in_channels", 1);
  c.classes = a.whole("out_channels", 1);
  c.kernels = int3s_of(a, "kernel_size");
  c.strides = int3s_of(a, "strides");
  const std::vector<Int3> up = int3s_of(a, "upsample_kernel_size");
  // The decoder has the kernels of the stage below.
  check(std::adjacent_find(c.kernels.begin(), c.kernels.end(), std::not_equal_to<>()) == c.kernels.end(), a.name("kernel_size"),
        ": is not the same for all stages, which is what is read");
  check(c.strides.size() >= 2 && up == std::vector<Int3>(c.strides.begin() + 1, c.strides.end()), a.name("upsample_kernel_size"),
        ": is not that of the strides, which is what is read");
  std::vector<int> filters;
  for (size_t s = 0; s < c.strides.size(); ++s)
    filters.push_back(int(std::min<int64_t>(kMostFilters, int64_t(32) << std::min<size_t>(s, 20))));
  c.features = a.wholes("filters", filters);
  c.features.resize(std::min(c.features.size(), c.strides.size()));
  c.encoder_depth.assign(c.features.size(), 2);
  c.decoder_depth.assign(std::max<size_t>(1, c.features.size()) - 1, 2);
  c.bias = false;
  c.deep_supervision = false;
  a.only("trans_bias", false);
  a.only("res_block", false);
  a.find("deep_supervision");
  a.find("deep_supr_num");
  const auto [norm, norm_options] = a.choice("norm_name", "instance");
  check(norm == "instance" && norm_options.value("affine", norm_options.empty()), a.name("norm_name"), ": is ", norm, " ",
        norm_options.dump(), "; instance with affine is read");
  const auto [act, act_options] = a.choice("act_name", "leakyrelu");
  check(act == "leakyrelu", a.name("act_name"), ": is ", act, "; leakyrelu is read");
  c.activation.slope = act_options.value("negative_slope", 0.01);
  c.validate();
  BundleNetwork out{.network = to_json(c).dump()};
  std::vector<WeightRule>& r = out.rules;
  r.push_back({.from = "skip_layers.**", .skip = "named twice"});
  r.push_back({.from = "deep_supervision_heads.**", .skip = "a head of training"});
  r.push_back({.from = "heads.**", .skip = "a head of training"});
  const int stages = c.stages();
  const auto block = [&](const std::string& theirs, const std::string& ours) {
    for (int i = 0; i < 2; ++i) {
      const std::string n = std::to_string(i + 1), to = ours + ".blocks." + std::to_string(i);
      add(r, theirs + ".conv" + n + ".conv.*", to + ".conv.$1");
      add(r, theirs + ".norm" + n + ".*", to + ".norm.instance.$1");
    }
  };
  block("input_block", "encoder.0");
  for (int s = 1; s + 1 < stages; ++s) block("downsamples." + std::to_string(s - 1), "encoder." + std::to_string(s));
  block("bottleneck", "encoder." + std::to_string(stages - 1));
  for (int i = 0; i + 1 < stages; ++i) {
    const std::string n = std::to_string(i);
    add(r, "upsamples." + n + ".transp_conv.conv.*", "up." + n + ".$1");
    block("upsamples." + n + ".conv_block", "decoder." + n);
  }
  add(r, "output_block.conv.conv.*", "heads.0.$1");
  return out;
}

}  // namespace

BundleNetwork bundle_network(const Json& j, const std::string& who) {
  const std::string kind = target_of(j);
  Arguments a(j, who + ": " + (kind.empty() ? "network_def" : kind));
  for (const char* key : {"spatial_dims", "dimensions"})
    if (const Json* dims = a.find(key))
      check(*dims == 3, a.name(key), ": is ", dims->dump().substr(0, 60), ", networks of three dimensions are read");
  ignore_dropout(a);
  BundleNetwork out;
  if (kind == "UNet") out = unet_of(a, who);
  else if (kind == "SegResNet") out = segresnet_of(a);
  else if (kind == "DynUNet") out = dynunet_of(a);
  else fail(who, ": the network is \"", kind, "\"; UNet, SegResNet and DynUNet are read");
  a.done();
  return out;
}

}  // namespace voxgrad
