#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

struct z_stream_s;

namespace voxgrad {

// The bytes of a file in order, from `offset` on; inflated where they are a gzip or zlib stream. Errors begin with the path.
class ByteSource {
 public:
  enum class Coding { automatic, plain };  // automatic: inflated if it starts like gzip
  explicit ByteSource(const std::filesystem::path&, Coding = Coding::automatic);
  ~ByteSource();
  ByteSource(const ByteSource&) = delete;

  const std::string& name() const { return name_; }
  uint64_t file_size() const { return file_size_; }
  uint64_t position() const { return position_; }  // in the file
  bool is_compressed() const { return inflater_ != nullptr; }
  // Continues at this byte of the file, with gzip or zlib inflated if `compressed`.
  void seek(uint64_t offset, bool compressed);

  // No more than this many bytes can follow: what is left of the file, times 1032 where it is deflated.
  uint64_t at_most() const;
  // Fails unless `wanted` bytes can follow: before memory is asked for.
  void expect(uint64_t wanted, const std::string& what) const;
  void read(void* to, uint64_t bytes);  // exactly so many, or an error
  uint64_t read_some(void* to, uint64_t bytes);
  void skip(uint64_t bytes);
  // A line without its end; false at the end of the file. Lines longer than 1 MB are an error.
  bool read_line(std::string& line);
  // Reads a compressed stream to its end, which verifies its checksum.
  void finish();

 private:
  uint64_t read_file(void* to, uint64_t bytes);
  bool refill();

  std::string name_;
  int file_ = -1;
  uint64_t file_size_ = 0, position_ = 0;  // of the next byte to take from the file
  std::unique_ptr<z_stream_s> inflater_;
  bool ended_ = false;                 // the last compressed member is complete
  std::vector<unsigned char> buffer_;  // compressed bytes
};

}  // namespace voxgrad
