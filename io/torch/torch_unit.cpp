#include "io/torch/torch_file.h"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <iostream>

#include "core/memory/memory.h"
#include "tests/catch.h"
#include "tests/outside_data.h"
#include "tests/temporary_folder.h"
#include "tests/torch_pickles.h"

using namespace voxgrad;
using namespace voxgrad::pickles;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {
// What reading a checkpoint with this pickle and one storage of six f32 gives.
TorchFile opened(const TemporaryFolder& folder, const std::string& pickle, const std::string& storage = kSix) {
  put_zip(folder / "a.pt", {{"a/data.pkl", pickle}, {"a/data/0", storage}});
  return TorchFile(folder / "a.pt");
}
std::string torch_refusal(const std::string& pickle, const std::string& storage = kSix) {
  const TemporaryFolder folder;
  return error_of([&] {
    const TorchFile file = opened(folder, pickle, storage);
    for (auto& e : file.tensors()) file.load(*e.value, e.name);
  });
}
}  // namespace

TEST_CASE("tensors of a zip checkpoint: names, views, strides, parameters, empty ones and scalars") {
  const TemporaryFolder folder;
  const std::string parameter =
      named("torch._utils", "_rebuild_parameter") + tuple(tensor({}) + "\x88" + named("collections", "OrderedDict") + ")R") + "R";
  const TorchFile file = opened(
      folder,
      pickled(dict(text("epoch") + whole(7) + text("net") + named("collections", "OrderedDict") + ")R(" + text("a.weight") + tensor({}) +
                   text("turned") + tensor({.shape = {3, 2}, .strides = {1, 3}}) + text("tail") +
                   tensor({.offset = 4, .shape = {2}, .strides = {1}}) + text("none") + tensor({.shape = {0, 4}, .strides = {4, 1}}) +
                   text("scalar") + tensor({.offset = 5, .shape = {}, .strides = {}}) + "u" + text("list") + "](" + parameter + "e")));
  std::vector<std::string> names;
  for (auto& e : file.tensors()) names.push_back(e.name);
  CHECK(names == std::vector<std::string>{"net.a.weight", "net.turned", "net.tail", "net.none", "net.scalar", "list.0"});
  const auto value = [&](size_t i) { return file.load(*file.tensors()[i].value, names[i]); };
  CHECK(value(0).shape() == Shape{2, 3});
  CHECK(value(0).values() == std::vector<double>{0, 1, 2, 3, 4, 5});
  CHECK(value(1).values() == std::vector<double>{0, 3, 1, 4, 2, 5});
  CHECK(value(2).values() == std::vector<double>{4, 5});
  CHECK(value(3).shape() == Shape{0, 4});
  CHECK(value(4).item() == 5);
  CHECK(value(5).shape() == Shape{2, 3});
  CHECK(file.number(*file.root().find("epoch"), "epoch") == 7);
  CHECK_THAT(error_of([&] { file.load(*file.root().find("epoch"), "epoch"); }), Contains("epoch: is an integer, wanted a tensor"));
  CHECK_THAT(error_of([&] { file.text(*file.root().find("epoch"), "epoch"); }), Contains("wanted a str"));
}

TEST_CASE("every dtype that there is here, and the others by name") {
  struct {
    const char* type;
    DType dtype;
    std::string bytes;
    double value;
  } const kinds[] = {{"DoubleStorage", DType::f64, little(0x4004000000000000, 8), 2.5},
                     {"HalfStorage", DType::f16, little(0x4100, 2), 2.5},
                     {"BFloat16Storage", DType::bf16, little(0x4020, 2), 2.5},
                     {"ByteStorage", DType::u8, little(200, 1), 200},
                     {"BoolStorage", DType::u8, little(1, 1), 1},
                     {"ShortStorage", DType::i16, little(0xfffe, 2), -2},
                     {"IntStorage", DType::i32, little(0xfffffffe, 4), -2},
                     {"LongStorage", DType::i64, little(~uint64_t(1), 8), -2}};
  for (auto& k : kinds) {
    CAPTURE(k.type);
    const TemporaryFolder folder;
    const std::string pickle = pickled(dict(text("x") + tensor({.type = k.type, .count = 1, .shape = {1}, .strides = {1}})));
    const TorchFile file = opened(folder, pickle, k.bytes);
    const Tensor x = file.load(*file.tensors().at(0).value, "x");
    CHECK(x.dtype() == k.dtype);
    CHECK(x.values() == std::vector<double>{k.value});
    // The other byte order.
    const std::string reversed(k.bytes.rbegin(), k.bytes.rend());
    put_zip(folder / "b.pt", {{"b/data.pkl", pickle}, {"b/byteorder", "big"}, {"b/data/0", reversed}});
    const TorchFile big(folder / "b.pt");
    CHECK(big.load(*big.tensors().at(0).value, "x").values() == std::vector<double>{k.value});
  }
  const std::string odd = pickled(dict(text("x") + tensor({.type = "CharStorage", .count = 1, .shape = {1}, .strides = {1}})));
  CHECK_THAT(torch_refusal(odd, "a"), Contains("x: is of torch.CharStorage"));
}

