#include "core/graph.h"

#include "kernels/pointwise/pointwise.h"
#include "tests/catch.h"

using namespace voxgrad;

TEST_CASE("a graph is listed with its attributes, shapes and outputs") {
  const Tensor x = Tensor::zeros({2, 3}).require_grad(), constant = Tensor::zeros({3}, DType::u8);
  const Op op = {"halves", {{"axis", 1}, {"sizes", std::vector<int64_t>{1, 2}}, {"exact", true}, {"scale", 0.5}, {"by", "row"}}};
  const auto halves = record(op, {square(x), constant, Tensor{}}, std::vector<Tensor>{Tensor::zeros({2, 1}), Tensor::zeros({2, 2})},
                             [](const Grads&, Needs) { return Grads(3); });
  const Tensor y = record("last", {halves[1], x}, Tensor::zeros({}), [](const Tensor&, Needs) { return Grads(2); });
  const std::vector<GraphEntry> graph = graph_of(y);
  REQUIRE(graph.size() == 4);
  CHECK(graph[0].leaf);
  CHECK(graph[2].op.find("axis")->value == AttributeValue(1).value);
  CHECK(graph[2].op.find("none") == nullptr);
  CHECK(graph[3].inputs[0].output == 1);
  CHECK(describe_graph(y) ==
        "%0 = leaf -> f32 {2, 3} on cpu\n"
        "%1 = square(%0) -> f32 {2, 3} on cpu\n"
        "%2 = halves(axis 1, sizes [1, 2], exact true, scale 0.5, by \"row\")(%1, constant u8 {3} on cpu, an absent tensor)"
        " -> f32 {2, 1} on cpu, f32 {2, 2} on cpu\n"
        "%3 = last(%2.1, %0) -> f32 {} on cpu\n");
  CHECK(describe_graph(constant).empty());
}
