#include "train/transfer/trained_parts.h"

#include <algorithm>
#include <charconv>

#include "core/error.h"
#include "infer/weights/weight_rules.h"

namespace voxgrad {
namespace {
constexpr double kAlways = 2;

// The number behind the last `mark` of a text, which is taken off; `usual` where there is none.
double number_behind(std::string& text, char mark, double usual, double low, double high, const char* key) {
  const auto at = text.rfind(mark);
  if (at == text.npos) return usual;
  double value = 0;
  const char *begin = text.data() + at + 1, *end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(begin, end, value);
  check(error == std::errc() && stop == end && value >= low && value <= high, key, ": \"", text, "\": a number from ", low, " to ", high,
        " is wanted behind ", mark);
  text.erase(at);
  return value;
}

struct Freezer : FieldVisitor {
  const std::function<bool(const std::string&)>& frozen;
  explicit Freezer(const std::function<bool(const std::string&)>& f) : frozen(f) {}
  void tensor(const std::string& path, Tensor& t, FieldKind kind) override {
    if (kind == FieldKind::parameter) t.require_grad(!frozen(path));
  }
  void mode(const std::string& path, Mode& m) override { m.frozen = frozen(path); }
};
}  // namespace

bool selects(const std::string& pattern, const std::string& path) {
  if (pattern.starts_with('!')) return !selects(pattern.substr(1), path);
  std::vector<std::string> stars;
  for (size_t end = path.find('.');; end = path.find('.', end + 1)) {
    stars.clear();
    if (fits(pattern, std::string_view(path).substr(0, end), stars)) return true;
    if (end == path.npos) return false;
  }
}

std::string parts_of(const std::vector<Parameter>& all) {
  std::string out, latest;
  for (auto& p : all) {
    const std::string top = p.name.substr(0, p.name.find('.'));
    if (top != latest) out += (out.empty() ? "" : ", ") + top;
    latest = top;
  }
  return out;
}

TrainedParts::TrainedParts(const TransferConfig& config, Network net) {
  const std::vector<Parameter> all = parameters(net);
  const auto meant = [&](const std::string& pattern, const char* key) {
    check(std::any_of(all.begin(), all.end(), [&](auto& p) { return selects(pattern, p.name); }), key, ": \"", pattern,
          "\" means no parameter of the network, whose parts are ", parts_of(all));
  };
  for (std::string text : config.freeze) {
    const double until = number_behind(text, '@', kAlways, 0, 1, "transfer.freeze");
    meant(text, "transfer.freeze");
    frozen_.push_back({text, until});
  }
  for (std::string text : config.lr_scale) {
    check(text.find('=') != text.npos, "transfer.lr_scale: \"", text, "\": PATTERN=FACTOR is wanted");
    const double scale = number_behind(text, '=', 1, 0, 1e6, "transfer.lr_scale");
    meant(text, "transfer.lr_scale");
    scaled_.push_back({text, scale});
  }
  check(std::any_of(all.begin(), all.end(), [&](auto& p) { return !frozen(p.name, 1); }), "transfer.freeze: leaves nothing to train");
}

bool TrainedParts::frozen(const std::string& path, double fraction) const {
  return std::any_of(frozen_.begin(), frozen_.end(), [&](auto& f) { return fraction < f.until && selects(f.pattern, path); });
}

bool TrainedParts::apply(Network& net, double fraction) {
  if (frozen_.empty()) return false;
  const bool changed = applied_ < 0 || std::any_of(frozen_.begin(), frozen_.end(), [&](auto& f) {
                         return (applied_ < f.until) != (fraction < f.until);
                       });
  applied_ = fraction;
  if (!changed) return false;
  const std::function<bool(const std::string&)> now = [&](const std::string& path) { return frozen(path, fraction); };
  Freezer freezer(now);
  visit_fields(net, freezer);
  return true;
}

double TrainedParts::scale(const std::string& name) const {
  for (auto& s : scaled_)
    if (selects(s.pattern, name)) return s.scale;
  return 1;
}

}  // namespace voxgrad