TEST_CASE("objects of other classes are kept by name, and refused by it where they are asked for") {
  const TemporaryFolder folder;
  const std::string hostile = named("os", "system") + tuple(text("touch " + (folder / "run").string())) + "R";
  const TorchFile file = opened(folder, pickled(dict(text("evil") + hostile + text("x") + tensor({}))));
  REQUIRE(file.tensors().size() == 1);
  CHECK(file.tensors()[0].name == "x");
  CHECK_THAT(error_of([&] { file.load(*file.root().find("evil"), "evil"); }), Contains("evil: is an object of os.system, wanted a tensor"));
  CHECK_FALSE(fs::exists(folder / "run"));
}

TEST_CASE("integers of more than 64 bits are no tensors") {
  const TemporaryFolder folder;
  const std::string large = "\x8a\x09" + std::string(9, '\x01'), filled = "\x8a\x09" + std::string(9, '\x01') + "(N\x65";
  const TorchFile file = opened(folder, pickled(dict(text("n") + large + text("m") + filled + text("x") + tensor({}))));
  CHECK(file.tensors().size() == 1);
  CHECK_THAT(error_of([&] { file.load(*file.root().find("n"), "n"); }), Contains("an integer of more than 64 bits, wanted a tensor"));
}

TEST_CASE("the stream that PyTorch wrote before 1.6") {
  const TemporaryFolder folder;
  const std::string keys = "](" + text("0") + text("1") + "e";
  const std::string storages = little(6, 8) + kSix + little(2, 8) + little(7, 8) + little(9, 8);
  const std::string value = dict(text("a") + tensor({}, true) + text("b") +
                                 tensor({.key = "1", .type = "LongStorage", .count = 2, .shape = {2}, .strides = {1}}, true));
  const std::string whole_file = stream_of(value, keys, storages);
  put_bytes(folder / "s.pth", whole_file);
  const TorchFile file(folder / "s.pth");
  REQUIRE(file.tensors().size() == 2);
  CHECK(file.load(*file.tensors()[0].value, "a").values() == std::vector<double>{0, 1, 2, 3, 4, 5});
  CHECK(file.load(*file.tensors()[1].value, "b").values() == std::vector<double>{7, 9});
  for (size_t n = 0; n < whole_file.size(); ++n) {
    put_bytes(folder / "t.pth", whole_file.substr(0, n));
    CHECK_FALSE(error_of([&] { TorchFile cut(folder / "t.pth"); }).empty());
  }
  put_bytes(folder / "t.pth", stream_of(value, keys, little(uint64_t(1) << 61, 8) + kSix + little(2, 8) + std::string(16, 'x')));
  CHECK_THAT(error_of([&] { TorchFile lies(folder / "t.pth"); }), Contains("announces 2305843009213693952 elements where 6 are wanted"));
}

TEST_CASE("checkpoints that are damaged or lie are one Error") {
  CHECK_THAT(torch_refusal(pickled(dict(text("x") + tensor({.offset = 1})))), Contains("x: the tensor reaches beyond the 6 elements"));
  CHECK_THAT(torch_refusal(pickled(dict(text("x") + tensor({.strides = {int64_t(1) << 62, 1}})))), Contains("beyond"));
  CHECK_THAT(torch_refusal(pickled(dict(text("x") + tensor({.shape = {int64_t(1) << 40, 1 << 30}, .strides = {0, 0}})))),
             Contains("reaches beyond"));
  CHECK_THAT(torch_refusal(pickled(dict(text("x") + tensor({.shape = {1 << 30}, .strides = {0}})))), Contains("it was expanded"));
  CHECK_THAT(torch_refusal(pickled(dict(text("x") + tensor({.count = int64_t(1) << 50})))),
             Contains("its storage has 24 bytes, wanted are"));
  CHECK_THAT(torch_refusal(pickled(dict(text("x") + tensor({.strides = {-3, 1}})))), Contains("a stride of the tensor is -3"));
  CHECK_THAT(torch_refusal(pickled(dict(text("x") + tensor({.key = "../../x"})))), Contains("data/../../x is not in the file"));
  CHECK_THAT(torch_refusal(pickled(dict(text("x") + tensor({.shape = std::vector<int64_t>(9, 1), .strides = std::vector<int64_t>(9, 1)})))),
             Contains("has 9 axes"));
  CHECK_THAT(torch_refusal("\x80\x02"
                     "Ptext\n."),
             Contains("opcode 0x50"));
  CHECK_THAT(torch_refusal("\x80\x06."), Contains("protocol 6"));
  CHECK_THAT(torch_refusal("\x80\x02"
                     "X" +
                     little(0xffffffff, 4) + "a."),
             Contains("is cut off"));
  CHECK_THAT(torch_refusal("\x80\x02"
                     "h\x05."),
             Contains("recalls value 5"));
  CHECK_THAT(torch_refusal("\x80\x02t."), Contains("a mark is not there"));
  CHECK_THAT(torch_refusal("\x80\x02."), Contains("malformed"));
  CHECK_THAT(torch_refusal("\x80\x02r" + little(0xffffffff, 4) + "."), !Contains("recalls"));
  // A list that holds itself; a nest; and one in which every list holds the last one twice.
  CHECK_THAT(torch_refusal("\x80\x02]q" + little(0, 1) + "h" + little(0, 1) + "a."), Contains("one that holds itself"));
  CHECK_THAT(torch_refusal("\x80\x02" + std::string(100000, ']') + std::string(99999, 'a') + "."), Contains("in more than 64 containers"));
  std::string laughs = "\x80\x02]";
  for (int i = 0; i < 60; ++i) laughs += "q" + little(uint64_t(i), 1) + "](h" + little(uint64_t(i), 1) + "h" + little(uint64_t(i), 1) + "e";
  CHECK_THAT(torch_refusal(laughs + "."), Contains("counting those that are shared each time"));
}

