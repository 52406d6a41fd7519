#include "data/listing/files_by_case.h"

#include "data/dataset.h"
#include "tests/catch.h"
#include "tests/dicom_bytes.h"
#include "tests/temporary_folder.h"

using namespace voxgrad;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {
void put(const fs::path& path, const DicomBytes& d) {
  fs::create_directories(path.parent_path());
  put_bytes(path, d.file());
}
// A slice of a patient's study.
DicomBytes slice_of(const std::string& patient, const std::string& study, const std::string& series, double z = 0) {
  return slice_at(z, 1, series).text(0x00100020, "LO", patient).text(0x0020000d, "UI", study);
}
std::string names(const std::vector<DatasetCase>& cases) {
  std::string out;
  for (const DatasetCase& c : cases) out += c.id + " ";
  return out;
}
}  // namespace

TEST_CASE("files are found by the names of their cases") {
  const TemporaryFolder folder;
  for (const char* name : {"a.nii.gz", "b_1.nrrd", "notes.txt", "._a.nii.gz", "a.npz", "a.png", "c.npz", "d.hdr", "d.img"})
    put_bytes(folder / name, "");
  const auto files = files_by_case(folder.path());
  CHECK(files.size() == 4);
  CHECK(files.at("a") == folder / "a.nii.gz");
  CHECK(files.at("b_1") == folder / "b_1.nrrd");
  CHECK(files.at("c") == folder / "c.npz");
  CHECK(files.at("d") == folder / "d.hdr");
  put_bytes(folder / "a.nii", "");
  CHECK_THAT(error_of([&] { files_by_case(folder.path()); }), Contains("the case a occurs twice"));
  const auto texts = files_by_case(folder.path(), [](const fs::path& f) { return f.extension() == ".txt" ? f.stem().string() : ""; });
  CHECK(texts.size() == 1);
  CHECK(texts.at("notes") == folder / "notes.txt");
  const TemporaryFolder pictures;
  for (const char* name : {"a.png", "b.png"}) put_bytes(pictures / name, "");
  CHECK(files_by_case(pictures.path()).size() == 2);
}

TEST_CASE("each folder of a DICOM study is a case") {
  const TemporaryFolder folder;
  for (int k = 0; k < 2; ++k) {
    put(folder / ("p1/" + std::to_string(k) + ".dcm"), slice_of("A", "1.1", "1.1.1", 5 * k));
    put(folder / ("p2/series/" + std::to_string(k)), slice_of("B", "1.2", "1.2.1", 5 * k));
  }
  put(folder / "DICOMDIR", DicomBytes().text(0x00041130, "CS", "MEDIUM"));
  put(folder / "reports/report", DicomBytes().text(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.88.11"));
  fs::create_directories(folder / "nothing");
  const auto found = list_images(folder.path());
  CHECK(names(found) == "p1 p2 ");
  CHECK(found[1].images == std::vector<fs::path>{folder / "p2"});
  CHECK(files_by_case(folder.path()).at("p1") == folder / "p1");
  // By its number a series is one of each case, by its UID one of them all.
  CHECK(list_images(folder.path(), 1, "1").size() == 2);
  CHECK(list_images(folder.path(), 1, "1.2.1").size() == 1);
  // The same one folder further down.
  const TemporaryFolder medium;
  fs::rename(folder.path() / "p1", folder / "DICOM_p1");
  fs::create_directories(medium / "DICOM");
  for (const char* name : {"DICOM_p1", "p2"}) fs::copy(folder / name, medium / "DICOM" / name, fs::copy_options::recursive);
  CHECK(names(list_images(medium.path())) == "DICOM_p1 p2 ");
  // Images beside them: all of it is one case.
  put(folder / "1.dcm", slice_of("A", "1.1", "1.1.1", 10));
  CHECK(list_images(folder.path()).size() == 1);
}

TEST_CASE("images in folders of their own that are no DICOM are told of") {
  const TemporaryFolder folder;
  fs::create_directories(folder / "p1");
  put_bytes(folder / "p1/scan.nii.gz", "");
  CHECK_THAT(error_of([&] { list_images(folder.path()); }), Contains("without images") && Contains("p1/scan.nii.gz"));
}

TEST_CASE("a data set may have a folder of DICOM files for each case") {
  const TemporaryFolder folder;
  put_bytes(folder / "dataset.json", R"({"channel_names": {"0": "CT"}, "labels": {"background": 0, "organ": 1}, "file_ending": ".nii"})");
  put(folder / "imagesTr/a/1.dcm", slice_of("A", "1.1", "1.1.1"));
  put(folder / "imagesTr/b_0000/1.dcm", slice_of("A", "1.1", "1.1.1"));
  put(folder / "labelsTr/b/segmentation", slice_of("A", "1.1", "1.1.2"));
  fs::create_directories(folder / "imagesTr/notes");
  put_bytes(folder / "labelsTr/a.nii", "");
  const Dataset d = read_dataset(folder.path());
  CHECK(names(d.cases) == "a b ");
  CHECK(d.cases[0].images[0] == folder / "imagesTr/a");
  CHECK(d.cases[0].label == folder / "labelsTr/a.nii");
  CHECK(d.cases[1].label == folder / "labelsTr/b");
  fs::remove(folder / "labelsTr/a.nii");
  CHECK_THAT(error_of([&] { read_dataset(folder.path()); }), Contains("case a: there is no label"));
}

TEST_CASE("folders of one study are one case, and of some of one study nobody knows") {
  const auto cases = [](const std::vector<std::pair<std::string, DicomBytes>>& files) {
    const TemporaryFolder folder;
    for (const auto& [name, image] : files) put(folder / name, image);
    return list_images(folder.path()).size();
  };
  CHECK(cases({{"t1/1", slice_of("A", "1.1", "1.1.1")}, {"t2/1", slice_of("A", "1.1", "1.1.2")}}) == 1);
  // Two patients whose study was given one number; two visits of one patient; nothing but two series.
  CHECK(cases({{"a/1", slice_of("A", "1.1", "1.1.1")}, {"b/1", slice_of("B", "1.1", "1.1.2")}}) == 2);
  CHECK(cases({{"a/1", slice_of("A", "1.1", "1.1.1")}, {"b/1", slice_of("A", "1.2", "1.2.1")}}) == 2);
  CHECK(cases({{"a/1", slice_at(0, 1, "1.1")}, {"b/1", slice_at(0, 1, "1.2")}}) == 2);
  // One series in two folders.
  CHECK(cases({{"a/1", slice_at(0, 1, "1.1")}, {"b/1", slice_at(5, 1, "1.1")}}) == 1);
  CHECK(cases({{"a/1", slice_of("A", "1.1", "1.1.1")}, {"b/1", slice_of("A", "1.2", "1.1.1", 5)}}) == 1);
  CHECK_THAT(error_of([&] {
               cases({{"a_t1/1", slice_of("A", "1.1", "1.1.1")},
                      {"a_t2/1", slice_of("A", "1.1", "1.1.2")},
                      {"b_t1/1", slice_of("B", "1.2", "1.2.1")}});
             }),
             Contains("3 folders of DICOM files a_t1 and a_t2 are of one study, others are not"));
}
