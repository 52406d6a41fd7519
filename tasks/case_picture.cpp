#include "tasks/case_picture.h"

namespace voxgrad {

std::optional<Window> window_for(const ModelDescription& d) {
  if (d.normalization.empty() || (d.normalization[0].kind != "ct" && d.normalization[0].kind != "hounsfield")) return {};
  return Window{-160, 240};
}

Picture case_picture(const CasePicture& p) {
  std::vector<OverviewColumn> columns = {{.title = "image"}};
  const auto add = [&](const char* title, const Volume& v) {
    if (!v.data) return;
    const Volume canonical = to_canonical(v);
    columns.push_back({title, canonical.data});
  };
  add("prediction", p.prediction);
  add("reference", p.reference);
  return slice_overview(to_canonical(p.image), columns, {.window = p.window, .label_names = p.label_names, .title = p.title});
}

}  // namespace voxgrad
