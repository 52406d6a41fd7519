#include "io/atomic_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/error.h"

namespace voxgrad {
namespace fs = std::filesystem;

namespace {
[[noreturn]] void fail_to_write(const fs::path& path, int error) { fail("cannot write ", path.string(), ": ", std::strerror(error)); }

bool same_file(int file, const fs::path& path) {
  struct stat a, b;
  return fstat(file, &a) == 0 && stat(path.c_str(), &b) == 0 && a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}
}  // namespace

// The temporary name depends on the final one alone, so that what a killed process left is taken over by the next one. A lock on it keeps
// two writers apart; file systems without locks go on without.
AtomicFile::AtomicFile(const fs::path& path) : final_(path) {
  std::error_code error;
  if (fs::is_symlink(path, error)) final_ = fs::weakly_canonical(path, error);
  const auto status = fs::status(final_, error);
  check(!fs::exists(status) || fs::is_regular_file(status), "cannot write ", path.string(), ": it exists and is not a regular file");
  check(final_.has_filename(), "cannot write ", path.string(), ": it names a folder, not a file");
  const fs::path folder = final_.has_parent_path() ? final_.parent_path() : fs::path(".");
  check(fs::is_directory(folder, error), "cannot write ", path.string(), ": there is no folder ", folder.string());
  temporary_ = folder / (".partial." + final_.filename().string());
  for (;;) {
    file_ = open(temporary_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (file_ < 0) fail_to_write(final_, errno);
    if (flock(file_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
      close(file_);
      fail("cannot write ", final_.string(), ": another process is writing it");
    }
    if (same_file(file_, temporary_)) break;  // else its writer has renamed it since it was opened here
    close(file_);
  }
  if (ftruncate(file_, 0) != 0) {
    const int reason = errno;
    unlink(temporary_.c_str());
    close(file_);
    fail_to_write(final_, reason);
  }
}

AtomicFile::~AtomicFile() {
  if (file_ < 0) return;
  unlink(temporary_.c_str());
  close(file_);
}

void AtomicFile::write(const void* data, size_t bytes) {
  const char* from = static_cast<const char*>(data);
  while (bytes > 0) {
    const ssize_t written = ::write(file_, from, std::min(bytes, size_t(1) << 30));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail_to_write(final_, errno);
    from += written, bytes -= size_t(written);
  }
}

void AtomicFile::commit() {
  if (fsync(file_) != 0 && errno != EINVAL && errno != EROFS) fail_to_write(final_, errno);
  if (rename(temporary_.c_str(), final_.c_str()) != 0) fail_to_write(final_, errno);
  close(file_);
  file_ = -1;
}

void write_text_file(const fs::path& path, std::string_view text) {
  AtomicFile file(path);
  file.write(text);
  file.commit();
}

}  // namespace voxgrad
