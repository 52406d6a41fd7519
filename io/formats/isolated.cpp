#include "io/formats/isolated.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "core/error.h"

namespace voxgrad {
namespace {
constexpr int kDone = 0, kThrew = 1;

bool write_all(int file, const void* data, size_t bytes) {
  for (auto* from = static_cast<const char*>(data); bytes > 0;) {
    const ssize_t n = write(file, from, std::min(bytes, size_t(1) << 30));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    from += n, bytes -= size_t(n);
  }
  return true;
}

[[noreturn]] void run_child(int file, const std::function<void(const Emit&)>& work) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  for (int s : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGINT, SIGTERM}) signal(s, SIG_DFL);
  if (const int nothing = open("/dev/null", O_RDWR); nothing >= 0) dup2(nothing, 1), dup2(nothing, 2);
  try {
    work([&](const void* data, size_t bytes) {
      if (!write_all(file, data, bytes)) fail("no memory for its voxels");
    });
    _exit(kDone);
  } catch (const std::exception& e) {
    if (ftruncate(file, 0) == 0 && lseek(file, 0, SEEK_SET) == 0) write_all(file, e.what(), std::strlen(e.what()));
    _exit(kThrew);
  } catch (...) { std::abort(); }
}

// Closes at the end of a scope.
struct File {
  int number;
  ~File() { close(number); }
};
}  // namespace

std::vector<std::byte> isolated(const std::string& who, const std::function<void(const Emit&)>& work) {
  const File file{memfd_create("voxgrad", MFD_CLOEXEC)};
  check(file.number >= 0, who, ": cannot set up its decoder: ", std::strerror(errno));
  const pid_t child = fork();
  check(child >= 0, who, ": cannot start its decoder: ", std::strerror(errno));
  if (child == 0) run_child(file.number, work);
  int status = 0;
  while (waitpid(child, &status, 0) < 0) check(errno == EINTR, who, ": lost its decoder: ", std::strerror(errno));
  struct stat about;
  fstat(file.number, &about);
  std::vector<std::byte> out(size_t(about.st_size));
  for (size_t done = 0; done < out.size();) {
    const ssize_t n = pread(file.number, out.data() + done, std::min(out.size() - done, size_t(1) << 30), off_t(done));
    check(n > 0, who, ": lost what its decoder delivered");
    done += size_t(n);
  }
  check(!WIFSIGNALED(status), who, ": its decoder gave up (", WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "",
        "); the file is malformed");
  check(WEXITSTATUS(status) == kDone, who, ": ", std::string(reinterpret_cast<const char*>(out.data()), out.size()));
  return out;
}

}  // namespace voxgrad
