#include "train/transfer/transfer.h"

#include <algorithm>
#include <map>
#include <set>

#include "core/autograd.h"
#include "core/config/json_values.h"
#include "core/error.h"
#include "core/lists/first_few.h"
#include "kernels/concat/concat.h"
#include "kernels/binary/binary.h"
#include "kernels/reduce/reduce.h"
#include "layers/conv.h"
#include "train/transfer/trained_parts.h"

namespace voxgrad {
namespace {

constexpr int kDepth = 1, kChannels = 4;  // axes of a kernel {K, T, R, S, C}

std::string text_of(const Shape& s) {
  std::ostringstream out;
  out << s;
  return out.str();
}

// Which beginnings differ: names of the file without `off` are names of the network without `front`.
struct Naming {
  std::string off, front;
  size_t fitting = 0;
};

// The beginning with which most of `longer` end as names of `shorter` do.
Naming most_fitting(const std::set<std::string>& longer, const std::set<std::string>& shorter) {
  std::map<std::string, size_t> fitting;
  for (auto& name : longer)
    for (size_t at = 0; at != std::string::npos; at = name.find('.', at + 1)) {
      const size_t begin = at == 0 ? 0 : at + 1;
      if (shorter.contains(name.substr(begin))) ++fitting[name.substr(0, begin)];
    }
  Naming best;
  for (auto& [beginning, n] : fitting)
    if (n > best.fitting) best = {beginning, "", n};
  return best;
}

Naming naming_of(const std::set<std::string>& file, const std::set<std::string>& net) {
  const Naming off = most_fitting(file, net), front = most_fitting(net, file);
  return front.fitting > off.fitting ? Naming{"", front.off, front.fitting} : off;
}

// What of a network tells how its kernels may be changed.
struct Kernels : FieldVisitor {
  std::set<std::string> transposed;  // modules
  std::string first;                 // the first kernel
  void module(const std::string& path, const void*, const std::type_info& type) override {
    if (type == typeid(ConvTranspose3d)) transposed.insert(path);
  }
  void tensor(const std::string& path, Tensor& t, FieldKind) override {
    if (first.empty() && t.shape().rank == 5) first = path;
  }
  bool is_transposed(const std::string& path) const { return transposed.contains(path.substr(0, path.rfind('.'))); }
};

Tensor inflated(const Tensor& kernel, int64_t slices, bool overlapping, const std::string& how) {
  const Tensor each = overlapping && how == "average" ? kernel * (1.0 / double(slices)) : kernel;
  const Tensor none = kernel * 0.0;
  std::vector<Tensor> parts;
  for (int64_t t = 0; t < slices; ++t) parts.push_back(how == "center" && overlapping && t != slices / 2 ? none : each);
  return concat(parts, kDepth);
}

Tensor for_channels(const Tensor& kernel, int64_t channels) {
  const Tensor mean = sum(kernel, {kChannels}, {.keep = true}) * (1.0 / double(channels));
  return concat(std::vector<Tensor>(size_t(channels), mean), kChannels);
}

class Fitting {
 public:
  Fitting(Network& net, const TransferConfig& config) : config_(config), channels_(net.traits().in_channels) {
    visit_fields(net, kernels_);
  }

  // `given` as the tensor `name` of that shape, and what was done to it; absent where that cannot be.
  Tensor fitted(const std::string& name, const Shape& wanted, Tensor given, std::string& how) {
    if (given.shape() == wanted) return given;
    if (wanted.rank != 5 || given.shape().rank != 5) return {};
    const bool reads_image = name == kernels_.first || (given.dim(kChannels) == image_channels_ && wanted[kChannels] == channels_);
    if (name == kernels_.first) image_channels_ = given.dim(kChannels);
    if (given.dim(kDepth) == 1 && wanted[kDepth] > 1) {
      given = inflated(given, wanted[kDepth], !kernels_.is_transposed(name), config_.inflate);
      how = "2D to 3D";
    }
    if (reads_image && given.dim(kChannels) != wanted[kChannels] && wanted[kChannels] == channels_) {
      how += (how.empty() ? "" : ", ") + std::to_string(given.dim(kChannels)) + " channels to " + std::to_string(channels_);
      given = for_channels(given, wanted[kChannels]);
    }
    return given.shape() == wanted ? given : Tensor{};
  }

