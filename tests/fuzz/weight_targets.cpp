#include "io/checkpoint.h"
#include "io/torch/torch_file.h"
#include "io/weights/weights.h"
#include "tests/fuzz/fuzz.h"
#include "tests/temporary_folder.h"
#include "tests/torch_pickles.h"

namespace voxgrad {
namespace {
using namespace pickles;

// Every tensor of it, loaded.
void read_weights(const std::string& file, const std::string& bytes) {
  put_bytes(fuzz_file(file), bytes);
  const auto weights = open_weights(fuzz_file(file));
  for (size_t i = 0; i < weights->list().size(); ++i) weights->load(i);
}

std::string zipped(const std::vector<std::pair<std::string, std::string>>& files) {
  put_zip(fuzz_file("seed.pt"), files);
  return file_bytes(fuzz_file("seed.pt"));
}

std::vector<std::string> pickle_seeds() {
  const std::string ordered = named("collections", "OrderedDict") + ")R";
  const std::string parameter = named("torch._utils", "_rebuild_parameter") + tuple(tensor({}) + "\x88" + ordered) + "R";
  return {pickled(dict(text("a") + tensor({}) + text("b") + tensor({.offset = 4, .shape = {2}, .strides = {1}}))),
          pickled(dict(text("epoch") + whole(7) + text("net") + ordered + "(" + text("turned") +
                       tensor({.shape = {3, 2}, .strides = {1, 3}}) + "u" + text("list") + "](" + parameter + "e")),
          pickled(dict(text("empty") + tensor({.shape = {0, 4}, .strides = {4, 1}}) + text("one") +
                       tensor({.offset = 5, .shape = {}, .strides = {}}))),
          // protocol 4: frames, short texts, memoised
          std::string("\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00}\x94(\x8c\x01"
                      "a\x94K\x01\x8c\x01"
                      "bG\x3f\xf0\x00\x00\x00\x00\x00\x00u.",
                      35),
          pickled("}(U\x01"
                  "aI12\nU\x01"
                  "bL5L\nU\x01"
                  "d\x8a\x01\x05U\x01"
                  "eNU\x01"
                  "f\x88u")};
}

// A pickle beside a storage of six f32.
void read_pickle(const std::string& bytes) {
  put_zip(fuzz_file("f.pt"), {{"a/data.pkl", bytes}, {"a/data/0", kSix}});
  const TorchFile file(fuzz_file("f.pt"));
  for (auto& e : file.tensors()) file.load(*e.value, e.name);
}

std::vector<std::string> zip_seeds() {
  std::vector<std::string> out;
  for (const std::string& p : pickle_seeds()) out.push_back(zipped({{"a/data.pkl", p}, {"a/data/0", kSix}}));
  out.push_back(zipped({{"b/data.pkl", pickle_seeds()[0]}, {"b/byteorder", "big"}, {"b/data/0", kSix}, {"b/version", "3\n"}}));
  return out;
}

std::vector<std::string> stream_seeds() {
  const std::string value = dict(text("a") + tensor({}, true) + text("b") +
                                 tensor({.key = "1", .type = "LongStorage", .count = 2, .shape = {2}, .strides = {1}}, true));
  return {stream_of(value, "](" + text("0") + text("1") + "e", little(6, 8) + kSix + little(2, 8) + little(7, 8) + little(9, 8))};
}

std::vector<std::string> safetensors_seeds() {
  save_checkpoint(fuzz_file("s.safetensors"), {.tensors = {{"a", Tensor::full({2, 3}, 1)},
                                                           {"b", Tensor::full({2}, 1, DType::bf16)},
                                                           {"c", Tensor::full({1, 1, 3}, 1, DType::u8)}},
                                               .metadata = {{"k", "v"}}});
  return {file_bytes(fuzz_file("s.safetensors")), little(2, 8) + "{}"};
}

}  // namespace

std::vector<FuzzTarget> weight_targets() {
  return {{.name = "torch_pickle", .run = read_pickle, .seeds = pickle_seeds},
          {.name = "torch_zip", .run = [](const std::string& b) { read_weights("f.pth", b); }, .seeds = zip_seeds},
          {.name = "torch_stream", .run = [](const std::string& b) { read_weights("f.pth", b); }, .seeds = stream_seeds},
          {.name = "safetensors", .run = [](const std::string& b) { read_weights("f.safetensors", b); }, .seeds = safetensors_seeds}};
}

}  // namespace voxgrad
