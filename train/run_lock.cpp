#include "train/run_lock.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>

#include "core/config/json_values.h"
#include "core/error.h"
#include "io/atomic_file.h"
#include "io/json_file.h"

namespace voxgrad {
namespace fs = std::filesystem;

namespace {

constexpr size_t kLongest = 4096;  // bytes of a lock

std::string host_name() {
  char name[256] = {};
  return gethostname(name, sizeof name - 1) == 0 ? name : "?";
}

// When a process began, the 22nd field of /proc/PID/stat (proc(5)); 0: not known.
int64_t start_of(int64_t pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(in, line);
  const size_t behind_name = line.rfind(')');
  if (behind_name == line.npos) return 0;
  std::istringstream fields(line.substr(behind_name + 1));
  std::string field;
  for (int i = 3; i < 22; ++i) fields >> field;
  int64_t ticks = 0;
  return fields >> ticks ? ticks : 0;
}

std::string now_text() {
  const std::time_t now = std::time(nullptr);
  std::tm parts = {};
  char text[32] = {};
  gmtime_r(&now, &parts);
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

struct Holder {
  std::string host, since;
  int64_t pid = 0, started = 0;
};

// What a lock says; nothing of one that was cut off.
Holder holder_in(int file) {
  std::string text(kLongest, '\0');
  const ssize_t bytes = pread(file, text.data(), text.size(), 0);
  text.resize(size_t(std::max<ssize_t>(bytes, 0)));
  const Json j = Json::parse(text, nullptr, false);
  Holder h;
  if (!j.is_object()) return h;
  const auto whole = [&](const char* key) { return j.contains(key) && j[key].is_number_integer() ? j[key].get<int64_t>() : 0; };
  const auto word = [&](const char* key) { return j.contains(key) && j[key].is_string() ? j[key].get<std::string>() : ""; };
  return {.host = word("host"), .since = word("since"), .pid = whole("pid"), .started = whole("started")};
}

bool is_alive(const Holder& h) {
  if (h.pid <= 0 || h.pid == getpid() || (kill(pid_t(h.pid), 0) != 0 && errno == ESRCH)) return false;
  const int64_t started = start_of(h.pid);
  return h.started == 0 || started == 0 || started == h.started;  // else its number went to another process
}

bool same_file(int file, const fs::path& path) {
  struct stat a, b;
  return fstat(file, &a) == 0 && stat(path.c_str(), &b) == 0 && a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

[[noreturn]] void fail_held(const fs::path& folder, const fs::path& file, const Holder& h, bool elsewhere) {
  const std::string process = h.pid > 0 ? "process " + std::to_string(h.pid) + " on " + h.host : "another process";
  fail(folder.string(), ": ", process, " writes this run", h.since.empty() ? "" : " since " + h.since,
       elsewhere ? "; if it is dead, remove " + file.string() : "");
}

// The first folder of a path that is not there.
fs::path first_missing(const fs::path& folder) {
  fs::path missing;
  for (fs::path p = fs::absolute(folder).lexically_normal(); !p.empty() && !fs::exists(p); p = p.parent_path()) missing = p;
  return missing;
}

}  // namespace

RunLock::RunLock(const fs::path& folder) : folder_(folder), file_(folder / "run.lock"), made_(first_missing(folder)) {
  make_folders(folder);
  for (;;) {
    lock_ = open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    check(lock_ >= 0, "cannot write ", file_.string(), ": ", std::strerror(errno));
    const bool held = flock(lock_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    const Holder h = holder_in(lock_);
    const bool elsewhere = !h.host.empty() && h.host != host_name();
    if (held || elsewhere || is_alive(h)) {
      close(lock_);
      fail_held(folder_, file_, h, elsewhere && !held);
    }
    if (same_file(lock_, file_)) break;  // else its holder has ended and removed it since it was opened here
    close(lock_);
  }
  const std::string text =
      Json{{"host", host_name()}, {"pid", getpid()}, {"started", start_of(getpid())}, {"since", now_text()}}.dump() + "\n";
  const bool written = ftruncate(lock_, 0) == 0 && pwrite(lock_, text.data(), text.size(), 0) == ssize_t(text.size());
  const int reason = errno;
  if (written) return;
  unlink(file_.c_str());
  close(lock_);
  fail("cannot write ", file_.string(), ": ", std::strerror(reason));
}

RunLock::~RunLock() {
  unlink(file_.c_str());
  close(lock_);
  if (made_.empty()) return;
  std::error_code ignored;
  for (fs::path p = fs::absolute(folder_ / "").lexically_normal().parent_path(); fs::remove(p, ignored) && p != made_;) p = p.parent_path();
}

}  // namespace voxgrad