 private:
  const TransferConfig& config_;
  int channels_;
  int64_t image_channels_ = -1;  // that the file's network has, where its first kernel is there
  Kernels kernels_;
};

// A pattern that means nothing here nor there would be thought to have kept something.
void check_patterns(const std::vector<std::string>& patterns, const std::vector<Parameter>& targets, const TransferSource& source) {
  const auto means = [](const std::string& pattern, const auto& list, auto name) {
    return std::any_of(list.begin(), list.end(), [&](auto& one) { return selects(pattern, name(one)); });
  };
  for (const std::string& pattern : patterns) {
    const bool known = means(pattern, targets, [](auto& p) { return p.name; }) ||
                       means(pattern, source.weights.tensors, [](auto& p) { return p.name; }) ||
                       means(pattern, source.skipped, [](auto& p) { return p.first; });
    check(known, "transfer.skip: \"", pattern, "\" means nothing of the network, whose parts are ", parts_of(targets));
  }
}

bool skipped(const std::vector<std::string>& patterns, const std::string& name) {
  return std::any_of(patterns.begin(), patterns.end(), [&](auto& p) { return selects(p, name); });
}

std::string several_of(const std::vector<TransferReport::Line>& lines) {
  std::vector<std::string> out;
  for (auto& l : lines) out.push_back(l.name + (l.what.empty() ? "" : " (" + l.what + ")"));
  return first_few(out, 4);
}

std::set<std::string> names_in(const std::vector<Parameter>& list) {
  std::set<std::string> out;
  for (auto& p : list) out.insert(p.name);
  return out;
}

}  // namespace

TransferReport transfer(Network& net, const TransferSource& source, const TransferConfig& config) {
  const Unrecorded quiet;
  const std::vector<Parameter> targets = state_of(net);
  check_patterns(config.skip, targets, source);
  std::map<std::string, Tensor> given;
  for (auto& p : source.weights.tensors) given.emplace(p.name, p.tensor);
  const Naming naming = naming_of(names_in(source.weights.tensors), names_in(targets));
  TransferReport r{.file = source.file, .taken_off = naming.off, .put_in_front = naming.front};
  Fitting fitting(net, config);
  Checkpoint fitted;
  for (auto& target : targets) {
    r.all += double(target.tensor.count());
    const bool in_part = target.name.starts_with(naming.front);
    const auto found = in_part ? given.find(naming.off + target.name.substr(naming.front.size())) : given.end();
    if (skipped(config.skip, target.name)) {
      r.kept.push_back({target.name, "transfer.skip"});
    } else if (found == given.end()) {
      r.kept.push_back({target.name, "not there"});
    } else {
      std::string how;
      if (const Tensor t = fitting.fitted(target.name, target.tensor.shape(), found->second, how)) {
        fitted.tensors.push_back({target.name, t});
        r.loaded.push_back({target.name, how});
        r.weights += double(t.count());
      } else {
        r.kept.push_back({target.name, text_of(found->second.shape()) + " there, " + text_of(target.tensor.shape()) + " here"});
        r.unused.push_back({found->first, "of another shape"});
      }
    }
    if (found != given.end()) given.erase(found);
  }
  for (auto& [name, why] : source.skipped) r.unused.push_back({name, why});
  for (auto& [name, tensor] : given) r.unused.push_back({name, "the network has none of that name"});
  check(!r.loaded.empty(), source.file, ": nothing of it has name and shape of something in the network, which has ", several_of(r.kept),
        "; it has ", source.weights.tensors.empty() ? "nothing" : several_of(r.unused));
  assign(targets, fitted, {.strict = false});
  return r;
}

std::string describe(const TransferReport& r) {
  char share[48];
  std::snprintf(share, sizeof share, " (%.1f %% of the weights)", 100 * r.weights / r.all);
  std::string out = r.file + ": " + std::to_string(r.loaded.size()) + " of " + std::to_string(r.loaded.size() + r.kept.size()) +
                    " tensors" + share + " are loaded";
  if (!r.taken_off.empty()) out += ", names without \"" + r.taken_off + "\"";
  if (!r.put_in_front.empty()) out += ", names behind \"" + r.put_in_front + "\"";
  std::vector<TransferReport::Line> changed;
  for (auto& l : r.loaded)
    if (!l.what.empty()) changed.push_back(l);
  if (!changed.empty()) out += "\n  changed: " + several_of(changed);
  if (!r.kept.empty()) out += "\n  kept: " + several_of(r.kept);
  if (!r.unused.empty()) out += "\n  not used: " + several_of(r.unused);
  return out;
}

Json to_json(const TransferReport& r) {
  const auto list = [](const std::vector<TransferReport::Line>& lines) {
    Json out = Json::object();
    for (auto& l : lines) out[l.name] = l.what;
    return out;
  };
  return {{"file", r.file},           {"taken_off", r.taken_off},   {"put_in_front", r.put_in_front}, {"weights_loaded", r.weights},
          {"weights", r.all},         {"loaded", list(r.loaded)},   {"kept", list(r.kept)},           {"unused", list(r.unused)}};
}

}  // namespace voxgrad
