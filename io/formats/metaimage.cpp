// MetaImage files (itk.org/Wiki/MetaIO/Documentation): .mha, and .mhd with its voxels in one other file.
#include <map>

#include "io/formats/pieces.h"
#include "io/formats/text_fields.h"

namespace voxgrad {
namespace fs = std::filesystem;

namespace {
constexpr int kMostMetaAxes = 10, kMostLines = 10000;
using MetaFields = std::map<std::string, std::string>;

struct MetaHeader {
  VoxelLayout layout;
  Affine affine;
  bool compressed = false;
  int64_t skip = 0;       // bytes before the voxels; -1: they are the end of the file
  std::string data_file;  // "LOCAL": behind the header
};

struct MetaType {
  const char* name;
  Stored stored;
};
// The types called long have 4 bytes in MetaImage files, whatever the machine.
constexpr MetaType kMetaTypes[] = {
    {"MET_UCHAR", Stored::u8},       {"MET_CHAR", Stored::i8},       {"MET_USHORT", Stored::u16}, {"MET_SHORT", Stored::i16},
    {"MET_UINT", Stored::u32},       {"MET_INT", Stored::i32},       {"MET_ULONG", Stored::u32},  {"MET_LONG", Stored::i32},
    {"MET_ULONG_LONG", Stored::u64}, {"MET_LONG_LONG", Stored::i64}, {"MET_FLOAT", Stored::f32},  {"MET_DOUBLE", Stored::f64},
};

const char* element_type_of(Stored stored) {
  for (auto& type : kMetaTypes)
    if (type.stored == stored) return type.name;
  fail("MetaImage: no element type for ", name_of(stored));
}

bool is_true(const std::string& text) { return !text.empty() && (text[0] == 'T' || text[0] == 't' || text[0] == '1'); }

// The first of several names for one thing.
std::string field(const MetaFields& fields, std::initializer_list<const char*> names) {
  for (auto* name : names)
    if (auto f = fields.find(name); f != fields.end()) return f->second;
  return {};
}

// The first three axes are space. TransformMatrix lists the direction of axis i, then of j, then of k.
void set_geometry(MetaHeader& h, const MetaFields& fields, size_t axes, const std::string& who) {
  const auto listed = [&](std::initializer_list<const char*> names, size_t count) {
    auto values = numbers<double>(field(fields, names), who + ": \"" + *names.begin() + "\"");
    check(values.empty() || values.size() == count, who, ": \"", *names.begin(), "\" has ", values.size(), " numbers, wanted ", count);
    return values;
  };
  const auto spacing = listed({"ElementSpacing", "ElementSize"}, axes);
  const auto matrix = listed({"TransformMatrix", "Rotation", "Orientation"}, axes * axes);
  const auto offset = listed({"Offset", "Position", "Origin"}, axes);
  LpsGeometry g;
  for (size_t a = 0; a < 3 && a < axes; ++a) {
    const double step = spacing.empty() ? 1 : spacing[a];
    for (size_t r = 0; r < 3; ++r) g.axis[a][r] = step * (r >= axes || matrix.empty() ? double(a == r) : matrix[a * axes + r]);
    if (!offset.empty()) g.origin[a] = offset[a];
  }
  h.affine = affine_from_lps(g);
  check(h.affine.is_valid(), who, ": its spacing and directions are not finite or not independent");
}

MetaHeader parse_meta(ByteSource& source) {
  const std::string& who = source.name();
  MetaFields fields;
  std::string line;
  for (int count = 0; !fields.contains("ElementDataFile"); ++count) {
    check(count < kMostLines && source.read_line(line), who, ": its header has no ElementDataFile");
    const size_t equals = line.find('=');
    if (trimmed(line).empty()) continue;
    check(equals != line.npos, who, ": a line of its header is no \"name = value\"");
    fields[std::string(trimmed(std::string_view(line).substr(0, equals)))] = trimmed(std::string_view(line).substr(equals + 1));
  }
  const std::string object = field(fields, {"ObjectType"});
  check(object.empty() || object == "Image", who, ": is a MetaIO object of type ", object, ", not an image");
  MetaHeader h;
  VoxelLayout& v = h.layout;
  v.format = "MetaImage";
  const auto axes = number<int>(field(fields, {"NDims"}), who + ": \"NDims\"");
  check(axes >= 1 && axes <= kMostMetaAxes, who, ": the header announces ", axes, " axes, 1 to ", kMostMetaAxes, " are possible");
  const auto sizes = numbers<int64_t>(field(fields, {"DimSize"}), who + ": \"DimSize\"");
  check(int(sizes.size()) == axes, who, ": \"DimSize\" has ", sizes.size(), " numbers for ", axes, " axes");
  int64_t further = 1;
  for (int a = 0; a < axes; ++a) {
    const int64_t size = sizes[size_t(a)];
    check(size >= 1, who, ": the header announces ", size, " voxels along axis ", a + 1);
    if (a < 3) v.size[2 - a] = size;
    else check(!__builtin_mul_overflow(further, size, &further), who, ": the header announces an impossible size");
  }
  const std::string components = field(fields, {"ElementNumberOfChannels"});
  v.channels = components.empty() ? 1 : number<int64_t>(components, who + ": \"ElementNumberOfChannels\"");
  check(v.channels >= 1, who, ": the header announces ", v.channels, " channels");
  check(v.channels == 1 || further == 1, who, ": ", further, " further volumes of voxels with ", v.channels, " channels are not read");
  v.planar = further > 1, v.channels = std::max(v.channels, further);

  std::string type = field(fields, {"ElementType"});
  if (type.ends_with("_ARRAY")) type.resize(type.size() - 6);
  const auto* known = std::find_if(std::begin(kMetaTypes), std::end(kMetaTypes), [&](auto& t) { return type == t.name; });
  check(known != std::end(kMetaTypes), who, ": its ElementType \"", type, "\" is not one that is read");
  v.stored = known->stored;
  v.swapped = is_true(field(fields, {"BinaryDataByteOrderMSB", "ElementByteOrderMSB"}));
  v.validate(who);
  const std::string binary = field(fields, {"BinaryData"});
  check(binary.empty() || is_true(binary), who, ": voxels as text are not read from MetaImage files");
  h.compressed = is_true(field(fields, {"CompressedData"}));
  if (const std::string skip = field(fields, {"HeaderSize"}); !skip.empty()) h.skip = number<int64_t>(skip, who + ": \"HeaderSize\"");
  check(h.skip >= -1, who, ": \"HeaderSize\" is ", h.skip);
  h.data_file = fields["ElementDataFile"];
  set_geometry(h, fields, size_t(axes), who);
  return h;
}
}  // namespace

bool is_metaimage(const fs::path& path) {
  ByteSource source(path, ByteSource::Coding::plain);
  char head[64] = {};
  const std::string_view text(head, size_t(source.read_some(head, sizeof head)));
  for (auto* first : {"ObjectType", "NDims", "Comment"})
    if (const auto word = trimmed(text); word.starts_with(first) && word.find('=') != word.npos) return true;
  return false;
}

VolumeHeader metaimage_header(const fs::path& path) {
  ByteSource source(path, ByteSource::Coding::plain);
  const MetaHeader h = parse_meta(source);
  return header_of(h.layout, h.affine);
}

Volume read_metaimage(const fs::path& path) {
  ByteSource source(path, ByteSource::Coding::plain);
  const MetaHeader h = parse_meta(source);
  const auto voxels = [&](ByteSource& data, uint64_t begin) {
    if (h.skip < 0) {
      data.seek(0, false);
      data.expect(h.layout.bytes(), "voxels");
    }
    data.seek(h.skip < 0 ? data.file_size() - h.layout.bytes() : begin + uint64_t(h.skip), h.compressed);
    return Volume{read_voxels(data, h.layout), h.affine};
  };
  if (lower(h.data_file) == "local") return voxels(source, source.position());
  if (const auto files = piece_files(source, h.data_file); !files.empty())
    return {read_pieces(files, h.layout, h.skip, h.compressed, source.name()), h.affine};
  ByteSource data(detached_file(path, h.data_file), ByteSource::Coding::plain);
  return voxels(data, 0);
}

void write_metaimage(const fs::path& path, const Volume& v, Stored stored) {
  const bool detached = path.extension() == ".mhd";
  const fs::path data_path = fs::path(path).replace_extension(".zraw");
  const Shape& s = v.data.shape();
  const Vec3 spacing = v.affine.spacing();
  const LpsGeometry g = lps_of(v.affine);
  std::string packed;
  std::vector<std::byte> scratch;
  const std::span<const std::byte> pieces[] = {bytes_of(v.data, stored, scratch)};
  deflate_stream(pieces, Wrapper::zlib, [&](const void* data, size_t size) { packed.append(static_cast<const char*>(data), size); });

  std::string text =
      "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\nCompressedData = True\nCompressedDataSize = ";
  text += std::to_string(packed.size()) + "\nTransformMatrix =";
  for (int a = 0; a < 3; ++a)
    for (double component : g.axis[a]) text += " " + exact(component / spacing[2 - a]);
  text += "\nOffset = " + exact(g.origin[0]) + " " + exact(g.origin[1]) + " " + exact(g.origin[2]) +
          "\nCenterOfRotation = 0 0 0\nElementSpacing =";
  for (int a = 2; a >= 0; --a) text += " " + exact(spacing[a]);
  text += "\nDimSize =";
  for (int a = 2; a >= 0; --a) text += " " + std::to_string(s[a]);
  if (s[3] > 1) text += "\nElementNumberOfChannels = " + std::to_string(s[3]);
  text += std::string("\nElementType = ") + element_type_of(stored);
  text += "\nElementDataFile = " + (detached ? data_path.filename().string() : "LOCAL") + "\n";

  AtomicFile file(path);
  file.write(text);
  if (detached) {
    AtomicFile data(data_path);
    data.write(packed);
    data.commit();
  } else {
    file.write(packed);
  }
  file.commit();
}

}  // namespace voxgrad
