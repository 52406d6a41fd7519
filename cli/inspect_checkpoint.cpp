#include <algorithm>
#include <iomanip>
#include <sstream>

#include "cli/inspect.h"
#include "core/config/json_values.h"
#include "core/module.h"
#include "infer/model_source.h"
#include "io/checkpoint.h"
#include "io/weights/weights.h"

namespace voxgrad {
namespace {

constexpr size_t kLongestValue = 100;  // of metadata shown as it is

template <class List>
std::string joined(const List& words) {
  std::string out;
  for (const auto& w : words) out += (out.empty() ? "" : ", ") + w;
  return out;
}

void describe_model(std::ostream& o, const ModelDescription& d) {
  o << "network        " << to_json(d)["network"].dump() << "\n"
    << "patch          " << d.patch << " voxels of " << d.spacing[0] << " x " << d.spacing[1] << " x " << d.spacing[2]
    << " mm (D x H x W)\n"
    << "channels       " << joined(d.channels) << "\n"
    << "labels         " << joined(d.labels) << "\n"
    << "normalisation  ";
  for (size_t i = 0; i < d.normalization.size(); ++i) {
    const Normalization& n = d.normalization[i];
    o << (i ? ", " : "") << n.kind;
    if (n.kind == "ct") o << " (" << n.low << " to " << n.high << ", mean " << n.mean << ", std " << n.std << ")";
  }
  if (!d.previous_labels.empty()) {
    o << "\nprevious      ";
    for (size_t i = 0; i < d.previous_labels.size(); ++i) o << (i ? ", " : " ") << d.previous_labels[i];
    o << " of the mask of a first stage";
  }
  o << "\nprediction     overlap " << d.overlap << (d.mirror ? ", mirrored" : "") << ", " << d.dtype << "\n";
}

void describe_metadata(std::ostream& o, const std::map<std::string, std::string>& metadata) {
  if (!metadata.empty()) o << "metadata\n";
  for (const auto& [key, value] : metadata)
    o << "  " << key << "  "
      << (value.size() <= kLongestValue ? value : value.substr(0, kLongestValue) + "... (" + std::to_string(value.size()) + " characters)")
      << "\n";
}

}  // namespace

std::string describe_weights(const std::filesystem::path& path) {
  const auto w = open_weights(path);
  std::ostringstream o;
  int64_t elements = 0;
  size_t widest = 0;
  for (const WeightInfo& t : w->list()) {
    elements += t.shape.count();
    widest = std::max(widest, t.name.size());
  }
  o << "weights        " << path.string() << "\nkind           " << w->kind() << "\ntensors        " << w->list().size() << ", " << elements
    << " elements\n";
  describe_metadata(o, w->metadata());
  o << "names\n";
  for (const WeightInfo& t : w->list())
    o << "  " << std::left << std::setw(int(widest)) << t.name << "  " << t.dtype << " " << t.shape << "\n";
  return o.str();
}

std::string describe_foreign_model(const ModelSource& source, const std::filesystem::path& path) {
  const Model m = source.load(path, {});
  Network net = m.net;
  std::ostringstream o;
  o << "model          " << path.string() << "\nkind           " << source.name << ": " << source.summary << "\n";
  describe_model(o, m.description);
  o << "orientation    " << m.description.orientation << ", axes " << m.description.axis_order[0] << " " << m.description.axis_order[1]
    << " " << m.description.axis_order[2] << "; resampling " << m.description.resampling
    << (m.description.crop ? "; cropped to what is not 0" : "") << "\nparameters     " << parameter_count(net) << "\n";
  return o.str();
}

std::string describe_checkpoint(const std::filesystem::path& file) {
  const Checkpoint c = load_checkpoint(file);
  std::ostringstream o;
  o << "checkpoint     " << file.string() << "\n";
  if (c.metadata.count("voxgrad.model")) describe_model(o, description_of(c, file.string()));
  int64_t elements = 0, bytes = 0, of_net = 0, widest = 0;
  for (const Parameter& p : c.tensors) {
    elements += p.tensor.count();
    bytes += int64_t(p.tensor.bytes());
    if (p.name.starts_with("net.")) of_net += p.tensor.count();
    widest = std::max(widest, int64_t(p.name.size()));
  }
  o << "tensors        " << c.tensors.size() << ", " << elements << " elements, " << double(bytes) / 1e6 << " MB\n";
  if (of_net) o << "parameters     " << of_net << " of the network (under \"net.\")\n";
  describe_metadata(o, c.metadata);
  o << "names\n";
  for (const Parameter& p : c.tensors)
    o << "  " << std::left << std::setw(int(widest)) << p.name << "  " << name_of(p.tensor.dtype()) << " " << p.tensor.shape() << "\n";
  return o.str();
}

}  // namespace voxgrad
