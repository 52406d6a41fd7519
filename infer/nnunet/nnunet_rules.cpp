#include "infer/nnunet/nnunet.h"

#include "core/config/json_values.h"

namespace voxgrad {
namespace {

// Modules of either side that hold a convolution and a norm.
struct Block {
  const char *theirs, *ours;
};
constexpr Block kBlocks[] = {{"encoder.stem.convs.0", "stem"},
                             {"encoder.stages.*.0.convs.*", "encoder.$1.blocks.$2"},
                             {"encoder.stages.*.blocks.*.conv1", "residual_encoder.$1.blocks.$2.first"},
                             {"encoder.stages.*.blocks.*.conv2", "residual_encoder.$1.blocks.$2.second"},
                             {"decoder.stages.*.convs.*", "decoder.$1.blocks.$2"}};
constexpr const char* kTransposed[] = {"decoder.transpconvs", "up"};
constexpr const char* kHeads[] = {"decoder.seg_layers", "heads"};

int stars_in(const std::string& s) { return int(std::count(s.begin(), s.end(), '*')); }
// "a.*.b.*" as "a.$1.b.$2", and back.
std::string with_numbers(std::string s) {
  int n = 0;
  for (size_t at; (at = s.find('*')) != s.npos;) s.replace(at, 1, "$" + std::to_string(++n));
  return s;
}
std::string with_stars(std::string s) {
  for (size_t at; (at = s.find('$')) != s.npos;) s.replace(at, 2, "*");
  return s;
}

}  // namespace

std::vector<WeightRule> nnunet_rules() {
  const std::string top = "network_weights.";
  const auto last = [](int n) { return "$" + std::to_string(n + 1); };
  std::vector<WeightRule> out = {{.from = top + "**.all_modules.**", .skip = "named twice"},
                                 {.from = top + "decoder.encoder.**", .skip = "named twice"},
                                 {.from = "optimizer_state.**", .skip = "the state of the optimizer"}};
  const auto add = [&](const std::string& from, const std::string& to, const char* layout) {
    out.push_back({.from = top + from, .to = {to}, .layout = layout});
  };
  for (const Block& b : kBlocks) {
    const std::string theirs = b.theirs, ours = b.ours, kind = last(stars_in(theirs));
    add(theirs + ".conv.*", ours + ".conv." + kind, "channels_last");
    add(theirs + ".norm.*", ours + ".norm.instance." + kind, "");
  }
  // The projection of a residual block stands behind a pooling, where there is one.
  const std::string skip = "encoder.stages.*.blocks.*.skip.*", projection = "residual_encoder.$1.blocks.$2.projection";
  add(skip + ".conv.*", projection + ".conv.$4", "channels_last");
  add(skip + ".norm.*", projection + ".norm.instance.$4", "");
  for (auto& pair : {kTransposed, kHeads}) add(std::string(pair[0]) + ".*.*", std::string(pair[1]) + ".$1.$2", "channels_last");
  return out;
}

std::vector<WeightRule> nnunet_export_rules(const UNetConfig& c, int axes) {
  std::vector<WeightRule> out;
  // theirs: as it is, and as all_modules of its block; what is in the encoder is also in decoder.encoder.
  const auto add = [&](const std::string& ours, std::vector<std::string> theirs) {
    for (size_t i = 0, n = theirs.size(); i < n; ++i)
      if (theirs[i].starts_with("encoder.")) theirs.push_back("decoder." + theirs[i]);
    out.push_back({.from = ours, .to = theirs, .layout = "channels_first", .axes = axes});
  };
  const auto add_block = [&](const std::string& ours, const std::string& theirs) {
    const std::string kind = "$" + std::to_string(stars_in(ours) + 1);
    add(ours + ".conv.*", {theirs + ".conv." + kind, theirs + ".all_modules.0." + kind});
    add(ours + ".norm.instance.*", {theirs + ".norm." + kind, theirs + ".all_modules.1." + kind});
  };
  for (const Block& b : kBlocks) add_block(with_stars(b.ours), with_numbers(b.theirs));
  // Only the first block of a stage has one, behind the pooling of its stride.
  for (int s = 0; s < c.stages(); ++s) {
    const bool pools = c.strides[size_t(s)] != Int3{1, 1, 1};
    const std::string stage = std::to_string(s);
    add_block("residual_encoder." + stage + ".blocks.*.projection", "encoder.stages." + stage + ".blocks.$1.skip." + (pools ? "1" : "0"));
  }
  for (auto& pair : {kTransposed, kHeads}) add(std::string(pair[1]) + ".*.*", {std::string(pair[0]) + ".$1.$2"});
  return out;
}

}  // namespace voxgrad
