#pragma once
#include <functional>
#include <memory>
#include <typeinfo>

#include "core/config/config_table.h"

namespace voxgrad {

// The options of something that is chosen by name (a network, a task, a transform, an optimizer): a struct of its own, known to others
// by the keys that are bound to its fields. A copy shares the struct, a clone does not.
class Options {
 public:
  Options() = default;  // of something without options
  // The defaults of T; add_keys binds its fields.
  template <class T>
  static Options of(void (*add_keys)(ConfigTable&, T&)) {
    return made(std::make_shared<T>(), add_keys);
  }
  Options clone() const { return clone_ ? clone_() : Options(); }

  // The struct; of another type than the one that it was made of it is an Error.
  template <class T>
  T& as() const {
    check(type_ && *type_ == typeid(T), "options: asked for as another type than they were made of");
    return *static_cast<T*>(values_.get());
  }
  const std::vector<ConfigKey>& keys() const { return table_.keys; }
  // Every key with its value, and back: keys that are missing keep their values, unknown ones are refused in the name of `where`.
  Json to_json() const;
  void set(const Json& object, const std::string& where) const;

 private:
  template <class T>
  static Options made(std::shared_ptr<T> values, void (*add_keys)(ConfigTable&, T&)) {
    Options o;
    add_keys(o.table_, *values);
    o.type_ = &typeid(T);
    o.clone_ = [values, add_keys] { return made(std::make_shared<T>(*values), add_keys); };
    o.values_ = std::move(values);
    return o;
  }

  std::shared_ptr<void> values_;
  const std::type_info* type_ = nullptr;
  std::function<Options()> clone_;
  ConfigTable table_;
};

}  // namespace voxgrad
