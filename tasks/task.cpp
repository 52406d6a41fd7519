#include "tasks/task.h"

#include "core/config/json_values.h"
#include "io/json_file.h"

namespace voxgrad {
namespace {
constexpr const char* kDefault = "segmentation";
}

Double3 Task::centre(const Case& c, const Int3& patch, bool forced, Rng rng) const {
  return forced ? foreground_centre(c.places, patch, rng) : annotated_centre(c.places, patch, rng);
}

std::string task_json(const std::string& kind, const Options& options) {
  const Json values = options.to_json();
  if (kind == kDefault && values == task_registry().find(kind).options().to_json()) return "";
  Json out{{"kind", kind}};
  out.update(values);
  return out.dump();
}

std::shared_ptr<const Task> make_task(const std::string& json) {
  Json j = json.empty() ? Json{{"kind", kDefault}} : parse_json(json, "the task");
  check(j.is_object() && j.contains("kind") && j["kind"].is_string(), "task: ", json.substr(0, 80), " names no \"kind\"");
  const TaskEntry& entry = task_registry().find(j["kind"].get<std::string>());
  j.erase("kind");
  const Options options = entry.options();
  options.set(j, "task " + entry.name);
  return entry.make(options);
}

}  // namespace voxgrad
