#include "core/stages/stages.h"

#include <atomic>
#include <csignal>
#include <string>

#include "tests/catch.h"

using namespace voxgrad;

namespace {

// What happened.
struct Log {
  std::mutex mutex;
  std::vector<std::string> lines;
  std::vector<int64_t> order;
  std::vector<std::string> errors;
  std::atomic<int> ahead = 0;  // begun to be read, not yet to be computed
  int most_ahead = 0;
};

Stages<int64_t, int64_t> squares(Log& log, int64_t bad_read = -1, int64_t bad_compute = -1, int64_t bad_write = -1) {
  return {.read =
              [&log, bad_read](int64_t i) {
                ++log.ahead;
                check(i != bad_read, "read ", i);
                return i * 10;
              },
          .compute =
              [&log, bad_compute](int64_t i, int64_t read) {
                --log.ahead;
                CHECK(read == i * 10);
                std::this_thread::sleep_for(std::chrono::milliseconds(2));
                log.most_ahead = std::max<int>(log.most_ahead, log.ahead);
                check(i != bad_compute, "compute ", i);
                return read * read;
              },
          .write =
              [&log, bad_write](int64_t i, int64_t computed) {
                check(i != bad_write, "write ", i);
                const std::scoped_lock lock(log.mutex);
                log.lines.push_back(std::to_string(i) + " " + std::to_string(computed));
              },
          .done =
              [&log](int64_t i, std::exception_ptr error) {
                log.order.push_back(i);
                try {
                  if (error) std::rethrow_exception(error);
                } catch (const Error& e) { log.errors.push_back(e.what()); }
              }};
}

}  // namespace

TEST_CASE("stages: every item goes through all of them, in order, and one at the most is read ahead") {
  Log log;
  run_stages(20, squares(log));
  REQUIRE(log.lines.size() == 20);
  for (int64_t i = 0; i < 20; ++i) {
    CHECK(log.lines[size_t(i)] == std::to_string(i) + " " + std::to_string(100 * i * i));
    CHECK(log.order[size_t(i)] == i);
  }
  CHECK(log.errors.empty());
  CHECK(log.most_ahead <= 1);
  Log none;
  run_stages(0, squares(none));
  CHECK(none.order.empty());
}

TEST_CASE("stages: an item that fails in one of them is left out by the others, and reported in its turn") {
  Log log;
  run_stages(6, squares(log, 1, 3, 4));
  CHECK(log.lines == std::vector<std::string>{"0 0", "2 400", "5 2500"});
  CHECK(log.order == std::vector<int64_t>{0, 1, 2, 3, 4, 5});
  CHECK(log.errors == std::vector<std::string>{"read 1", "compute 3", "write 4"});
}

TEST_CASE("stages: the user ends them; what is computed is written, and the signal means again what it did") {
  struct sigaction before, after;
  sigaction(SIGTERM, nullptr, &before);
  Log log;
  auto stages = squares(log);
  {
    const InterruptScope scope;
    const auto compute = stages.compute;
    stages.compute = [&](int64_t i, int64_t read) {
      if (i == 3) std::raise(SIGTERM);
      fail_if_interrupted();
      return compute(i, read);
    };
    CHECK_THROWS_AS(run_stages(100, stages), Interrupted);
    CHECK(interrupted());
  }
  CHECK(log.lines == std::vector<std::string>{"0 0", "1 100", "2 400"});
  CHECK(log.order == std::vector<int64_t>{0, 1, 2});
  sigaction(SIGTERM, nullptr, &after);
  CHECK(after.sa_handler == before.sa_handler);
  const InterruptScope again;
  CHECK(!interrupted());
}
