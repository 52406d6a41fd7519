#include "io/checkpoint.h"

#include <cstring>

#include "tests/catch.h"
#include "tests/temporary_folder.h"

using namespace voxgrad;
using Catch::Matchers::Contains;

namespace {
struct Layer {
  Tensor weight, bias;
  FIELDS(weight, bias)
};
struct Net {
  Layer body, head;
  FIELDS(body, head)
};
Net make_net(double value) {
  const auto layer = [&] { return Layer{Tensor::full({2, 3}, value), Tensor::full({3}, value)}; };
  return {layer(), layer()};
}

// A safetensors file of this header and so many zero bytes.
std::string safetensors(const std::string& header, size_t data) {
  const uint64_t length = header.size();
  return std::string(reinterpret_cast<const char*>(&length), 8) + header + std::string(data, '\0');
}
}  // namespace

TEST_CASE("a checkpoint keeps every dtype, order, shape, name and text") {
  const TemporaryFolder folder;
  Checkpoint c{.metadata = {{"model", "{\"stages\": 5}"}, {"quote \" and é", "line\nbreak"}}};
  int64_t n = 3;
  for (const DType t : {DType::u8, DType::f32, DType::f64, DType::i16, DType::bf16, DType::i32, DType::f16})
    c.tensors.push_back({std::string("z.") + name_of(t), Tensor::from(std::vector<double>(size_t(n * 2), double(n)), {n, 2}, t)}), ++n;
  c.tensors.push_back({"a scalar", Tensor::scalar(-7)});
  c.tensors.push_back({"nothing", Tensor::empty({0, 4})});
  save_checkpoint(folder / "c.safetensors", c);
  const Checkpoint back = load_checkpoint(folder / "c.safetensors");
  CHECK(back.metadata == c.metadata);
  CHECK(load_metadata(folder / "c.safetensors") == c.metadata);
  REQUIRE(back.tensors.size() == c.tensors.size());
  for (size_t i = 0; i < c.tensors.size(); ++i) {
    CHECK(back.tensors[i].name == c.tensors[i].name);
    CHECK(back.tensors[i].tensor.dtype() == c.tensors[i].tensor.dtype());
    CHECK(back.tensors[i].tensor.shape() == c.tensors[i].tensor.shape());
    CHECK(back.tensors[i].tensor.values() == c.tensors[i].tensor.values());
  }
  CHECK(back.find("a scalar")->item() == -7);
  CHECK(back.find("absent") == nullptr);
  CHECK(folder.files() == 1);
  // The format: a length, then JSON padded to 8 bytes.
  const std::string bytes = file_bytes(folder / "c.safetensors");
  uint64_t length;
  std::memcpy(&length, bytes.data(), 8);
  CHECK(length % 8 == 0);
  CHECK(bytes[8] == '{');
}

TEST_CASE("checkpoints of other programs: integers of 8 bytes and truth values") {
  const TemporaryFolder folder;
  std::string bytes =
      safetensors(R"({"n":{"dtype":"I64","shape":[2],"data_offsets":[0,16]},"b":{"dtype":"BOOL","shape":[2],"data_offsets":[16,18]}})", 18);
  bytes[bytes.size() - 18] = 5, bytes[bytes.size() - 1] = 1;
  put_bytes(folder / "c", bytes);
  const Checkpoint c = load_checkpoint(folder / "c");
  CHECK(c.find("n")->dtype() == DType::i64);
  CHECK(c.find("n")->values() == std::vector<double>{5, 0});
  CHECK(c.find("b")->values() == std::vector<double>{0, 1});
  const Tensor n = Tensor::zeros({2}, DType::i32);
  assign({{"n", n}}, c, {.strict = false});
  CHECK(n.values() == std::vector<double>{5, 0});
  bytes[bytes.size() - 3] = 1;  // 2^56 does not fit i32
  put_bytes(folder / "c", bytes);
  const Checkpoint large = load_checkpoint(folder / "c");
  CHECK(large.find("n")->values() == std::vector<double>{5, 0x1p56});
  CHECK_THAT(error_of([&] { assign({{"n", n}}, large, {.strict = false}); }), Contains("n (i64 {2}, wanted i32 {2})"));
  save_checkpoint(folder / "d", large);
  CHECK(load_checkpoint(folder / "d").find("n")->to_vector<int64_t>() == std::vector<int64_t>{5, int64_t(1) << 56});
}

