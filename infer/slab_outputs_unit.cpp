#include <algorithm>
#include <cmath>

#include "core/autograd.h"
#include "core/config/json_values.h"
#include "infer/sliding_window.h"
#include "models/ensemble/ensemble.h"
#include "models/model_registry.h"
#include "models/slab_outputs.h"
#include "tests/catch.h"
#include "tests/temporary_folder.h"
#include "tests/tensor_helpers.h"

using namespace voxgrad;
using Catch::Matchers::Contains;

namespace {

Network made(const std::string& json, uint64_t seed = 3) {
  Rng rng(seed);
  return build_network(Json::parse(json), rng);
}

const char* const kNetworks[] = {
    R"({"kind": "unet", "classes": 40, "features": [8, 16], "kernels": [[3, 3, 3], [3, 3, 3]], "strides": [[1, 1, 1], [2, 2, 2]],
        "encoder_depth": [1, 1], "decoder_depth": [2]})",
    R"({"kind": "unet", "classes": 3, "residual": true, "norm": "group", "features": [8, 16], "kernels": [[1, 3, 3], [3, 3, 3]],
        "strides": [[1, 1, 1], [1, 2, 2]], "encoder_depth": [1, 1], "decoder_depth": [1]})",
    R"({"kind": "meshnet", "classes": 104, "features": 5, "dilations": [1, 2], "norm": "none"})",
    R"({"kind": "segresnet", "classes": 7, "features": 8, "blocks_down": [1, 1], "blocks_up": [1]})"};

Net slabs_alone(const Network& net) {
  return {[](const Tensor&) -> Tensor { fail("the whole is not wanted"); }, [&net](const Tensor& x) { return net.in_slabs(x); }};
}
Net whole_of(const Network& net) {
  return [&net](const Tensor& x) { return net(x)[0]; };
}

}  // namespace

TEST_CASE("outputs in slabs are those of the network, bit for bit") {
  std::vector<Network> all;
  for (const char* json : kNetworks) all.push_back(made(json));
  all.push_back(ensemble_of({made(kNetworks[0], 1), made(kNetworks[0], 2)}));
  for (const DType dtype : {DType::f32, DType::bf16})
    for (const Network& net : all) {
      CAPTURE(net.config(), name_of(dtype));
      const Inference scope;
      const Tensor x = noise({1, 8, 16, 12, 1}, 5).to(dtype), y = net(x)[0];
      REQUIRE(net.has_slabs());
      const SlabOutputs slabs = net.in_slabs(x);
      CHECK(slabs.channels == y.dim(4));
      const Tensor planes = y.reshape({8, 16, 12, y.dim(4)});
      for (const auto& [begin, end] : {std::pair{0, 8}, std::pair{3, 4}, std::pair{5, 8}}) {
        const Tensor part = slabs.rows(begin, end);
        CHECK(part.shape() == y.shape().with(1, end - begin));
        CHECK(part.dtype() == dtype);
        CHECK(part.values() == planes.rows(begin, end).values());
      }
    }
}

TEST_CASE("a network without slabs, in an ensemble too, says so, and so does one that hooks look into") {
  Network unet = made(kNetworks[0]);
  const Network other = made(R"({"kind": "res_unet", "classes": 40, "channels": [4, 6], "strides": [2]})");
  CHECK(!other.has_slabs());
  CHECK(!ensemble_of({unet, other}).has_slabs());
  CHECK_THAT(error_of([&] { other.in_slabs(Tensor::zeros({1, 4, 4, 4, 1})); }), Contains("no outputs in slabs"));
  const ForwardHooks scope(unet, [](const LayerOutput&) { return Tensor{}; });
  CHECK(!unet.has_slabs());
}

TEST_CASE("the sliding window adds slabs as it adds whole tiles, bit for bit") {
  const Network net = made(kNetworks[0]);
  const Tensor image = noise({9, 12, 11, 1}, 7);
  const auto options = [](const Int3& patch) { return SlidingWindowOptions{.patch = patch}; };
  for (const TileWeights weights : {TileWeights::gaussian, TileWeights::floored})
    for (const Int3& patch : {Int3{6, 8, 8}, Int3{10, 12, 12}, Int3{12, 16, 12}})
      for (const bool mirror : {false, true}) {
        CAPTURE(patch.d, mirror, int(weights));
        SlidingWindowOptions o = options(patch);
        o.weights = weights;
        o.mirror = {mirror, false, mirror};
        const Tensor whole = sliding_window(whole_of(net), image, o), slabs = sliding_window(slabs_alone(net), image, o);
        CHECK(whole.values() == slabs.values());
      }
}

TEST_CASE("what one tile gives is handed over plane by plane: it never exists at once") {
  const Network net = made(kNetworks[2]);
  const Tensor image = noise({30, 128, 128, 1}, 7);  // 204 MB of outputs
  int64_t next = 0, most = 0;
  reset_peak_memory(Device{});
  const size_t before = memory_stats(Device{}).in_use;
  sliding_window_rows(slabs_alone(net), image, {.patch = {32, 128, 128}}, [&](int64_t first, int64_t rows, const float*, int64_t) {
    CHECK(first == next);
    next = first + rows;
    most = std::max(most, rows);
  });
  CHECK(next == 30);
  CHECK(most <= 5);
  CHECK(memory_stats(Device{}).peak - before < size_t(120) << 20);
}

TEST_CASE("outputs in slabs that are not finite, or of another number, are an Error") {
  const Tensor image = Tensor::zeros({4, 4, 4, 1});
  const auto whole = [](const Tensor& x) { return x; };
  const auto values = [](double v) { return [v](int64_t b, int64_t e) { return Tensor::full({1, e - b, 4, 4, 2}, v); }; };
  int calls = 0;
  const Net infinite{whole, [&](const Tensor&) { return SlabOutputs{2, values(HUGE_VAL)}; }};
  CHECK_THAT(error_of([&] { sliding_window(infinite, image, {.patch = {4, 4, 4}}); }), Contains("not finite"));
  const Net changing{whole, [&](const Tensor&) { return SlabOutputs{2 + calls++, values(1)}; }};
  CHECK_THAT(error_of([&] { sliding_window(changing, noise({8, 4, 4, 1}, 1), {.patch = {4, 4, 4}}); }),
             Contains("3 classes for one batch and 2 for another"));
}

TEST_CASE("a source is cut with the statistics of all of it, at inference") {
  const Tensor x = noise({1, 6, 4, 4, 3}, 1), w = noise({2, 1, 1, 1, 3}, 2);
  const ConvSource source = {.x = x, .normalised = true, .slope = 0.01};
  CHECK_THAT(error_of([&] { planes_of(source, 0, 2); }), Contains("has its statistics"));
  const ConvSource z = with_statistics(source);
  CHECK_THAT(error_of([&] { planes_of(z, 4, 7); }), Contains("planes 4 to 7"));
  CHECK_THAT(error_of([&] { evaluate(z); }), Contains("statistics of its own"));
  CHECK_THAT(error_of([&] { conv3d_fused({z}, w.clone().require_grad()); }), Contains("no gradient"));
  CHECK_THAT(error_of([&] { with_statistics({.x = x.clone().require_grad()}); }), Contains("at inference"));
  CHECK(conv3d_fused({planes_of(z, 2, 6)}, w).values() ==
        conv3d_fused({source}, w).reshape({6, 4, 4, 2}).rows(2, 6).values());
}
