#include "data/cache/case_cache.h"

#include <cstring>

#include "core/config/json_values.h"
#include "core/memory/memory.h"
#include "io/image.h"
#include "io/json_file.h"
#include "tests/catch.h"
#include "tests/hostile_json.h"
#include "tests/sample_helpers.h"
#include "tests/temporary_folder.h"

using namespace voxgrad;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

// All kinds of fields, of a volume of several chunks.
Case a_case() {
  Case c{.id = "one", .sample = random_sample({40, 33, 70}, 2, 5)};
  std::vector<Field>& f = c.sample.fields;
  f.push_back({"flow", DataKind::vectors, random_sample({40, 33, 70}, 3, 6).image()});
  f.push_back({"ends", DataKind::points, Tensor::from({1, 2, 3, 4, 5, 6}, {2, 3})});
  f.push_back({"none", DataKind::boxes, Tensor::from(std::vector<double>{}, {0, 7})});
  f.push_back({"class", DataKind::values, Tensor::from({3, -5}, {2}, DType::i32)});
  c.places = find_foreground(c.sample.at("label"), Rng(1), {.keep = 50, .keep_fraction = 0, .annotated = true});
  c.geometry.affine.m = {{{0.1, -0.8, 1.0 / 3, 5}, {2.0, 0.05, 0.1, -7}, {0.1, 0.02, -1.5, 11}, {0, 0, 0, 1}}};
  c.geometry.orientation = {{2, 0, 1}, {true, false, true}};
  c.geometry.canonical = {50, 33, 71};
  c.geometry.box_begin = {3, 0, 1};
  c.geometry.box = {45, 33, 70};
  c.geometry.working = {40, 33, 70};
  c.geometry.spacing = {1.0 / 7, 2, 3};
  c.geometry.resampling = "nnunet";
  c.geometry.unit = LengthUnit::metre;
  return c;
}

void check_same_part(const Sample& part, const Sample& whole, const VoxelBox& box) {
  REQUIRE(part.fields.size() == whole.fields.size());
  for (size_t i = 0; i < part.fields.size(); ++i) {
    const Field &p = part.fields[i], &w = whole.fields[i];
    REQUIRE(p.name == w.name);
    REQUIRE(p.kind == w.kind);
    REQUIRE(p.data.dtype() == w.data.dtype());
    if (!is_dense(p.kind)) {
      REQUIRE(p.data.shape() == w.data.shape());
      REQUIRE(p.data.values() == w.data.values());
      continue;
    }
    REQUIRE(volume_size(p.data) == box.size);
    const Shape& s = w.data.shape();
    const int64_t numbers = s.rank == 4 ? s[3] : 1, size = int64_t(size_of(p.data.dtype())) * numbers;
    const char *a = p.data.view().as<const char>(), *b = w.data.view().as<const char>();
    bool same = true;
    for (int d = 0; d < box.size.d; ++d)
      for (int h = 0; h < box.size.h; ++h)
        same = same && std::memcmp(a + (int64_t(d) * box.size.h + h) * box.size.w * size,
                                   b + ((int64_t(box.begin.d + d) * s[1] + box.begin.h + h) * s[2] + box.begin.w) * size,
                                   size_t(box.size.w * size)) == 0;
    REQUIRE(same);
  }
}

// The file with another header, whose checksum is right.
std::string with_header(const std::string& bytes, const std::string& header) {
  CaseFileEnd end;
  std::memcpy(&end, bytes.data() + bytes.size() - sizeof end, sizeof end);
  end.header_checksum = checksum_of(header.data(), header.size());
  return bytes.substr(0, end.header) + header + std::string(reinterpret_cast<const char*>(&end), sizeof end);
}
std::string header_of(const std::string& bytes) {
  CaseFileEnd end;
  std::memcpy(&end, bytes.data() + bytes.size() - sizeof end, sizeof end);
  return bytes.substr(end.header, bytes.size() - sizeof end - end.header);
}

}  // namespace

