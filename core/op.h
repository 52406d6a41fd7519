#pragma once
#include <concepts>
#include <ostream>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/shape.h"

namespace voxgrad {

// The value of an attribute: a number, a truth, a word or a list of numbers.
struct AttributeValue {
  std::variant<int64_t, double, bool, std::string, std::vector<int64_t>, std::vector<double>> value;

  AttributeValue(bool v) : value(v) {}
  AttributeValue(std::integral auto v) : value(int64_t(v)) {}
  AttributeValue(std::floating_point auto v) : value(double(v)) {}
  AttributeValue(const char* v) : value(std::string(v)) {}
  AttributeValue(std::string v) : value(std::move(v)) {}
  AttributeValue(std::vector<int64_t> v) : value(std::move(v)) {}
  AttributeValue(std::vector<double> v) : value(std::move(v)) {}
  AttributeValue(const std::vector<int>& v) : value(std::vector<int64_t>(v.begin(), v.end())) {}
  AttributeValue(const Int3& v) : value(std::vector<int64_t>{v.d, v.h, v.w}) {}
  AttributeValue(const Shape& s) : value(std::vector<int64_t>(s.dims, s.dims + s.rank)) {}

  friend bool operator==(const AttributeValue&, const AttributeValue&) = default;
};
std::ostream& operator<<(std::ostream&, const AttributeValue&);  // 2, 0.5, true, "word", [1, 2]

struct Attribute {
  const char* key;
  AttributeValue value;
};

// What a recorded op is: its name and, where somebody may want to know, the options it was called with:
// {"softmax", {{"axis", 2}}}. Name and keys are literals.
struct Op {
  const char* name;
  std::vector<Attribute> attributes;

  Op(const char* n) : name(n) {}
  Op(const char* n, std::vector<Attribute> a) : name(n), attributes(std::move(a)) {}
  void add(const char* key, const AttributeValue&);
  const AttributeValue* find(std::string_view key) const;  // null: there is none
};
std::ostream& operator<<(std::ostream&, const Op&);  // softmax(axis 2)

}  // namespace voxgrad
