#include "io/formats/pieces.h"

#include "io/formats/text_fields.h"

namespace voxgrad {
namespace fs = std::filesystem;

namespace {
constexpr size_t kMostFiles = 100000;
constexpr size_t kMostDigits = 20;

// "slice%03d.raw" and 7 to "slice007.raw": %d, %u, %i with a width alone.
std::string numbered_name(const std::string& pattern, int64_t n, const std::string& who) {
  const size_t at = pattern.find('%');
  size_t end = at + 1;
  while (end < pattern.size() && std::isdigit((unsigned char)pattern[end])) ++end;
  const std::string width = pattern.substr(at + 1, end - at - 1);
  const bool known = end < pattern.size() && std::string_view("dui").find(pattern[end]) != std::string_view::npos && width.size() <= 2;
  check(known && pattern.find('%', end) == pattern.npos, who, ": \"", pattern.substr(0, 80),
        "\" is no pattern of file names such as slice%03d.raw");
  std::string digits = std::to_string(n);
  const size_t wanted = width.empty() ? 0 : std::min(kMostDigits, size_t(std::stoi(width)));
  if (digits.size() < wanted) digits.insert(0, wanted - digits.size(), width[0] == '0' ? '0' : ' ');
  return pattern.substr(0, at) + digits + pattern.substr(end + 1);
}
}  // namespace

std::vector<fs::path> piece_files(ByteSource& header, const std::string& named) {
  const std::string& who = header.name();
  const auto parts = words(named);
  std::vector<fs::path> files;
  if (!parts.empty() && parts[0] == "LIST") {
    for (std::string line; header.read_line(line);) {
      const std::string name(trimmed(line));
      check(files.size() < kMostFiles, who, ": lists more than ", kMostFiles, " files");
      if (!name.empty()) files.push_back(detached_file(who, name));
    }
    check(!files.empty(), who, ": says LIST, but names no file of voxels");
  } else if (named.find('%') != named.npos) {
    check(parts.size() == 4 || parts.size() == 5, who, ": \"", named.substr(0, 80),
          "\" names no files; wanted a pattern, its first and last number and the step");
    const std::string what = who + ": a number of its files' pattern";
    const auto first = number<int32_t>(parts[1], what), last = number<int32_t>(parts[2], what), step = number<int32_t>(parts[3], what);
    check(step != 0 && (int64_t(last) - first) / step >= 0, who, ": its files' numbers do not lead from ", first, " to ", last,
          " in steps of ", step);
    const int64_t count = (int64_t(last) - first) / step + 1;
    check(count <= int64_t(kMostFiles), who, ": names ", count, " files, at most ", kMostFiles, " are possible");
    for (int64_t i = 0; i < count; ++i) files.push_back(detached_file(who, numbered_name(std::string(parts[0]), first + i * step, who)));
  }
  return files;
}

Tensor read_pieces(const std::vector<fs::path>& files, const VoxelLayout& v, int64_t skip, bool compressed, const std::string& who) {
  const uint64_t bytes = v.bytes(), piece = bytes / files.size();
  check(piece * files.size() == bytes, who, ": its ", bytes, " bytes of voxels cannot lie in ", files.size(), " files of one size");
  for (auto& file : files) {  // all of them before memory is asked for
    ByteSource source(file, ByteSource::Coding::plain);
    source.seek(0, compressed);
    source.expect(piece + uint64_t(std::max<int64_t>(0, skip)), "voxels of one of " + std::to_string(files.size()) + " files");
  }
  std::vector<std::byte> all(bytes);
  for (size_t i = 0; i < files.size(); ++i) {
    ByteSource source(files[i], ByteSource::Coding::plain);
    source.seek(skip < 0 ? source.file_size() - piece : 0, compressed);
    if (skip > 0) source.skip(uint64_t(skip));
    source.read(all.data() + i * piece, piece);
    source.finish();
  }
  return convert_voxels(all, v, who);
}

}  // namespace voxgrad
