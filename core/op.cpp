#include "core/op.h"

#include <algorithm>

namespace voxgrad {
namespace {
template <class T>
void print(std::ostream& o, const std::vector<T>& v) {
  o << '[';
  for (size_t i = 0; i < v.size(); ++i) o << (i ? ", " : "") << v[i];
  o << ']';
}
void print(std::ostream& o, const std::string& v) { o << '"' << v << '"'; }
void print(std::ostream& o, bool v) { o << (v ? "true" : "false"); }
void print(std::ostream& o, int64_t v) { o << v; }
void print(std::ostream& o, double v) { o << v; }
}  // namespace

std::ostream& operator<<(std::ostream& o, const AttributeValue& v) {
  std::visit([&](const auto& x) { print(o, x); }, v.value);
  return o;
}

void Op::add(const char* key, const AttributeValue& value) { attributes.push_back({key, value}); }

const AttributeValue* Op::find(std::string_view key) const {
  const auto found = std::find_if(attributes.begin(), attributes.end(), [&](const Attribute& a) { return a.key == key; });
  return found == attributes.end() ? nullptr : &found->value;
}

std::ostream& operator<<(std::ostream& o, const Op& op) {
  o << op.name;
  for (size_t i = 0; i < op.attributes.size(); ++i)
    o << (i ? ", " : "(") << op.attributes[i].key << ' ' << op.attributes[i].value;
  return op.attributes.empty() ? o : o << ')';
}

}  // namespace voxgrad
