#include "core/config/config_table.h"

#include <algorithm>
#include <numeric>
#include <sstream>

#include "core/config/json_values.h"

namespace voxgrad {
namespace {

bool is_integer(const Json& v, int64_t low, int64_t high) {
  return v.is_number_integer() && v.get<int64_t>() >= low && v.get<int64_t>() <= high;
}

bool is_number(const Json& v, double low, double high) { return v.is_number() && v.get<double>() >= low && v.get<double>() <= high; }

template <class Good>
bool is_list(const Json& v, const Good& good) {
  return v.is_array() && std::all_of(v.begin(), v.end(), good);
}

template <class Word>
std::string listed(const std::vector<Word>& words) {
  std::ostringstream list;
  for (auto& w : words) list << (&w == &words[0] ? "" : ", ") << w;
  return list.str();
}

}  // namespace

void ConfigTable::number(const char* name, double& field, double low, double high, const char* help) {
  add(name, help, field, [low, high](const Json& v) {
    check(is_number(v, low, high), "a number from ", low, " to ", high, " is wanted");
    return v.get<double>();
  });
}

void ConfigTable::add_integer(const char* name, const char* help, int64_t low, int64_t high, std::function<int64_t()> get,
                              std::function<void(int64_t)> set) {
  add_json(name, help, [get] { return Json(get()); },
           [low, high, set](const Json& v) {
             check(is_integer(v, low, high), "an integer from ", low, " to ", high, " is wanted");
             set(v.get<int64_t>());
           });
}

void ConfigTable::flag(const char* name, bool& field, const char* help) {
  add(name, help, field, [](const Json& v) {
    check(v.is_boolean(), "true or false is wanted");
    return v.get<bool>();
  });
}

void ConfigTable::choice(const char* name, std::string& field, std::vector<std::string> words, const char* help) {
  add(name, help, field, [words](const Json& v) {
    check(v.is_string() && std::count(words.begin(), words.end(), v.get<std::string>()) > 0, "one of ", listed(words), " is wanted");
    return v.get<std::string>();
  });
}

void ConfigTable::choice(const char* name, int& field, std::vector<int> values, const char* help) {
  add(name, help, field, [values](const Json& v) {
    check(v.is_number_integer() && std::count(values.begin(), values.end(), v.get<int64_t>()) > 0, "one of ", listed(values), " is wanted");
    return v.get<int>();
  });
}

void ConfigTable::extents(const char* name, Int3& field, int low, int high, const char* help) {
  add_json(name, help, [&field] { return Json{field.d, field.h, field.w}; },
           [&field, low, high](const Json& v) {
             check(v.size() == 3 && is_list(v, [&](const Json& e) { return is_integer(e, low, high); }),
                   "three integers [depth, height, width] from ", low, " to ", high, " are wanted");
             field = {v[0].get<int>(), v[1].get<int>(), v[2].get<int>()};
           });
}

void ConfigTable::integers(const char* name, std::vector<int>& field, int low, int high, const char* help) {
  add(name, help, field, [low, high](const Json& v) {
    check(is_list(v, [&](const Json& e) { return is_integer(e, low, high); }), "a list of integers from ", low, " to ", high, " is wanted");
    return v.get<std::vector<int>>();
  });
}

void ConfigTable::spacing(const char* name, std::vector<double>& field, const char* help) {
  add(name, help, field, [](const Json& v) {
    const auto good = [](const Json& e) { return e.is_number() && e.get<double>() > 1e-4 && e.get<double>() < 1e4; };
    check(is_list(v, good) && (v.empty() || v.size() == 3), "[] or three sizes [depth, height, width] in mm are wanted");
    return v.get<std::vector<double>>();
  });
}

void ConfigTable::range(const char* name, Range& field, double low, double high, const char* help) {
  add_json(name, help, [&field] { return Json{field.low, field.high}; },
           [&field, low, high](const Json& v) {
             check(v.size() == 2 && is_list(v, [&](const Json& e) { return is_number(e, low, high); }) && v[0] <= v[1], "[low, high] from ",
                   low, " to ", high, " is wanted");
             field = {v[0].get<double>(), v[1].get<double>()};
           });
}

std::string nearest_key(const std::string& name, const std::vector<ConfigKey>& keys) {
  std::string best;
  size_t least = SIZE_MAX;
  for (auto& key : keys) {
    std::vector<size_t> row(key.name.size() + 1);  // Levenshtein distance, one row at a time
    std::iota(row.begin(), row.end(), size_t(0));
    for (size_t i = 1; i <= name.size(); ++i) {
      size_t diagonal = row[0];
      row[0] = i;
      for (size_t j = 1; j <= key.name.size(); ++j) {
        const size_t change = diagonal + (name[i - 1] != key.name[j - 1]);
        diagonal = row[j];
        row[j] = std::min({row[j] + 1, row[j - 1] + 1, change});
      }
    }
    if (row.back() < least) {
      least = row.back();
      best = key.name;
    }
  }
  return best;
}

void set_key(const std::vector<ConfigKey>& keys, const std::string& name, const Json& value, const std::string& where) {
  for (auto& key : keys)
    if (key.name == name) {
      try {
        key.set(value);
      } catch (const Error& e) { fail(where, ": ", name, " = ", value.dump(), ": ", e.what()); }
      return;
    }
  fail(where, ": unknown key \"", name, "\"; the nearest known one is \"", nearest_key(name, keys), "\"");
}

}  // namespace voxgrad
