#pragma once
#include <functional>
#include <string>
#include <vector>

#include "core/config/json.h"
#include "core/config/range.h"
#include "core/error.h"
#include "core/shape.h"

namespace voxgrad {

// One documented key of the configuration: how it is read, written and checked.
struct ConfigKey {
  std::string name, help;
  std::function<Json()> get;
  std::function<void(const Json&)> set;  // throws Error that says what is wanted, without the key's name
};

// Keys bound to fields, each with its check and its meaning. The fields must outlive the table.
struct ConfigTable {
  std::string prefix = "";  // of the names that are added from now on, such as "train."
  std::vector<ConfigKey> keys = {};

  void number(const char* name, double& field, double low, double high, const char* help);
  template <class Int>
  void integer(const char* name, Int& field, int64_t low, int64_t high, const char* help) {
    add_integer(name, help, low, high, [&field] { return int64_t(field); }, [&field](int64_t v) { field = Int(v); });
  }
  void flag(const char* name, bool& field, const char* help);
  void choice(const char* name, std::string& field, std::vector<std::string> words, const char* help);
  void choice(const char* name, int& field, std::vector<int> values, const char* help);
  // A number of each axis D, H, W.
  void extents(const char* name, Int3& field, int low, int high, const char* help);
  // As many integers as the user likes.
  void integers(const char* name, std::vector<int>& field, int low, int high, const char* help);
  void spacing(const char* name, std::vector<double>& field, const char* help);
  void range(const char* name, Range& field, double low, double high, const char* help);

  // read: the JSON value to that of the field, or an Error that says what is wanted. To call it include core/config/json_values.h, which
  // is most of what a file that includes it costs to compile.
  template <class T, class Read>
  void add(const char* name, const char* help, T& field, Read read) {
    add_json(name, help, [&field] { return Json(field); }, [&field, read](const Json& v) { field = read(v); });
  }
  void add_json(const char* name, const char* help, std::function<Json()> get, std::function<void(const Json&)> set) {
    keys.push_back({prefix + name, help, std::move(get), std::move(set)});
  }

 private:
  void add_integer(const char* name, const char* help, int64_t low, int64_t high, std::function<int64_t()> get,
                   std::function<void(int64_t)> set);
};

// The known name with the smallest edit distance.
std::string nearest_key(const std::string& name, const std::vector<ConfigKey>&);

// Sets one key; an unknown one is refused with the nearest known one. `where`: the file or option it came from, for the message.
void set_key(const std::vector<ConfigKey>&, const std::string& name, const Json& value, const std::string& where);

}  // namespace voxgrad
