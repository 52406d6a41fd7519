// Headers and documents in which one thing after another is replaced by something hostile: every reader gives a result or one Error, and
// asks for no memory that the file does not bear out.
#include <cstring>
#include <limits>

#include "core/config/json_values.h"
#include "core/memory/memory.h"
#include "io/checkpoint.h"
#include "data/dataset.h"
#include "io/image.h"
#include "io/json_file.h"
#include "tests/catch.h"
#include "tests/hostile_json.h"
#include "tests/temporary_folder.h"
#include "train/config.h"
#include "infer/model_file.h"
#include "models/model_registry.h"
#include "train/plan.h"

using namespace voxgrad;
using Catch::Matchers::Contains;

namespace {

// `text` with each of its words in turn replaced by each of these.
template <class Read>
int refused_words(const std::string& text, Read&& read) {
  int refused = 0;
  for (size_t at = text.find_first_not_of(" \n"); at != text.npos;) {
    const size_t end = text.find_first_of(" \n(),", at);
    for (const char* word :
         {"", "-1", "0", "1e308", "nan", "99999", "2147483648", "9223372036854775807", "99999999999999999999", "x", "("}) {
      std::string bad = text;
      bad.replace(at, end - at, word);
      CAPTURE(bad);
      reset_peak_memory(Device{});
      const size_t before = memory_stats(Device{}).in_use;
      refused += !error_of([&] { read(bad); }).empty();
      REQUIRE(memory_stats(Device{}).peak - before < kMostMemory);
    }
    at = text.find_first_not_of(" \n(),", end);
  }
  return refused;
}

Model small_model() {
  Dataset d;
  d.channel_names = {"MRI"}, d.labels = {"background", "organ"};
  TrainConfig config;
  apply_assignments(config, {"network.base_features=4", "network.stages=2", "train.patch=[8,8,8]"});
  const ModelDescription description =
      plan(d, {.extents = {{8, 8, 8}}, .spacings = {{1, 1, 1}}, .foreground = {{"ct", 50, 20, -10, 200}}}, config, d.labels);
  Rng rng(1);
  return {build_network(parse_json(description.network, "plan"), rng), description};
}

}  // namespace

TEST_CASE("hostile metadata of a model are refused by the name of the file") {
  const TemporaryFolder folder;
  Model m = small_model();
  Checkpoint c = checkpoint_of(m.net, m.description);
  const auto read = [&](const std::string& metadata) {
    c.metadata["voxgrad.model"] = metadata;
    save_checkpoint(folder / "m.safetensors", c);
    load_model(folder / "m.safetensors");
  };
  const Json good = to_json(m.description);
  read(good.dump());
  const int refused = refused_variants(good, [&](const Json& bad) {
    const std::string message = error_of([&] { read(bad.dump()); });
    REQUIRE((message.empty() || message.starts_with((folder / "m.safetensors").string())));
    REQUIRE_THAT(message, !Contains("json.exception"));
    if (!message.empty()) fail(message);
  });
  CHECK(refused > 500);
  // A network of 1e11 weights, or of 1e8 layers, is not built to find that the file has not got them.
  for (const char* change : {R"({"network": {"features": [100000, 100000]}})", R"({"network": {"encoder_depth": [100000000, 2]}})",
                             R"({"network": {"kernels": [[3, 3, 3], [9999, 9999, 9999]]}})"}) {
    Json bad = good;
    bad.merge_patch(Json::parse(change));
    CHECK_THAT(error_of([&] { read(bad.dump()); }), Contains("m.safetensors") && Contains("at least"));
  }
  Json bad = good;
  bad["nan"] = "maybe";
  CHECK_THAT(error_of([&] { read(bad.dump()); }), Contains("maybe") && Contains("refuse or zero"));
  const std::string text = good.dump();
  for (size_t i = 0; i < text.size(); ++i) CHECK_FALSE(error_of([&] { read(text.substr(0, i)); }).empty());
}

TEST_CASE("hostile dataset.json and configurations are refused") {
  const TemporaryFolder folder;
  put_bytes(folder / "a.nii", ""), put_bytes(folder / "b.nii", "");
  const Json sets[] = {
      Json::parse(R"({"name": "n", "modality": {"0": "CT"}, "labels": {"0": "background", "1": "organ"}, "file_ending": ".nii",
                                       "training": [{"image": "a.nii", "label": "b.nii"}], "test": ["a.nii"]})"),
      Json::parse(R"({"channel_names": {"0": "CT"}, "labels": {"background": 0, "organ": 1},
                                       "dataset": {"c": {"images": ["a.nii"], "label": "b.nii"}}, "file_ending": ".nii"})")};
  for (const Json& good : sets) {
    const int refused = refused_variants(good, [&](const Json& bad) {
      write_json(folder / "dataset.json", bad);
      read_dataset(folder.path());
    });
    CHECK(refused > 100);
  }
  const int refused = refused_variants(to_json(TrainConfig{}), [](const Json& bad) {
    TrainConfig config;
    apply_json(config, bad, "c.json");
  });
  CHECK(refused > 500);
}

