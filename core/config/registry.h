#pragma once
#include <deque>
#include <string>
#include <vector>

#include "core/error.h"

namespace voxgrad {

// Things that are chosen by name, each described by an Entry with a `name` and a one-line `summary`. The library's own are listed by CMake
// (cmake/registries.cmake); a program adds its own before it uses any.
template <class Entry>
class Registry {
 public:
  // what: "network", for messages.
  Registry(const char* what, std::vector<Entry> built_in) : what_(what) {
    for (Entry& e : built_in) add(std::move(e));
  }

  void add(Entry entry) {
    check(!entry.name.empty(), what_, ": an entry without a name");
    for (auto& e : entries_) check(e.name != entry.name, what_, ": the name \"", entry.name, "\" is taken");
    entries_.push_back(std::move(entry));
  }
  // An unknown name is an Error that lists the known ones.
  const Entry& find(const std::string& name) const {
    for (auto& e : entries_)
      if (e.name == name) return e;
    std::string known;
    for (auto& e : entries_) known += (known.empty() ? "" : ", ") + e.name;
    fail(what_, ": \"", name, "\" is unknown; known are ", known);
  }
  bool has(const std::string& name) const {
    for (auto& e : entries_)
      if (e.name == name) return true;
    return false;
  }
  std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (auto& e : entries_) out.push_back(e.name);
    return out;
  }
  const std::deque<Entry>& entries() const { return entries_; }

 private:
  std::string what_;
  std::deque<Entry> entries_;  // which stay where they are
};

}  // namespace voxgrad
