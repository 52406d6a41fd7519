#include "tasks/values/values.h"

#include "core/config/json_values.h"
#include "data/readers/csv.h"
#include "io/atomic_file.h"
#include "io/json_file.h"
#include "tasks/case_picture.h"

namespace voxgrad {

std::vector<std::filesystem::path> ValuesTask::files(const std::filesystem::path& stem, const std::string&) const {
  return {stem.string() + ".json"};
}

void ValuesTask::write(const Result& r, const std::filesystem::path& stem, const std::string& ending) const {
  write_json(files(stem, ending)[0], parse_json(r.json, "result"));
}

void ValuesTask::write_summary(const std::filesystem::path& folder, const std::vector<std::pair<std::string, std::string>>& cases) const {
  if (cases.empty()) return;
  std::string text;
  for (auto& [id, json] : cases) {
    const auto row = columns(parse_json(json, "result"));
    if (text.empty()) {
      text = "case";
      for (auto& [name, value] : row) text += "," + csv_field(name);
      text += "\n";
    }
    text += csv_field(id);
    for (auto& [name, value] : row) text += "," + csv_field(value);
    text += "\n";
  }
  write_text_file(folder / "predictions.csv", text);
}

Picture ValuesTask::picture(const Volume& image, const Result& result, const Volume&, const std::string& title,
                            const ModelDescription& d) const {
  return case_picture({.image = image,
                       .prediction = {},
                       .reference = {},
                       .title = title + ": " + in_words(parse_json(result.json, "result")),
                       .label_names = {},
                       .window = window_for(d)});
}

std::string values_defaults(const std::string& own) {
  Json all = parse_json(R"({
    "network": {"kind": "resnet", "base_features": 32},
    "train": {"optimizer": "adamw", "learning_rate": 0.001, "weight_decay": 0.01, "batch": 32, "steps": 5000, "epochs": 80,
              "sampling": "epochs", "average_weights": 0.99, "validate_every": 0, "validate_cases": 1000000, "oversample_foreground": 0},
    "augment": {"order": ["spatial", "mirror"], "rotation": 0.5, "rotation_degrees": 15, "rotation_in_plane": 15, "scaling": 0,
                "mirror": 0, "mirror_axes": [2]}})",
                        "defaults of values per image");
  all.merge_patch(parse_json(own, "defaults of a task"));
  return all.dump();
}

}  // namespace voxgrad
