#include "infer/weights/weight_rules.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "core/autograd.h"
#include "core/error.h"
#include "kernels/flip/flip.h"
#include "kernels/permute/permute.h"

namespace voxgrad {
namespace {
constexpr size_t kLongestName = 500;

std::string filled(const std::string& to, const std::vector<std::string>& stars, const std::string& who) {
  std::string out;
  for (size_t i = 0; i < to.size(); ++i) {
    if (to[i] != '$') {
      out += to[i];
      continue;
    }
    const size_t n = i + 1 < to.size() && to[i + 1] >= '1' && to[i + 1] <= '9' ? size_t(to[++i] - '0') : 0;
    check(n >= 1 && n <= stars.size(), who, ": \"", to, "\" names a star that \"from\" has not");
    out += stars[n - 1];
  }
  return out;
}

Tensor reshaped(const Tensor& t, const std::vector<int64_t>& extents) {
  Shape s;
  check(extents.size() <= size_t(Shape::kMaxRank), "it would get ", extents.size(), " axes");
  for (int64_t n : extents) s.dims[s.rank++] = n;
  return t.reshape(s);
}

std::vector<int64_t> extents_of(const Tensor& t) {
  std::vector<int64_t> out;
  for (int a = 0; a < t.shape().rank; ++a) out.push_back(t.dim(a));
  return out;
}

Tensor without_axes(const Tensor& t, std::vector<int> axes) {
  std::vector<int64_t> e = extents_of(t);
  std::sort(axes.rbegin(), axes.rend());
  for (int a : axes) {
    check(size_t(a) < e.size() && e[size_t(a)] == 1, "its axis ", a, " is not of extent 1");
    e.erase(e.begin() + a);
  }
  return reshaped(t, e);
}

Tensor with_axes(const Tensor& t, std::vector<int> axes) {
  std::vector<int64_t> e = extents_of(t);
  std::sort(axes.begin(), axes.end());
  for (int a : axes) {
    check(size_t(a) <= e.size(), "it has no place for an axis ", a);
    e.insert(e.begin() + a, 1);
  }
  return reshaped(t, e);
}

Tensor channels_last(const Tensor& t) {
  const int rank = t.shape().rank;
  check(rank <= 5, "a convolution has no ", rank, " axes");
  return permute(with_axes(t, rank == 5 ? std::vector<int>{} : rank == 4 ? std::vector<int>{2} : std::vector<int>{2, 3}), {0, 2, 3, 4, 1});
}

Tensor channels_first(const Tensor& t, int axes) {
  check(t.shape().rank == 5, "a convolution here has 5 axes");
  const Tensor y = permute(t, {0, 4, 1, 2, 3});
  return without_axes(y, axes == 3 ? std::vector<int>{} : axes == 2 ? std::vector<int>{2} : std::vector<int>{2, 3});
}

Tensor transformed(Tensor t, const WeightRule& r) {
  if (!r.squeeze.empty()) t = without_axes(t, r.squeeze);
  if (!r.unsqueeze.empty()) t = with_axes(t, r.unsqueeze);
  if (!r.permute.empty()) t = permute(t, r.permute);
  if (!r.flip.empty()) t = flip(t, r.flip);
  if (t.shape().rank < 3 || r.layout.empty()) return t;
  return r.layout == "channels_last" ? channels_last(t) : channels_first(t, r.axes);
}
}  // namespace

bool fits(std::string_view pattern, std::string_view name, std::vector<std::string>& stars) {
  stars.clear();
  if (name.size() > kLongestName) return false;
  std::set<std::pair<size_t, size_t>> failed;  // places in pattern and name from which nothing fits: the work stays their product
  const std::function<bool(size_t, size_t)> from = [&](size_t p, size_t n) -> bool {
    const size_t p0 = p, n0 = n;
    while (p < pattern.size() && pattern[p] != '*') {
      if (n == name.size() || name[n] != pattern[p]) return false;
      ++p;
      ++n;
    }
    if (p == pattern.size()) return n == name.size();
    if (failed.count({p0, n0})) return false;
    const bool any = pattern.substr(p, 2) == "**";
    for (size_t end = n + 1; end <= name.size() && (any || name[end - 1] != '.'); ++end) {
      stars.emplace_back(name.substr(n, end - n));
      if (from(p + (any ? 2 : 1), end)) return true;
      stars.pop_back();
    }
    failed.emplace(p0, n0);
    return false;
  };
  return from(0, 0);
}

WeightMap map_weights(const std::vector<std::string>& names, const std::vector<WeightRule>& rules, const std::string& who,
                      const std::function<Tensor(size_t)>& load) {
  Unrecorded quiet;
  WeightMap out;
  std::map<std::string, std::string> origin;
  for (size_t i = 0; i < names.size(); ++i) {
    std::vector<std::string> stars;
    const auto rule = std::find_if(rules.begin(), rules.end(), [&](const WeightRule& r) { return fits(r.from, names[i], stars); });
    if (rule == rules.end()) {
      out.unmatched.push_back(names[i]);
      continue;
    }
    if (!rule->skip.empty()) {
      out.skipped.emplace_back(names[i], rule->skip);
      continue;
    }
    Tensor t = load(i);
    try {
      t = transformed(t, *rule);
    } catch (const Error& e) { fail(who, ": ", names[i], " ", t.shape(), " by the rule for \"", rule->from, "\": ", e.what()); }
    for (const std::string& to : rule->to) {
      const std::string name = filled(to, stars, who);
      const auto [at, fresh] = origin.emplace(name, names[i]);
      check(fresh, who, ": both ", at->second, " and ", names[i], " would become ", name);
      out.weights.tensors.push_back({name, t});
    }
  }
  return out;
}

WeightMap map_weights(const Weights& w, const std::vector<WeightRule>& rules) {
  std::vector<std::string> names;
  for (auto& e : w.list()) names.push_back(e.name);
  return map_weights(names, rules, w.name(), [&](size_t i) { return w.load(i); });
}

WeightMap map_weights(const Checkpoint& c, const std::vector<WeightRule>& rules, const std::string& who) {
  std::vector<std::string> names;
  for (auto& p : c.tensors) names.push_back(p.name);
  return map_weights(names, rules, who, [&](size_t i) { return c.tensors[i].tensor.detach().to(Device{}); });
}

std::string describe(const WeightMap& m) {
  std::string out = std::to_string(m.weights.tensors.size()) + " tensors mapped";
  std::map<std::string, size_t> why;
  for (auto& [name, reason] : m.skipped) ++why[reason];
  for (auto& [reason, count] : why) out += "; " + std::to_string(count) + " skipped: " + reason;
  if (m.unmatched.empty()) return out;
  out += "; " + std::to_string(m.unmatched.size()) + " without a rule: " + m.unmatched[0];
  return out + (m.unmatched.size() > 1 ? ", .." : "");
}

}  // namespace voxgrad
