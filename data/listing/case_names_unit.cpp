#include "data/listing/files_by_case.h"
#include "tests/catch.h"
#include "tests/temporary_folder.h"

using namespace voxgrad;
using Names = std::vector<std::string>;

TEST_CASE("cases have the names of their files, and of the folders that tell them apart") {
  CHECK(case_names({}).empty());
  CHECK(case_names({"a/x.nii.gz", "b/y.png"}) == Names{"x", "y"});
  CHECK(case_names({"a/x.nii.gz", "b/x.png"}) == Names{"a_x", "b_x"});
  CHECK(case_names({"/data/a/x.nii", "/data/b/x.nii", "/data/b/y.nii", "/data/z.nii"}) == Names{"a_x", "b_x", "b_y", "z"});
  CHECK(case_names({"set/a/scan/x.nii", "set/b/scan/x.nii"}) == Names{"a_scan_x", "b_scan_x"});
  CHECK(case_names({"./a/x.nii", "a/../b/x.nii"}) == Names{"a_x", "b_x"});
  CHECK(case_names({"a/x.nii", "a/x.nii"}) == Names{"x", "x"});
  const TemporaryFolder folder;
  for (const char* series : {"p1/series.1", "p2/series.1"}) std::filesystem::create_directories(folder / series);
  CHECK(case_names({folder / "p1/series.1", folder / "p2/series.1/"}) == Names{"p1_series.1", "p2_series.1"});
}
