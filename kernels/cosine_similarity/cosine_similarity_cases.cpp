#include "kernels/cosine_similarity/cosine_similarity.h"

#include <cmath>

#include "tests/op_case.h"

using namespace voxgrad;

OP_CASES(cosine_similarity) {
  const auto add = [&](const char* name, const Shape& s, int axis, const Shape& result, double eps = 1e-8) {
    cases.push_back({.op = "cosine_similarity", .name = name, .inputs = {{s}, {s}},
                     .run = [=](const Tensors& in) { return cosine_similarity(in[0], in[1], {.axis = axis, .eps = eps}); },
                     .reference =
                         [=](const HostArrays& in) {
                           const int a = axis < 0 ? axis + s.rank : axis;
                           return HostArrays{host_array(result, [&](const Index& i) {
                             double dot = 0, of_a = 0, of_b = 0;
                             Index at{};
                             for (int k = 0; k < s.rank; ++k)
                               if (k != a) at[size_t(k)] = i[size_t(k < a ? k : k - 1)];
                             for (int64_t j = 0; j < s[a]; ++j) {
                               at[size_t(a)] = j;
                               dot += in[0][at] * in[1][at];
                               of_a += in[0][at] * in[0][at];
                               of_b += in[1][at] * in[1][at];
                             }
                             return dot / (std::max(std::sqrt(of_a), eps) * std::max(std::sqrt(of_b), eps));
                           })};
                         },
                     .terms = s[axis]});
  };
  add("last axis", {3, 4, 9}, -1, {3, 4});
  add("middle axis", {3, 7, 4}, 1, {3, 4});
  add("norms below eps", {5, 3}, -1, {5}, 2);
  rejects.push_back({"cosine_similarity", "two shapes", [] { cosine_similarity(Tensor::zeros({2}), Tensor::zeros({3})); },
                     {"cosine_similarity", "{2}", "{3}"}});
  rejects.push_back({"cosine_similarity", "no eps", [] { cosine_similarity(Tensor::zeros({2}), Tensor::zeros({2}), {.eps = 0}); },
                     {"cosine_similarity", "eps is 0"}});
}
