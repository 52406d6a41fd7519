#pragma once
#include <memory>

#include "core/config/config_table.h"

namespace voxgrad {

// The options of something that is chosen by name (a network, a task, a transform, an optimizer): a struct of its own, known to others
// by the keys that are bound to its fields. A copy shares the struct.
class Options {
 public:
  Options() = default;  // of something without options
  // The defaults of T; add_keys binds its fields.
  template <class T>
  static Options of(void (*add_keys)(ConfigTable&, T&)) {
    Options o;
    auto values = std::make_shared<T>();
    add_keys(o.table_, *values);
    o.values_ = std::move(values);
    return o;
  }

  // The struct; T must be the type that it was made of.
  template <class T>
  const T& as() const {
    return *static_cast<const T*>(values_.get());
  }
  const std::vector<ConfigKey>& keys() const { return table_.keys; }
  // Every key with its value, and back: keys that are missing keep their values, unknown ones are refused in the name of `where`.
  Json to_json() const;
  void set(const Json& object, const std::string& where) const;

 private:
  std::shared_ptr<void> values_;
  ConfigTable table_;
};

}  // namespace voxgrad
