#include <cstdio>

#include "cli/commands.h"
#include "models/model_registry.h"
#include "tasks/task.h"
#include "train/config.h"

namespace voxgrad {
namespace {

// One entry after the other, each with its keys.
template <class Entry>
void list(const Registry<Entry>& all, const std::string& prefix, bool named) {
  for (const Entry& e : all.entries()) {
    std::printf("%s  %s\n", e.name.c_str(), e.summary.c_str());
    const Options options = e.options();
    std::vector<ConfigKey> keys = options.keys();
    for (ConfigKey& key : keys) key.name = prefix + (named ? e.name + "." : "") + key.name;
    std::fputs(describe_keys(keys).c_str(), stdout);
  }
}

}  // namespace

void add_models(CLI::App& program) {
  CLI::App* command = program.add_subcommand("models", "List the networks (network.kind) and the keys of each");
  command->callback([] { list(model_registry(), "network.", false); });
}

void add_tasks(CLI::App& program) {
  CLI::App* command = program.add_subcommand("tasks", "List the tasks (task) and the keys of each");
  command->callback([] { list(task_registry(), "", true); });
}

}  // namespace voxgrad
