#include "train/run_folder.h"

#include <cerrno>
#include <cstring>
#include <fstream>

#include "core/config/json_values.h"
#include "core/error.h"
#include "io/atomic_file.h"
#include "io/json_file.h"

namespace voxgrad {

void RunFolder::check_free() const {
  check(!std::filesystem::exists(folder_ / "config.json"), folder_.string(),
        ": holds a run already; go on with it by --resume, or choose another folder");
}

void RunFolder::start(const TrainConfig& config) const {
  make_folders(folder_);
  write_json(folder_ / "config.json", to_json(config));
}

TrainConfig RunFolder::config() const {
  const auto file = folder_ / "config.json";
  check(std::filesystem::exists(file), folder_.string(), ": holds no run to resume (there is no config.json)");
  TrainConfig config;
  apply_json(config, read_json(file), file.string());
  return config;
}

void RunFolder::write_split(const Split& split) const {
  write_json(folder_ / "split.json", Json{{"training", split.training}, {"validation", split.validation}});
}

void RunFolder::append_metrics(const Json& line) const {
  std::ofstream out(metrics(), std::ios::app);
  out << line.dump() << '\n' << std::flush;
  check(out.good(), metrics().string(), ": cannot be written: ", std::strerror(errno));
}

void RunFolder::rewind_metrics(int64_t step) const {
  std::ifstream in(metrics());
  std::string kept, line;
  while (std::getline(in, line)) {
    const Json parsed = Json::parse(line, nullptr, false);
    if (parsed.is_discarded() || !parsed.is_object() || !parsed.contains("step") || !parsed["step"].is_number_integer() ||
        parsed["step"].get<int64_t>() > step)
      continue;
    kept += line + '\n';
  }
  write_text_file(metrics(), kept);
}

}  // namespace voxgrad