TEST_CASE("files that PyTorch wrote and that are no checkpoints of tensors are refused by what they are") {
  const TemporaryFolder folder;
  const auto refused = [&](const char* name) { return error_of([&] { TorchFile file(folder / name); }); };
  put_zip(folder / "script.pt", {{"a/data.pkl", pickled("N")}, {"a/constants.pkl", pickled("N")}, {"a/code/x.py", ""}});
  CHECK_THAT(refused("script.pt"), Contains("is a TorchScript archive"));
  put_zip(folder / "two.pt", {{"a/data.pkl", pickled("N")}, {"b/data.pkl", pickled("N")}});
  CHECK_THAT(refused("two.pt"), Contains("has two pickles"));
  put_zip(folder / "twice.pt", {{"a/data.pkl", pickled("N")}, {"a/data.pkl", pickled("N")}});
  CHECK_FALSE(refused("twice.pt").empty());
  put_zip(folder / "none.pt", {{"a/data", "x"}});
  CHECK_THAT(refused("none.pt"), Contains("without a data.pkl"));
  std::string tar(512, '\0');
  std::memcpy(tar.data() + 257, "ustar", 5);
  put_bytes(folder / "old.pt", tar);
  CHECK_THAT(refused("old.pt"), Contains("PyTorch before 0.1.10"));
  put_bytes(folder / "text.pt", "hello");
  CHECK_THAT(refused("text.pt"), Contains("is no file that torch.save wrote"));
  // One byte after the other is another one: a result or an Error, and no memory that the file does not bear out.
  const std::string good = [&] {
    put_zip(folder / "good.pt", {{"a/data.pkl", pickled(dict(text("x") + tensor({})))}, {"a/data/0", kSix}});
    return file_bytes(folder / "good.pt");
  }();
  for (size_t i = 0; i < good.size(); ++i)
    for (const char by : {'\x00', '\xff', '\x7f', '('}) {
      std::string bad = good;
      bad[i] = by;
      put_bytes(folder / "bad.pt", bad);
      reset_peak_memory(Device{});
      error_of([&] {
        const TorchFile file(folder / "bad.pt");
        for (auto& e : file.tensors()) file.load(*e.value, e.name);
      });
      REQUIRE(memory_stats(Device{}).peak < memory_stats(Device{}).in_use + (1 << 20));
    }
}

TEST_CASE("checkpoints that others wrote") {
  if (const fs::path folder = outside_data("torch_pt_candle/candle-core/tests"); !folder.empty()) {
    const TorchFile plain(folder / "test.pt"), keyed(folder / "test_with_key.pt"), turned(folder / "fortran_tensor_3d.pth");
    CHECK(plain.tensors().at(0).name == "test");
    CHECK(keyed.tensors().at(0).name == "model_state_dict.test");
    std::vector<double> counted(24);
    for (size_t i = 0; i < counted.size(); ++i) counted[i] = double(i + 1);
    CHECK(turned.tensors().at(0).shape == Shape{2, 3, 4});
    CHECK(turned.load(*turned.tensors().at(0).value, "x").values() == counted);
  }
  if (const fs::path folder = outside_data("brainchop"); !folder.empty()) {
    const TorchFile file(folder / "meshnet_batchnorm.pth");
    const auto all = file.tensors();
    REQUIRE(all.size() == 65);
    CHECK(all[6].name == "model.0.bnorm.num_batches_tracked");
    CHECK(all[6].dtype == "i64");
    CHECK(all[63].name == "model.9.weight");
    CHECK(all[63].shape == Shape{3, 5, 1, 1, 1});
    for (auto& e : all) CHECK_FALSE(std::isnan(file.load(*e.value, e.name).values().at(0)));
  }
}
