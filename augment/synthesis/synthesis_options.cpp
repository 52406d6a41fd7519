#include <set>

#include "augment/synthesis/synthesis.h"
#include "core/config/json_values.h"

namespace voxgrad {
namespace {

constexpr int kMostLabel = 1 << 20;

void set_all(ConfigTable t, const Json& j, const std::string& where) {
  check(j.is_object(), where, ": an object is wanted");
  for (auto& [name, value] : j.items()) set_key(t.keys, name, value, where);
}

void add_text(ConfigTable& t, const char* name, std::string& field) {
  t.add(name, "", field, [](const Json& v) {
    check(v.is_string(), "text is wanted");
    return v.get<std::string>();
  });
}

void add_look(ConfigTable& t, SynthesisTissue& s) {
  t.range("mean", s.mean, -1e6, 1e6, "");
  t.range("deviation", s.deviation, 0, 1e6, "");
}

SynthesisTissue tissue_from(const Json& j, const std::string& where) {
  SynthesisTissue s;
  ConfigTable t;
  add_text(t, "name", s.name);
  t.integers("labels", s.labels, 0, kMostLabel, "");
  add_look(t, s);
  set_all(t, j, where);
  check(!s.labels.empty(), where, ": labels are missing");
  return s;
}

SynthesisTissue others_from(const Json& j, const std::string& where) {
  SynthesisTissue s{.name = "others"};
  ConfigTable t;
  add_look(t, s);
  set_all(t, j, where);
  return s;
}

SynthesisTarget target_from(const Json& j, const std::string& where) {
  SynthesisTarget s;
  ConfigTable t;
  add_text(t, "name", s.name);
  t.integers("labels", s.labels, 0, kMostLabel, "");
  t.choice("towards", s.towards, {"", "superior", "inferior", "anterior", "posterior", "right", "left"}, "");
  t.number("from", s.from, 0, 1, "");
  t.number("to", s.to, 0, 1, "");
  set_all(t, j, where);
  check(!s.name.empty() && !s.labels.empty(), where, ": a name and labels are wanted");
  check(s.from < s.to, where, ": from is ", s.from, " and to is ", s.to, ", a smaller one and a larger one are wanted");
  check(!s.towards.empty() || (s.from == 0 && s.to == 1), where, ": a part (from, to) needs a direction (towards)");
  return s;
}

template <class T>
void add_list(ConfigTable& t, const char* name, std::vector<T>& field, const std::string& source,
              T (*read)(const Json&, const std::string&)) {
  t.add_json(name, "", [] { return Json(nullptr); }, [&field, name, source, read](const Json& v) {
    check(v.is_array(), "a list is wanted");
    field.clear();
    for (size_t i = 0; i < v.size(); ++i) field.push_back(read(v[i], source + ": " + name + "[" + std::to_string(i) + "]"));
  });
}

}  // namespace

SynthesisOptions synthesis_from_json(const Json& j, const std::string& source) {
  SynthesisOptions o;
  ConfigTable t;
  add_list(t, "tissues", o.tissues, source, tissue_from);
  t.add_json("others", "", [] { return Json(nullptr); }, [&o, source](const Json& v) { o.others = others_from(v, source + ": others"); });
  t.number("label_variation", o.label_variation, 0, 1e6, "");
  add_list(t, "targets", o.targets, source, target_from);
  t.number("boundary_variation", o.boundary_variation, 0, 1, "");
  t.integers("objects", o.objects, 0, kMostLabel, "");
  t.range("margin_mm", o.margin_mm, 0, 1000, "");
  t.number("rotation_degrees", o.rotation_degrees, 0, 180, "");
  t.range("scale", o.scale, 0.1, 10, "");
  t.number("stretch", o.stretch, 0, 1, "");
  t.number("deformation_mm", o.deformation_mm, 0, 100, "");
  t.number("deformation_reach_mm", o.deformation_reach_mm, 1, 1000, "");
  t.range("bias", o.bias, 0, 5, "");
  t.range("blur_mm", o.blur_mm, 0, 50, "");
  t.range("noise", o.noise, 0, 1e6, "");
  set_all(t, j, source);
  check(!o.targets.empty() && o.targets.size() < 256, source, ": ", o.targets.size(), " targets, 1 to 255 are wanted");
  std::set<int> seen;
  for (const SynthesisTissue& s : o.tissues)
    for (const int label : s.labels) check(seen.insert(label).second, source, ": label ", label, " is of two tissues");
  return o;
}

}  // namespace voxgrad
