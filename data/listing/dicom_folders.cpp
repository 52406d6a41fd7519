#include <algorithm>
#include <optional>
#include <set>

#include "core/error.h"
#include "data/listing/files_by_case.h"
#include "io/formats/formats.h"

namespace voxgrad {
namespace fs = std::filesystem;

namespace {
constexpr int kDeepestFolders = 32;

// Calls f(file) for DICOM files of a folder and those below it until it returns true; whether it did.
template <class F>
bool any_dicom(const fs::path& folder, bool below, F&& f) {
  const auto readable = fs::directory_options::skip_permission_denied;
  for (auto at = fs::recursive_directory_iterator(folder, readable); at != fs::recursive_directory_iterator(); ++at) {
    const bool hidden = at->path().filename().string().starts_with('.');
    if (!below || hidden || at.depth() >= kDeepestFolders) at.disable_recursion_pending();
    if (!hidden && at->is_regular_file() && is_dicom(at->path()) && f(at->path())) return true;
  }
  return false;
}

// The first image of a folder, by the order in which its files lie there.
std::optional<DicomIdentity> first_image(const fs::path& folder, bool below) {
  std::optional<DicomIdentity> out;
  any_dicom(folder, below, [&](const fs::path& file) {
    try {
      const DicomIdentity of = dicom_identity(file);
      if (of.image) out = of;
    } catch (const Error&) {}  // said when it is read
    return out.has_value();
  });
  return out;
}
}  // namespace

bool holds_dicom(const fs::path& folder) {
  return any_dicom(folder, true, [](const fs::path&) { return true; });
}

std::vector<fs::path> dicom_cases(const fs::path& folder) {
  if (first_image(folder, false)) return {};
  std::vector<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.is_directory() && !entry.path().filename().string().starts_with('.')) folders.push_back(entry.path());
  std::sort(folders.begin(), folders.end());
  std::vector<fs::path> out;
  std::set<std::string> series;
  std::map<std::string, fs::path> studies;
  std::string shared;  // two folders with one study
  for (const fs::path& one : folders) {
    const auto image = first_image(one, true);
    if (!image) continue;
    out.push_back(one);
    series.insert(image->series);
    const bool known = !image->study.empty() || !image->patient.empty();
    const std::string study = known ? image->study + " of " + image->patient : "series " + image->series;
    const auto [at, fresh] = studies.emplace(study, one);
    if (!fresh && shared.empty()) shared = at->second.filename().string() + " and " + one.filename().string();
  }
  if (out.size() == 1) return dicom_cases(out[0]);  // as exported: one folder with the patients
  if (series.size() < out.size() || studies.size() < 2) return {};
  check(shared.empty(), folder.string(), ": of its ", out.size(), " folders of DICOM files ", shared, " are of one study, others are not, ",
        "which leaves open what the cases are; give a folder with one folder for each case, or one of these");
  return out;
}

}  // namespace voxgrad
