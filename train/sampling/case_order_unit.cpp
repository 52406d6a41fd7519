#include "train/sampling/case_order.h"

#include <algorithm>
#include <map>
#include <set>

#include "tests/catch.h"

using namespace voxgrad;
using Catch::Matchers::Contains;

namespace {

const std::vector<std::string> kIds = {"a", "b", "c", "d", "e"};

}  // namespace

TEST_CASE("epochs: every case once in a random order, then again in another, whatever is asked for at a time") {
  const CaseOrder order("epochs", {}, kIds, Rng(3));
  CHECK(!order.is_random());
  const std::vector<int64_t> all = order.cases(0, 50);
  std::set<std::vector<int64_t>> orders;
  for (int64_t e = 0; e < 10; ++e) {
    const std::vector<int64_t> epoch(all.begin() + 5 * e, all.begin() + 5 * e + 5);
    CHECK(std::set<int64_t>(epoch.begin(), epoch.end()).size() == 5);
    orders.insert(epoch);
  }
  CHECK(orders.size() > 5);
  for (int64_t first : {0, 3, 4, 17})
    CHECK(order.cases(first, 7) == std::vector<int64_t>(all.begin() + first, all.begin() + first + 7));
  CHECK(CaseOrder("epochs", {}, kIds, Rng(4)).cases(0, 50) != all);
}

TEST_CASE("balanced: classes take turns, and the cases of each come equally often") {
  const CaseOrder order("balanced", {{0}, {0}, {0}, {7}, {0, 7}}, kIds, Rng(3));
  std::map<int64_t, int> count;
  const std::vector<int64_t> all = order.cases(0, 80);
  for (int64_t i : all) ++count[i];
  for (int64_t i : {0, 1, 2}) CHECK(count[i] == 10);  // 40 turns of class 0 for four cases, of class 7 for two
  CHECK(count[3] == 20);
  CHECK(count[4] == 30);
  for (size_t i = 1; i < 80; i += 2) CHECK(all[i] >= 3);
  CHECK(order.cases(5, 6) == std::vector<int64_t>(all.begin() + 5, all.begin() + 11));
}

TEST_CASE("balanced is refused where cases are of no class") {
  CHECK_THROWS_WITH(CaseOrder("balanced", {{0}, {}, {0}, {0}, {0}}, kIds, Rng(3)), Contains("the case b is of none"));
  CHECK(CaseOrder("random", {}, kIds, Rng(3)).is_random());
}
