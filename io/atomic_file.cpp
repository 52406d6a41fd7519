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

// Opens a temporary file or folder, which its writer keeps locked. The name depends on the final one alone, so that what a killed process
// left is taken over by the next one; the lock keeps two writers apart, and file systems without locks go on without.
template <class Open>
int open_locked(const fs::path& temporary, const fs::path& final_place, Open&& open_one, bool wait = false) {
  for (;;) {
    const int file = open_one();
    if (file < 0) fail_to_write(final_place, errno);
    int locked;
    do locked = flock(file, wait ? LOCK_EX : LOCK_EX | LOCK_NB);
    while (locked != 0 && errno == EINTR);
    if (locked != 0 && errno == EWOULDBLOCK) {
      close(file);
      fail("cannot write ", final_place.string(), ": another process is writing it");
    }
    if (same_file(file, temporary)) return file;  // else its writer has renamed it since it was opened here
    close(file);
  }
}
}  // namespace

AtomicFile::AtomicFile(const fs::path& path, Busy busy) : final_(path) {
  std::error_code error;
  if (fs::is_symlink(path, error)) final_ = fs::weakly_canonical(path, error);
  const auto status = fs::status(final_, error);
  check(!fs::exists(status) || fs::is_regular_file(status), "cannot write ", path.string(), ": it exists and is not a regular file");
  check(final_.has_filename(), "cannot write ", path.string(), ": it names a folder, not a file");
  const fs::path folder = final_.has_parent_path() ? final_.parent_path() : fs::path(".");
  check(fs::is_directory(folder, error), "cannot write ", path.string(), ": there is no folder ", folder.string());
  temporary_ = folder / (".partial." + final_.filename().string());
  file_ = open_locked(temporary_, final_, [&] { return open(temporary_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666); }, busy == Busy::wait);
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

AtomicFolder::AtomicFolder(const fs::path& path) : final_(fs::absolute(path).lexically_normal()) {
  std::error_code error;
  if (!final_.has_filename()) final_ = final_.parent_path();
  if (fs::is_symlink(final_, error)) final_ = fs::weakly_canonical(final_, error);
  make_folders(final_.parent_path());
  temporary_ = final_.parent_path() / (".partial." + final_.filename().string());
  lock_ = open_locked(temporary_, final_, [&] {
    return mkdir(temporary_.c_str(), 0777) == 0 || errno == EEXIST ? open(temporary_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
  });
  const bool free = !fs::exists(final_, error) || (fs::is_directory(final_, error) && fs::is_empty(final_, error));
  for (const auto& left : fs::directory_iterator(temporary_, error)) fs::remove_all(left.path(), error);
  if (free && fs::is_empty(temporary_, error)) return;
  fs::remove_all(temporary_, error);
  close(lock_);
  check(free, final_.string(), fs::is_directory(final_, error) ? ": is not empty" : ": is a file", ", a new or empty folder is wanted");
  fail("cannot write ", final_.string(), ": ", temporary_.string(), " is in the way and cannot be emptied");
}

AtomicFolder::~AtomicFolder() {
  if (lock_ < 0) return;
  std::error_code ignored;
  fs::remove_all(temporary_, ignored);
  close(lock_);
}

void AtomicFolder::commit() {
  if (rename(temporary_.c_str(), final_.c_str()) != 0) fail_to_write(final_, errno);
  close(lock_);
  lock_ = -1;
}

void make_folders(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  const std::string reason = error ? error.message() : "it is a file";
  check(fs::is_directory(path, error), "cannot make the folder ", path.string(), ": ", reason);
}

void write_text_file(const fs::path& path, std::string_view text) {
  AtomicFile file(path);
  file.write(text);
  file.commit();
}

}  // namespace voxgrad
