#pragma once
#include "core/error.h"
#include "train/config_keys.h"

namespace voxgrad {

// Adds keys of each type with their checks.
struct ConfigTable {
  std::vector<ConfigKey> keys;

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
  void extents(const char* name, Int3& field, int low, int high, const char* help) {
    keys.push_back({name, help,
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
                    }});
  }
  void spacing(const char* name, std::vector<double>& field, const char* help) {
    add(name, help, field, [](const Json& v) {
      bool good = v.is_array() && (v.empty() || v.size() == 3);
      for (auto& e : good ? v : Json::array()) good = good && e.is_number() && e.get<double>() > 1e-4 && e.get<double>() < 1e4;
      if (!good) fail("[] or three sizes [depth, height, width] in mm are wanted");
      return v.get<std::vector<double>>();
    });
  }

  template <class T, class Read>
  void add(const char* name, const char* help, T& field, Read read) {
    keys.push_back({name, help, [&field] { return Json(field); }, [&field, read](const Json& v) { field = read(v); }});
  }
};

void add_augment_keys(ConfigTable&, AugmentOptions&);

}  // namespace voxgrad
