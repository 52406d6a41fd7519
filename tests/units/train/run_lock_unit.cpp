#include "train/run_lock.h"

#include <sys/wait.h>
#include <unistd.h>

#include "core/config/json_values.h"
#include "io/json_file.h"
#include "tests/catch.h"
#include "tests/temporary_folder.h"

using namespace voxgrad;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {
std::string refusal(const fs::path& run) {
  return error_of([&] { const RunLock lock(run); });
}
}  // namespace

TEST_CASE("a run's folder has one writer, whom others are told of") {
  const TemporaryFolder folder;
  const fs::path run = folder / "a" / "run";
  {
    const RunLock lock(run);
    const Json j = read_json(run / "run.lock");
    CHECK(j["pid"] == getpid());
    CHECK(j["started"].get<int64_t>() > 0);
    CHECK(j["since"].get<std::string>().size() == 20);
    CHECK_THAT(refusal(run),
               Contains("process " + std::to_string(getpid()) + " on " + j["host"].get<std::string>()) && Contains("since 2"));
    CHECK(fs::exists(run / "run.lock"));
  }
  CHECK(!fs::exists(folder / "a"));  // made for the lock alone
  {
    const RunLock lock(run);
    put_bytes(run / "config.json", "{}");
  }
  CHECK(fs::exists(run / "config.json"));
  CHECK(!fs::exists(run / "run.lock"));
  CHECK(refusal(run).empty());
}

TEST_CASE("a lock of a dead process of this host is taken over, of a living one or of another host it stands") {
  const TemporaryFolder folder;
  const fs::path file = folder / "run.lock";
  // A process that ends without a word.
  const pid_t child = fork();
  if (child == 0) {
    new RunLock(folder.path());
    _exit(0);
  }
  waitpid(child, nullptr, 0);
  REQUIRE(fs::exists(file));
  Json j = read_json(file);
  CHECK(j["pid"] == child);
  CHECK(refusal(folder.path()).empty());
  CHECK(!fs::exists(file));

  j["pid"] = getppid(), j.erase("started");
  write_json(file, j);
  CHECK_THAT(refusal(folder.path()), Contains("process " + std::to_string(getppid())));
  j["started"] = 1;  // when the machine started there was none: the number went to another process
  write_json(file, j);
  CHECK(refusal(folder.path()).empty());
  j["host"] = "elsewhere";
  write_json(file, j);
  CHECK_THAT(refusal(folder.path()), Contains("on elsewhere") && Contains("if it is dead, remove") && Contains("run.lock"));
  for (const char* cut : {"", "{\"host\": \"els", "[1]", "{\"pid\": \"x\"}"}) {
    put_bytes(file, cut);
    CHECK(refusal(folder.path()).empty());
  }
}
