#include "io/weights/weights.h"

#include "io/checkpoint.h"
#include "tests/catch.h"
#include "tests/temporary_folder.h"

using namespace voxgrad;
using Catch::Matchers::Contains;

namespace {
void put_shards(const TemporaryFolder& folder, const std::string& map) {
  save_checkpoint(folder / "one.safetensors", {.tensors = {{"a", Tensor::full({2, 3}, 1)}, {"b", Tensor::full({4}, 2)}}});
  save_checkpoint(folder / "two.safetensors", {.tensors = {{"c", Tensor::full({1}, 3, DType::bf16)}}});
  put_bytes(folder / "model.safetensors.index.json", "{\"metadata\": {\"total_size\": 42}, \"weight_map\": {" + map + "}}");
}
}  // namespace

TEST_CASE("weights in several files are read by their index, or by the folder of it") {
  const TemporaryFolder folder;
  put_shards(folder, R"("c": "two.safetensors", "a": "one.safetensors", "b": "one.safetensors")");
  for (const auto& path : {folder.path(), folder / "model.safetensors.index.json"}) {
    CHECK(is_weights(path));
    const auto w = open_weights(path);
    REQUIRE(w->list().size() == 3);
    CHECK(w->kind() == "2 files of safetensors");
    CHECK(w->list()[0].name == "c");
    CHECK(w->list()[0].dtype == "bf16");
    CHECK(w->list()[1].shape == Shape{2, 3});
    CHECK(w->load(0).values() == std::vector<double>{3});
    CHECK(w->load(2).values() == std::vector<double>{2, 2, 2, 2});
  }
}

TEST_CASE("an index that leads elsewhere or says what is not so is refused") {
  const auto refusal = [](const std::string& map) {
    const TemporaryFolder folder;
    put_shards(folder, map);
    return error_of([&] { open_weights(folder.path()); });
  };
  CHECK_THAT(refusal(R"("a": "../one.safetensors")"), Contains("is not beside it"));
  CHECK_THAT(refusal(R"("a": "/etc/passwd")"), Contains("is not beside it"));
  CHECK_THAT(refusal(R"("a": "..")"), Contains("is not beside it"));
  CHECK_THAT(refusal(R"("a": 3)"), Contains("the file of a is 3"));
  CHECK_THAT(refusal(R"("a": "two.safetensors")"), Contains("says that a is in two.safetensors, but it is not"));
  CHECK_THAT(refusal(R"("a": "three.safetensors")"), Contains("three.safetensors: No such file"));
  CHECK_THAT(refusal(R"("a": "model.safetensors.index.json")"), Contains("names the index"));
}

TEST_CASE("weights are told apart by what is in the file, not by its name") {
  const TemporaryFolder folder;
  save_checkpoint(folder / "model.pth", {.tensors = {{"a", Tensor::full({2}, 1)}}, .metadata = {{"k", "v"}}});
  CHECK(is_weights(folder / "model.pth"));
  const auto w = open_weights(folder / "model.pth");
  CHECK(w->kind() == "safetensors");
  CHECK(w->metadata().at("k") == "v");
  put_bytes(folder / "image.nii", std::string(400, '\1'));
  CHECK_FALSE(is_weights(folder / "image.nii"));
  CHECK_THAT(error_of([&] { open_weights(folder / "image.nii"); }), Contains("neither a safetensors file nor one that torch.save wrote"));
}

TEST_CASE("what stands for a file of weights is named for what it is") {
  const TemporaryFolder folder;
  const auto refusal = [&](const char* name, const std::string& text) {
    put_bytes(folder / name, text);
    return error_of([&] { load_checkpoint(folder / name); });
  };
  CHECK_THAT(refusal("a.safetensors", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n"), Contains("git lfs pull"));
  CHECK_THAT(refusal("b.safetensors", "<!DOCTYPE html><html><body>Sign in</body></html>"), Contains("is a page of the web"));
  CHECK_THAT(refusal("c.safetensors", std::string(40, '\7')), Contains("it is truncated or no safetensors file"));
}