TEST_CASE("a case comes back from its file, whole and by boxes, to the last bit") {
  const TemporaryFolder folder;
  const Case c = a_case();
  write_case_file(folder / "one.case", c, {{"x", 1.0 / 3}});
  const CaseFile file(folder / "one.case");
  CHECK(fs::file_size(folder / "one.case") < 40 * 33 * 70 * (8 + 1 + 12) + 20000);  // its voxels and no more, f32 x 2, u8, f32 x 3
  CHECK(file.id() == "one");
  CHECK(file.key() == json_text({{"x", 1.0 / 3}}));
  const Geometry &g = file.geometry(), &wanted = c.geometry;
  CHECK(g.affine == wanted.affine);
  CHECK(g.orientation == wanted.orientation);
  CHECK((g.canonical == wanted.canonical && g.box_begin == wanted.box_begin && g.box == wanted.box && g.working == wanted.working));
  CHECK((g.spacing == wanted.spacing && g.file_spacing == wanted.file_spacing));
  CHECK((g.resampling == wanted.resampling && g.unit == wanted.unit));
  const ForegroundIndex places = file.places();
  REQUIRE(places.classes.size() == c.places.classes.size());
  for (size_t i = 0; i < places.classes.size(); ++i) {
    CHECK(places.classes[i].label == c.places.classes[i].label);
    CHECK(places.classes[i].voxels == c.places.classes[i].voxels);
  }
  CHECK(places.annotated == c.places.annotated);
  CHECK(places.size == c.places.size);
  check_same_part(file.whole(), c.sample, {{0, 0, 0}, {40, 33, 70}});
  Rng rng(1);
  for (int i = 0; i < 50; ++i) {
    VoxelBox box;
    for (int a = 0; a < 3; ++a) {
      box.begin[a] = int(rng.below(file.size()[a]));
      box.size[a] = 1 + int(rng.below(file.size()[a] - box.begin[a]));
    }
    const Sample part = file.part(box);
    CHECK((part.size() == Int3{40, 33, 70} && part.begin == box.begin));
    check_same_part(part, c.sample, box);
  }
  CHECK_THROWS_WITH(file.part({{30, 0, 0}, {11, 1, 1}}), Contains("one.case") && Contains("not within 40x33x70"));
}

TEST_CASE("images of a case file are rounded where f16 or bf16 is asked for, and nothing else") {
  const TemporaryFolder folder;
  const Case c = a_case();
  for (DType t : {DType::f16, DType::bf16}) {
    write_case_file(folder / "one.case", c, {}, t);
    Sample wanted = c.sample;
    wanted.fields[0].data = wanted.fields[0].data.to(t).to(DType::f32);
    const CaseFile file(folder / "one.case");
    check_same_part(file.whole(), wanted, {{0, 0, 0}, file.size()});
    check_same_part(file.part({{7, 5, 30}, {30, 8, 9}}), wanted, {{7, 5, 30}, {30, 8, 9}});
  }
}

TEST_CASE("case files that are cut off or changed anywhere are refused by name") {
  const TemporaryFolder folder;
  Case c{.id = "small", .sample = random_sample({5, 33, 4}, 1, 1)};
  c.places = find_foreground(c.sample.at("label"), Rng(1));
  const fs::path path = folder / "small.case";
  write_case_file(path, c, {{"a", "b"}});
  const std::string good = file_bytes(path);
  const auto read = [&](const std::string& bytes) {
    put_bytes(path, bytes);
    return error_of([&] { CaseFile(path).whole(); });
  };
  REQUIRE(read(good).empty());
  for (size_t n = 0; n < good.size(); n += 1 + n / 20) CHECK_THAT(read(good.substr(0, n)), Contains("small.case"));
  // Zeros between pieces, and behind the version, say nothing.
  size_t unnoticed = 0;
  for (size_t i = 0; i < good.size(); i += 3) {
    std::string bad = good;
    bad[i] = char(bad[i] ^ 0x41);
    const std::string message = read(bad);
    unnoticed += message.empty();
    if (message.empty()) CHECK(good[i] == 0);
    else CHECK_THAT(message, Contains("small.case"));
  }
  CHECK(unnoticed < 200);
  const int refused = refused_variants(parse_json(header_of(good), "the header"), [&](const Json& bad) {
    const std::string message = read(with_header(good, json_text(bad)));
    if (message.empty()) return;
    REQUIRE_THAT(message, Contains("small.case") && !Contains("json.exception"));
    fail(message);
  });
  CHECK(refused > 300);
}

namespace {

// One volume of 20 x 18 x 16 voxels and its label.
struct SmallData {
  TemporaryFolder folder;
  Dataset data;
  ModelDescription description;

  struct Labels : TargetSource {
    std::vector<Field> targets(const DatasetCase& c, const Geometry& g, const std::vector<std::string>&) const override {
      return {{"label", DataKind::labels, preprocess_label(read_volume(c.label), g, 3, c.label.string())}};
    }
    ForegroundIndex places(const Sample& s) const override { return find_foreground(s.at("label"), Rng(1)); }
  };

