#pragma once
#include <cstddef>
#include <filesystem>
#include <string_view>

namespace voxgrad {

// A file that appears under its name complete or not at all: written to a temporary name in the same folder, which ends like the
// final one, synced to the disk and renamed by commit(). Without commit() it is removed.
class AtomicFile {
 public:
  // Where somebody else is writing the same file: an Error, or until they have ended.
  enum class Busy { refuse, wait };
  explicit AtomicFile(const std::filesystem::path&, Busy = Busy::refuse);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;

  // Where to write, for libraries that open files themselves; close nothing, commit() looks at what is there.
  const std::filesystem::path& temporary() const { return temporary_; }
  void write(const void* data, size_t bytes);
  void write(std::string_view text) { write(text.data(), text.size()); }
  void commit();

 private:
  std::filesystem::path final_, temporary_;
  int file_ = -1;
};

// A folder that appears under its name with all its files or not at all: made under a hidden name beside its place, which commit() gives
// it. The place must be free or an empty folder. Without commit() it is removed; what a killed process left is removed by the next one.
class AtomicFolder {
 public:
  explicit AtomicFolder(const std::filesystem::path&);
  ~AtomicFolder();
  AtomicFolder(const AtomicFolder&) = delete;

  const std::filesystem::path& temporary() const { return temporary_; }
  void commit();

 private:
  std::filesystem::path final_, temporary_;
  int lock_ = -1;
};

// Creates the folder and those above it; one that is there is as good.
void make_folders(const std::filesystem::path&);
void write_text_file(const std::filesystem::path&, std::string_view text);

}  // namespace voxgrad
