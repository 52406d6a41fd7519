#include "core/config/json_values.h"
#include "core/error.h"
#include "core/shape.h"
#include "infer/weights/weight_rules.h"
#include "io/json_fields.h"

namespace voxgrad {
namespace {

std::vector<int> axes_of(const Json& j, const std::string& who) {
  std::vector<int> out;
  check(j.is_array() && j.size() <= size_t(Shape::kMaxRank), who, ": ", j.dump(), " is no list of axes");
  for (auto& a : j) {
    check(a.is_number_unsigned() && a.get<uint64_t>() < uint64_t(Shape::kMaxRank), who, ": ", a.dump(), " is no axis");
    out.push_back(a.get<int>());
  }
  return out;
}

WeightRule rule_of(const Json& j, const std::string& who) {
  check(j.is_object() && j.contains("from"), who, ": wanted {\"from\": .., \"to\": ..}");
  WeightRule r;
  for (auto& [key, value] : j.items()) {
    const std::string what = who + ": \"" + key + "\"";
    if (key == "from") r.from = text_of(value, what);
    else if (key == "skip") r.skip = text_of(value, what);
    else if (key == "to" && value.is_array())
      for (auto& name : value) r.to.push_back(text_of(name, what));
    else if (key == "to") r.to = {text_of(value, what)};
    else if (key == "squeeze") r.squeeze = axes_of(value, what);
    else if (key == "unsqueeze") r.unsqueeze = axes_of(value, what);
    else if (key == "permute") r.permute = axes_of(value, what);
    else if (key == "flip") r.flip = axes_of(value, what);
    else if (key == "layout") r.layout = text_of(value, what);
    else if (key == "axes") {
      check(value.is_number_unsigned() && value >= 1 && value <= 3, what, " is ", value.dump(), ", 1 to 3 are possible");
      r.axes = value.get<int>();
    } else fail(what, " is unknown");
  }
  check(r.to.empty() != r.skip.empty(), who, ": either \"to\" or \"skip\" is wanted");
  check(r.layout.empty() || r.layout == "channels_last" || r.layout == "channels_first", who, ": the layout \"", r.layout,
        "\" is neither channels_last nor channels_first");
  return r;
}
}  // namespace

std::vector<WeightRule> weight_rules(const Json& j, const std::string& who) {
  check(j.is_array(), who, ": a list of rules is wanted");
  std::vector<WeightRule> out;
  for (auto& rule : j) out.push_back(rule_of(rule, who + ": rule " + std::to_string(out.size() + 1)));
  return out;
}

}  // namespace voxgrad