  explicit SmallData(int cases) {
    data = {.name = "small", .root = folder.path(), .channel_names = {"MR"}, .labels = {"background", "a", "b"}};
    for (int i = 0; i < cases; ++i) write(i, uint64_t(i));
    description.network = "{}";
    description.channels = {"MR"};
    description.labels = data.labels;
    description.normalization = {{}};
    description.spacing = {1, 0.8, 1.1};
  }
  void write(int i, uint64_t seed) {
    const Sample s = random_sample({20, 18, 16}, 1, seed);
    const std::string id = "case_" + std::to_string(i);
    DatasetCase c{.id = id, .images = {folder / (id + "_0000.nii")}, .label = folder / (id + ".nii")};
    write_volume(c.images[0], {s.image(), Affine::scaling({1, 1, 1})});
    write_volume(c.label, {s.at("label").reshape({20, 18, 16, 1}), Affine::scaling({1, 1, 1})});
    if (size_t(i) == data.cases.size()) data.cases.push_back(c);
  }
  std::vector<std::string> ids() const {
    std::vector<std::string> out;
    for (auto& c : data.cases) out.push_back(c.id);
    return out;
  }
  CaseStore store(bool cached = true, DType t = DType::f32) const {
    return CaseStore(data, description, std::make_shared<Labels>(), {.cache = cached ? folder / "cache" : fs::path(), .cached_image = t});
  }
};

}  // namespace

TEST_CASE("a cache keeps what it has, makes what is missing, damaged or of files that have changed, and holds what memory would") {
  SmallData d(5);
  CaseStore memory = d.store(false);
  CHECK(memory.prepare(d.ids(), 5).made == 5);
  const auto made_and_outdated = [&] {
    const CaseStore::Prepared p = d.store().prepare(d.ids(), 0);
    return std::pair(p.made, p.outdated);
  };
  CHECK(made_and_outdated() == std::pair<size_t, size_t>(5, 0));
  CHECK(made_and_outdated() == std::pair<size_t, size_t>(0, 0));
  fs::remove(d.folder / "cache/case_1.case");
  put_bytes(d.folder / "cache/.partial.case_1.case", "left by a killed process");
  put_bytes(d.folder / "cache/case_3.case", file_bytes(d.folder / "cache/case_3.case").substr(0, 5000));
  CHECK(made_and_outdated() == std::pair<size_t, size_t>(2, 0));
  CaseStore cached = d.store();
  for (const std::string& id : d.ids()) {
    const auto there = cached.open(id), here = memory.get(id);
    REQUIRE(there->stored);
    check_same_part(there->stored->whole(), here->sample, {{0, 0, 0}, here->sample.size()});
    CHECK(there->places.classes[0].voxels == here->places.classes[0].voxels);
    CHECK(cached.get(id)->sample.image().values() == here->sample.image().values());
    CHECK(!cached.get(id)->stored);
  }
  CHECK(CaseCache(d.folder / "cache", d.data, d.description, SmallData::Labels(), DType::f32).file_of("../a b") ==
        d.folder / "cache/%2E.%2Fa%20b.case");
  d.write(2, 77);
  CHECK(made_and_outdated() == std::pair<size_t, size_t>(1, 1));
  CHECK(d.store().open("case_2")->stored->whole().image().values() == d.store(false).get("case_2")->sample.image().values());
}

TEST_CASE("preparing in several threads gives the files of one thread, and says which case cannot be used") {
  SmallData d(6);
  const auto bytes = [&](int threads) {
    const Threads scope(threads);
    fs::remove_all(d.folder / "cache");
    d.store().prepare(d.ids(), 0);
    std::string all;
    for (const std::string& id : d.ids()) all += file_bytes(d.folder / "cache" / (id + ".case"));
    return all;
  };
  CHECK(bytes(1) == bytes(3));
  const Threads scope(3);
  for (int i : {2, 4}) put_bytes(d.data.cases[size_t(i)].images[0], "no volume");
  fs::remove_all(d.folder / "cache");
  for (int i = 0; i < 5; ++i) CHECK_THAT(error_of([&] { d.store().prepare(d.ids(), 0); }), Contains("case_2_0000.nii"));
}

TEST_CASE("a cache of other preprocessing is refused with what differs, and a folder that is none") {
  SmallData d(1);
  d.store().prepare(d.ids(), 0);
  d.description.patch = {8, 8, 8};
  d.description.overlap = 0.3;  // decides nothing of a case
  CHECK_NOTHROW(d.store());
  CHECK_THAT(error_of([&] { d.store(true, DType::f16); }), Contains("image was \"f32\", now it is \"f16\""));
  d.description.spacing[1] = 0.9;
  CHECK_THAT(error_of([&] { d.store(); }), Contains("cache") && Contains("spacing_mm was [1.0,0.8,1.1], now it is [1.0,0.9,1.1]"));
  d.description.spacing[1] = 0.8;
  d.description.crop = true;
  CHECK_THAT(error_of([&] { d.store(); }), Contains("crop was null, now it is true"));
  d.description.crop = false;
  fs::remove(d.folder / "cache/cache.json");
  CHECK_THAT(error_of([&] { d.store(); }), Contains("is no folder of preprocessed cases"));
  put_bytes(d.folder / "cache/cache.json", "{}");
  CHECK_THAT(error_of([&] { d.store(); }), Contains("no cache"));
}