TEST_CASE("hostile words in the headers of NRRD and MetaImage files") {
  const TemporaryFolder folder;
  const std::string nrrd =
      "NRRD0004\ntype: short\ndimension: 4\nsizes: 2 3 4 5\nspace: left-posterior-superior\nspace directions: none (1,0,0) (0,1,0) "
      "(0,0,2)\n"
      "space origin: (1,2,3)\nkinds: vector domain domain domain\nendian: little\nencoding: raw\n";
  const auto nrrd_reader = [&](const std::string& header) {
    put_bytes(folder / "h.nrrd", header + "\n" + std::string(240, 'a'));
    read_volume(folder / "h.nrrd");
  };
  nrrd_reader(nrrd);
  CHECK(refused_words(nrrd, nrrd_reader) > 150);
  const std::string meta =
      "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\nCompressedData = False\nCompressedDataSize = 120\n"
      "TransformMatrix = 1 0 0 0 1 0 0 0 1\nOffset = 1 2 3\nElementSpacing = 1 1 2\nDimSize = 3 4 5\nElementNumberOfChannels = 1\n"
      "ElementType = MET_SHORT\nHeaderSize = 0\nElementDataFile = LOCAL\n";
  const auto meta_reader = [&](const std::string& header) {
    put_bytes(folder / "h.mha", header + std::string(120, 'a'));
    read_volume(folder / "h.mha");
  };
  meta_reader(meta);
  CHECK(refused_words(meta, meta_reader) > 100);
}

TEST_CASE("hostile words in the header of a NumPy array") {
  const TemporaryFolder folder;
  const auto read = [&](const std::string& header) {
    const std::string text = header + std::string(117 - header.size() % 64, ' ') + "\n";
    const uint16_t length = uint16_t(text.size());
    std::string file = "\x93NUMPY";
    file += {'\1', '\0', char(length & 255), char(length >> 8)};
    put_bytes(folder / "a.npy", file + text + std::string(96, 'a'));
    read_volume(folder / "a.npy");
  };
  const std::string good = "{ 'descr': '<f4', 'fortran_order': False, 'shape': ( 2, 3, 4), }";
  read(good);
  CHECK(refused_words(good, read) > 50);
}

namespace {
// The files of a folder with each field of the header of one in turn replaced by each of these values.
int refused_fields(const TemporaryFolder& folder, const char* name, size_t header) {
  const std::string good = file_bytes(folder / name);
  read_volume(folder / name);
  int refused = 0;
  const auto attempt = [&](size_t at, const auto& value) {
    std::string bad = good;
    std::memcpy(bad.data() + at, &value, sizeof value);
    put_bytes(folder / name, bad);
    CAPTURE(at, value);
    reset_peak_memory(Device{});
    const size_t before = memory_stats(Device{}).in_use;
    const std::string message = error_of([&] { read_volume(folder / name); });
    REQUIRE((message.empty() || message.starts_with(folder.path().string())));
    REQUIRE(memory_stats(Device{}).peak - before < kMostMemory);
    refused += !message.empty();
  };
  for (size_t at = 0; at + 8 <= header; at += 2) {
    for (const int16_t v : {0, -1, 1, 256, 32767, -32768}) attempt(at, v);
    for (const int64_t v : {std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::min(), int64_t(1) << 32}) attempt(at, v);
    for (const float v : {NAN, INFINITY, -1e30f, 1e-40f}) attempt(at, v);
    for (const double v : {double(NAN), 1e300}) attempt(at, v);
  }
  return refused;
}
}  // namespace

TEST_CASE("hostile fields in the headers of NIfTI, Analyze and MGH files") {
  const TemporaryFolder folder;
  for (const Shape& shape : {Shape{3, 4, 5, 1}, Shape{1, 1, 40000, 1}}) {  // NIfTI-1 and -2
    write_volume(folder / "v.nii", {Tensor::zeros(shape, DType::i16), Affine::scaling({1, 2, 3})});
    CHECK(refused_fields(folder, "v.nii", shape[2] > 32767 ? 540 : 348) > 100);
  }
  write_volume(folder / "v.mgh", {Tensor::zeros({3, 4, 5, 1}, DType::i16), Affine::scaling({1, 2, 3})});
  CHECK(refused_fields(folder, "v.mgh", 284) > 50);
  write_volume(folder / "v.nii", {Tensor::zeros({3, 4, 5, 1}, DType::i16), Affine::scaling({1, 2, 3})});
  const std::string nifti = file_bytes(folder / "v.nii"), zeros(4, '\0');
  put_bytes(folder / "w.hdr", nifti.substr(0, 108) + zeros + nifti.substr(112, 232) + zeros);  // without its mark, voxels from 0 on
  put_bytes(folder / "w.img", nifti.substr(352));
  CHECK(refused_fields(folder, "w.hdr", 348) > 50);
}
