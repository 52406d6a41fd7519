#pragma once
#include <functional>
#include <nlohmann/json.hpp>
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

  void number(const char* name, double& field, double low, double high, const char* help) {
    add(name, help, field, [low, high](const Json& v) {
      if (!v.is_number() || !(v.get<double>() >= low && v.get<double>() <= high)) fail("a number from ", low, " to ", high, " is wanted");
      return v.get<double>();
    });
  }
  template <class Int>
  void integer(const char* name, Int& field, int64_t low, int64_t high, const char* help) {
    add(name, help, field, [low, high](const Json& v) {
      if (!v.is_number_integer() || v.get<int64_t>() < low || v.get<int64_t>() > high)
        fail("an integer from ", low, " to ", high, " is wanted");
      return Int(v.get<int64_t>());
    });
  }
  void flag(const char* name, bool& field, const char* help) {
    add(name, help, field, [](const Json& v) {
      if (!v.is_boolean()) fail("true or false is wanted");
      return v.get<bool>();
    });
  }
  void choice(const char* name, std::string& field, std::vector<std::string> words, const char* help) {
    add(name, help, field, [words](const Json& v) {
      for (auto& w : words)
        if (v.is_string() && v.get<std::string>() == w) return w;
      std::string list;
      for (auto& w : words) list += (list.empty() ? "" : ", ") + w;
      fail("one of ", list, " is wanted");
    });
  }
  // A number of each axis D, H, W.
  void extents(const char* name, Int3& field, int low, int high, const char* help) {
    add_json(name, help,
             [&field] {
               return Json{field.d, field.h, field.w};
             },
             [&field, low, high](const Json& v) {
               const auto good = [&](const Json& e) {
                 return e.is_number_integer() && e.get<int64_t>() >= low && e.get<int64_t>() <= high;
               };
               if (!v.is_array() || v.size() != 3 || !good(v[0]) || !good(v[1]) || !good(v[2]))
                 fail("three integers [depth, height, width] from ", low, " to ", high, " are wanted");
               field = {v[0].get<int>(), v[1].get<int>(), v[2].get<int>()};
             });
  }
  // As many integers as the user likes.
  void integers(const char* name, std::vector<int>& field, int low, int high, const char* help) {
    add(name, help, field, [low, high](const Json& v) {
      bool good = v.is_array();
      for (auto& e : good ? v : Json::array()) good = good && e.is_number_integer() && e.get<int64_t>() >= low && e.get<int64_t>() <= high;
      if (!good) fail("a list of integers from ", low, " to ", high, " is wanted");
      return v.get<std::vector<int>>();
    });
  }
  void spacing(const char* name, std::vector<double>& field, const char* help) {
    add(name, help, field, [](const Json& v) {
      bool good = v.is_array() && (v.empty() || v.size() == 3);
      for (auto& e : good ? v : Json::array()) good = good && e.is_number() && e.get<double>() > 1e-4 && e.get<double>() < 1e4;
      if (!good) fail("[] or three sizes [depth, height, width] in mm are wanted");
      return v.get<std::vector<double>>();
    });
  }
  void range(const char* name, Range& field, double low, double high, const char* help) {
    add_json(name, help,
             [&field] {
               return Json{field.low, field.high};
             },
             [&field, low, high](const Json& v) {
               const bool numbers = v.is_array() && v.size() == 2 && v[0].is_number() && v[1].is_number();
               if (!numbers || !(v[0].get<double>() >= low && v[0].get<double>() <= v[1].get<double>() && v[1].get<double>() <= high))
                 fail("[low, high] from ", low, " to ", high, " is wanted");
               field = {v[0].get<double>(), v[1].get<double>()};
             });
  }

  // read: the JSON value to that of the field, or an Error that says what is wanted.
  template <class T, class Read>
  void add(const char* name, const char* help, T& field, Read read) {
    add_json(name, help, [&field] { return Json(field); }, [&field, read](const Json& v) { field = read(v); });
  }
  void add_json(const char* name, const char* help, std::function<Json()> get, std::function<void(const Json&)> set) {
    keys.push_back({prefix + name, help, std::move(get), std::move(set)});
  }
};

// The known name with the smallest edit distance.
std::string nearest_key(const std::string& name, const std::vector<ConfigKey>&);

// Sets one key; an unknown one is refused with the nearest known one. `where`: the file or option it came from, for the message.
void set_key(const std::vector<ConfigKey>&, const std::string& name, const Json& value, const std::string& where);

}  // namespace voxgrad
