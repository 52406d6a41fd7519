#include <algorithm>
#include <numeric>

#include "core/config/json_values.h"
#include "kernels/binary/binary.h"
#include "models/ensemble/ensemble.h"
#include "models/model_registry.h"

namespace voxgrad {
namespace {

constexpr size_t kMostMembers = 100;

struct Ensemble {
  std::vector<Network> members;
  FIELDS(members)

  Tensor operator()(const Tensor& x) const {
    Tensor sum;
    for (const Network& net : members) {
      const Tensor y = net(x)[0];
      sum = sum ? sum + y : y;
    }
    return sum * (1.0 / double(members.size()));
  }

  bool has_slabs() const {
    return std::all_of(members.begin(), members.end(), [](const Network& net) { return net.has_slabs(); });
  }
  SlabOutputs in_slabs(const Tensor& x) const {
    std::vector<SlabOutputs> all;
    for (const Network& net : members) all.push_back(net.in_slabs(x));
    return {all[0].channels, [all](int64_t begin, int64_t end) {
              Tensor sum;
              for (const SlabOutputs& s : all) {
                const Tensor y = s.rows(begin, end);
                sum = sum ? sum + y : y;
              }
              return sum * (1.0 / double(all.size()));
            }};
  }
};

const Json& members_of(const Json& config) {
  check(config.contains("members") && config["members"].is_array() && config.size() == 2,
        "ensemble: wanted \"members\", a list of networks");
  const Json& members = config["members"];
  check(!members.empty() && members.size() <= kMostMembers, "ensemble: has ", members.size(), " members, 1 to ", kMostMembers,
        " are possible");
  for (const Json& m : members) check(network_kind(m) != "ensemble", "ensemble: a member is an ensemble itself");
  return members;
}

NetworkTraits joined(const std::vector<NetworkTraits>& all) {
  check(!all.empty(), "ensemble: of no networks");
  NetworkTraits out = all[0];
  for (const NetworkTraits& t : all) {
    check(t.in_channels == out.in_channels && t.out_channels == out.out_channels && t.dense == out.dense, "ensemble: one member takes ",
          out.in_channels, " channels and gives ", out.out_channels, ", another one ", t.in_channels, " and ", t.out_channels);
    for (int a = 0; a < 3; ++a) {
      const int64_t multiple = std::lcm(int64_t(out.divisor[a]), int64_t(t.divisor[a]));
      check(multiple < 1 << 20, "ensemble: no input fits all members");
      out.divisor[a] = int(multiple);
    }
  }
  return out;
}

Network made(Ensemble e) {
  Json config = {{"kind", "ensemble"}, {"members", Json::array()}};
  std::vector<NetworkTraits> traits;
  for (const Network& net : e.members) {
    config["members"].push_back(Json::parse(net.config()));
    traits.push_back(net.traits());
  }
  return Network(std::move(e), joined(traits), config.dump());
}

}  // namespace

Network ensemble_of(std::vector<Network> members) {
  check(!members.empty(), "ensemble: of no networks");
  return members.size() == 1 ? members[0] : made(Ensemble{std::move(members)});
}

ModelEntry ensemble_model() {
  return {.name = "ensemble",
          .summary = "the mean of trained networks: what voxgrad predict makes of several folds or models; not trained by itself",
          .build =
              [](const Json& j, Rng& rng) {
                Ensemble e;
                for (const Json& m : members_of(j)) e.members.push_back(build_network(m, rng));
                return made(std::move(e));
              },
          .traits =
              [](const Json& j) {
                std::vector<NetworkTraits> all;
                for (const Json& m : members_of(j)) all.push_back(network_traits(m));
                return joined(all);
              },
          .least_weights =
              [](const Json& j) {
                double n = 0;
                for (const Json& m : members_of(j)) n += model_registry().find(network_kind(m)).least_weights(m);
                return n;
              }};
}

}  // namespace voxgrad
