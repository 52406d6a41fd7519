#include "kernels/dropout/dropout.h"

#include "tests/op_case.h"

using namespace voxgrad;

OP_CASES(dropout) {
  const auto add = [&](const char* name, const Shape& s, double p, const DropoutOptions& o, bool bench = false) {
    cases.push_back({.op = "dropout", .name = name, .inputs = {{s}}, .run = [=](const Tensors& in) { return dropout(in[0], p, Rng(5), o); },
                     .reference =
                         [=](const HostArrays& in) {
                           return HostArrays{host_array(s, [&](const Index& i) {
                             const int64_t at = int64_t(in[0].offset(i)),
                                           k = o.per_channel ? i[0] * s[-1] + i[size_t(s.rank - 1)] : at;
                             const double drawn = philox(Rng(5).key(), uint64_t(k / 4), Rng(5).counter()).word[k % 4] * 0x1p-32;
                             return drawn < p ? 0 : in[0][i] / (1 - p);
                           })};
                         },
                     .saved_bytes = bench ? -1 : 0, .bench = bench});
  };
  add("elements", {2, 3, 5, 7, 3}, 0.3, {});
  add("several blocks", {5000}, 0.5, {});
  add("rank 0", {}, 0.1, {});
  add("never", {2, 3}, 0, {});
  add("always", {2, 3}, 1, {});
  add("channels", {2, 3, 5, 7, 13}, 0.4, {.per_channel = true});
  add("one channel", {9, 2, 3}, 0.5, {.per_channel = true});
  add("elements, 32x64^3", {1, 64, 64, 64, 32}, 0.2, {}, true);
  add("channels, 32x64^3", {1, 64, 64, 64, 32}, 0.2, {.per_channel = true}, true);
  rejects.push_back({"dropout", "a probability above 1", [] { dropout(Tensor::zeros({2}), 1.5, Rng(0)); }, {"dropout", "1.5"}});
  rejects.push_back({"dropout", "labels", [] { dropout(Tensor::zeros({2}, DType::u8), 0.5, Rng(0)); }, {"dropout", "floating", "u8"}});
  rejects.push_back(
      {"dropout", "channels of rank 1", [] { dropout(Tensor::zeros({2}), 0.5, Rng(0), {.per_channel = true}); }, {"dropout", "{2}"}});
}