TEST_CASE("a checkpoint file that is not right is refused with its reason") {
  const TemporaryFolder folder;
  const auto error = [&](const std::string& bytes) {
    put_bytes(folder / "bad", bytes);
    return error_of([&] { load_checkpoint(folder / "bad"); });
  };
  const auto tensor = [](const char* dtype, const char* shape, const char* offsets, size_t data) {
    return safetensors(std::string("{\"w\":{\"dtype\":\"") + dtype + "\",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}}", data);
  };
  CHECK(error(tensor("F32", "[2,2]", "[0,16]", 16)).empty());
  CHECK_THAT(error(""), Contains("too few"));
  CHECK_THAT(error(std::string("\xff\xff\xff\xff\xff\xff\xff\x7f{}", 10)), Contains("9223372036854775807"));
  CHECK_THAT(error(safetensors("{", 0)), Contains("JSON"));
  CHECK_THAT(error(safetensors("[]", 0)), Contains("does not start with {"));
  CHECK_THAT(error(tensor("F8_E4M3", "[4]", "[0,4]", 4)), Contains("F8_E4M3"));
  CHECK_THAT(error(tensor("F32", "[2,2]", "[0,12]", 12)), Contains("do not hold the 16 bytes"));
  CHECK_THAT(error(tensor("F32", "[2,2]", "[0,16]", 15)), Contains("truncated"));
  CHECK_THAT(error(tensor("F32", "[2,2]", "[0,16]", 17)), Contains("changed"));
  CHECK_THAT(error(tensor("F32", "[2,2]", "[4,20]", 20)), Contains("gaps"));
  CHECK_THAT(error(tensor("F32", "[2,2]", "[16,0]", 16)), Contains("data_offsets"));
  CHECK_THAT(error(tensor("F32", "[4294967296,4294967296]", "[0,0]", 0)), Contains("not possible"));
  CHECK_THAT(error(tensor("F32", "[-1]", "[0,0]", 0)), Contains("integer"));
  CHECK_THAT(error(tensor("F32", "[1.5]", "[0,0]", 0)), Contains("integer"));
  CHECK_THAT(error(tensor("F32", "[1,1,1,1,1,1,1,1,1]", "[0,4]", 4)), Contains("9 axes"));
  const char* one = R"("dtype":"U8","shape":[4],"data_offsets":)";
  CHECK_THAT(error(safetensors(std::string("{\"a\":{") + one + "[0,4]},\"b\":{" + one + "[2,6]}}", 6)), Contains("overlap"));
  CHECK_THAT(error(safetensors(std::string("{\"a\":{") + one + "[0,4]},\"a\":{" + one + "[4,8]}}", 8)), Contains("twice"));
  CHECK_THAT(error(safetensors(R"({"__metadata__":{"a":1}})", 0)), Contains("not text"));
  CHECK_THAT(error(safetensors(R"({"a":{"dtype":"U8"}})", 0)), Contains("wanted dtype, shape"));
  CHECK_THAT(error(safetensors("{\"a\":" + std::string(100000, '['), 0)), Contains("deep"));
  // No changed byte and no truncation ends the program.
  const std::string good = tensor("F32", "[2,2]", "[0,16]", 16);
  for (size_t i = 0; i < good.size(); ++i) {
    for (const char c : {'\0', '9', '\xff', '}'}) {
      std::string changed = good;
      changed[i] = c;
      error(changed);
    }
    REQUIRE_FALSE(error(good.substr(0, i)).empty());
  }
}

TEST_CASE("a full disk leaves the checkpoint that was there") {
  const TemporaryFolder folder;
  save_checkpoint(folder / "c", {.tensors = {{"w", Tensor::full({10}, 1)}}});
  {
    const FullDisk full(4096);
    CHECK_THAT(error_of([&] { save_checkpoint(folder / "c", {.tensors = {{"w", Tensor::full({100000}, 2)}}}); }), Contains("cannot write"));
  }
  CHECK(folder.files() == 1);
  CHECK(load_checkpoint(folder / "c").find("w")->values() == std::vector<double>(10, 1));
  CHECK_THAT(error_of([&] {
               save_checkpoint(folder / "c", {.tensors = {{"w", Tensor::scalar(1)}, {"w", Tensor::scalar(2)}}});
             }),
             Contains("taken"));
}

TEST_CASE("load_into fills a module by name") {
  Net from = make_net(3), into = make_net(0);
  into.head.bias.require_grad();
  const Tensor shared = into.body.weight;
  const LoadReport report = load_into(into, {.tensors = state_of(from)});
  CHECK(report.loaded.size() == 4);
  CHECK(shared.values() == std::vector<double>(6, 3));  // in place
  CHECK(into.head.bias.requires_grad());
  CHECK(into.head.bias.values() == std::vector<double>(3, 3));

  // With a prefix other tensors of the file are not meant; floating dtypes convert.
  Checkpoint c{.tensors = state_of(from, "net")};
  for (auto& p : c.tensors) p.tensor = p.tensor.to(DType::bf16);
  c.tensors.push_back({"optimizer.step", Tensor::scalar(1)});
  into = make_net(0);
  CHECK(load_into(into, c, {.prefix = "net."}).loaded.size() == 4);
  CHECK(into.body.bias.values() == std::vector<double>(3, 3));
}

TEST_CASE("load_into says all that does not fit in one error and changes nothing") {
  Net from = make_net(3), into = make_net(0);
  from.head = {Tensor::full({5, 3}, 3), Tensor()};
  Checkpoint c{.tensors = state_of(from)};
  c.tensors.push_back({"tail.weight", Tensor::scalar(1)});
  CHECK_THAT(error_of([&] { load_into(into, c); }), Contains("head.weight (f32 {5, 3}, wanted f32 {2, 3})") &&
                                                        Contains("missing: head.bias") && Contains("unexpected: tail.weight"));
  CHECK(into.body.weight.values() == std::vector<double>(6, 0));
  CHECK_FALSE(error_of([&] { load_into(into, c, {.strict = false}); }).empty());  // a wrong shape always is an error

  const LoadReport report = load_into(into, c, {.skip = {"head."}, .strict = false});
  CHECK(report.loaded == std::vector<std::string>{"body.weight", "body.bias"});
  CHECK(report.missing.empty());
  CHECK(report.unexpected == std::vector<std::string>{"tail.weight"});
  CHECK(into.body.weight.values() == std::vector<double>(6, 3));
  CHECK(into.head.weight.values() == std::vector<double>(6, 0));
  c.tensors[0].tensor = c.tensors[0].tensor.to(DType::i32);
  CHECK_THAT(error_of([&] { load_into(into, c, {.skip = {"head."}, .strict = false}); }), Contains("body.weight (i32"));
}
