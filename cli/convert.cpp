// `voxgrad convert`: a file of one format as one of another.
#include <cstdio>
#include <filesystem>

#include "cli/commands.h"
#include "cli/convert_weights.h"
#include "core/error.h"
#include "data/dataset.h"
#include "data/listing/files_by_case.h"
#include "io/atomic_file.h"
#include "io/image.h"

namespace voxgrad {
namespace {

namespace fs = std::filesystem;

struct ConvertCommand {
  std::string in, out, ending, series, array, rules, names, like, modality;
  std::vector<std::string> folds;
  int volume = -1;
  bool split = false, labels = false;
};

void say(const std::string& text) { std::fprintf(stderr, "voxgrad: %s\n", text.c_str()); }

bool is_placeless(const fs::path& file) { return volume_extension(file) == ".npy" || is_flat_picture(file); }

// What the file that was written does not say any more.
void say_losses(const fs::path& from, const fs::path& to, const VolumeHeader& h) {
  if (!h.warning.empty()) say(from.string() + ": " + h.warning);
  const std::string ending = volume_extension(to);
  if (is_placeless(to) && !is_placeless(from))
    say(to.string() + ": " + ending + " keeps no place in space; spacing and orientation are lost");
  const VolumeHeader now = read_header(to);
  const bool steps = ending.empty() && is_floating(h.dtype) && is_floating(now.dtype);
  if (now.stored != h.stored)
    say(to.string() + ": " + h.stored + " is written as " + now.stored + (steps ? ", in 65536 steps from the least to the largest" : ""));
}

// As a segmentation object, of the images that are named or of those that it came from.
void write_mask(const fs::path& from, const fs::path& to, const VolumeHeader& h, const Volume& v, const ConvertCommand& c) {
  const bool mask = h.format.ends_with("segmentation");
  check(c.labels || mask, to.string(), ": as .dcm masks are written; --labels says that ", from.string(),
        " is one. An image becomes a series of DICOM files: give a folder");
  const fs::path source = !c.like.empty() ? fs::path(c.like) : mask ? from : fs::path();
  write_segmentation(to, v, {.source = source, .series = c.like.empty() ? c.series : ""});
}

// A name as DICOM can hold it: 64 letters of ASCII.
std::string description_of(const fs::path& file) {
  std::string text = (file / ".").lexically_normal().parent_path().filename().string().substr(0, 64);
  for (char& c : text)
    if (c < ' ' || c > '~' || c == '\\') c = '_';
  return text;
}

void write_series(const fs::path& from, const fs::path& to, const VolumeHeader& h, const Volume& v, const ConvertCommand& c) {
  const bool known = h.modality == "CT" || h.modality == "MR" || h.modality == "PT";
  const std::string modality = !c.modality.empty() ? c.modality : known ? h.modality : "MR";
  check(v.data.dim(3) == 1, from.string(), ": has ", v.data.dim(3), " volumes or colours, of which a DICOM series holds one; --volume N ",
        "takes one, --split makes a series of each");
  write_dicom(to, v, {.modality = modality, .description = description_of(from)});
  if (c.modality.empty() && !known)
    say(to.string() + ": written as MR, since " + from.string() + (h.modality.empty() ? " does not say what it is" : " is " + h.modality) +
        "; --modality says otherwise");
}

void write(const fs::path& from, const fs::path& to, const VolumeHeader& h, const Volume& v, const ConvertCommand& c) {
  if (volume_extension(to).empty()) write_series(from, to, h, v, c);
  else if (volume_extension(to) == ".dcm") write_mask(from, to, h, v, c);
  else write_volume(to, v, {.stored = h.stored});
  say_losses(from, to, h);
  std::printf("%s\n", to.c_str());
}

// `to` with _k before its ending.
fs::path numbered(const fs::path& to, int64_t k) {
  return to.parent_path() / (case_name(to) + "_" + std::to_string(k) + volume_extension(to));
}

void convert_image(const fs::path& from, const fs::path& to, const ConvertCommand& c) {
  const ReadOptions how = {.series = c.series, .array = c.array, .volume = c.volume, .labels = c.labels};
  const VolumeHeader h = read_header(from, how);
  const Volume v = read_volume(from, how);
  if (!c.split) return write(from, to, h, v, c);
  for (int64_t k = 0; k < v.data.dim(3); ++k) write(from, numbered(to, k), h, one_of(v, k), c);
}

void run(const ConvertCommand& c) {
  if (c.split && c.volume >= 0) throw CLI::ValidationError("--split writes every volume, --volume one; both at once is not possible");
  const fs::path in = c.in, out = c.out;
  if (out.extension() == ".safetensors") return convert_weights({in, out, c.rules, c.names, c.folds});
  if (!c.rules.empty() || !c.names.empty() || !c.folds.empty())
    throw CLI::ValidationError("--rules, --names and --folds are for weights: --out FILE.safetensors");
  const std::vector<DatasetCase> found = list_images(in, 1, c.series);
  const bool folder = fs::is_directory(in) && !(found.size() == 1 && found[0].images[0] == in);
  if (!folder) {
    const bool named = !volume_extension(out).empty() || c.ending.empty();
    return convert_image(in, named ? out : out / (found[0].id + c.ending), c);
  }
  // Of DICOM studies one series, or the list of them.
  if (c.ending.empty() && fs::is_directory(found[0].images[0])) return convert_image(in, out, c);
  if (c.ending.empty()) throw CLI::ValidationError(c.in + " is a folder of images; --format says what to make of each");
  make_folders(out);
  int64_t failed = 0;
  for (const DatasetCase& one : found) {
    const fs::path& file = one.images[0];
    try {
      convert_image(file, out / ((fs::is_directory(file) ? one.id : case_name(file)) + c.ending), c);
    } catch (const Error& e) {
      ++failed;
      say(e.what());
    }
  }
  check(failed == 0, failed, " of ", found.size(), " images failed");
}

}  // namespace

void add_convert(CLI::App& program) {
  auto o = std::make_shared<ConvertCommand>();
  CLI::App* command = program.add_subcommand(
      "convert", "Write images and masks in another format, with their element type and geometry; weights as safetensors");
  command->add_option("--in", o->in, "An image, a folder of images or a DICOM folder; weights, a run or a model folder")
      ->required()
      ->check(CLI::ExistingPath)
      ->type_name("FILE_or_DIR");
  command
      ->add_option("--out", o->out,
                   "The file to write, by its ending (weights: .safetensors, a mask: .dcm); else a folder, of DICOM files or as "
                   "--format says")
      ->required()
      ->type_name("FILE_or_DIR");
  command
      ->add_option("--format", o->ending, "Ending of the files to write into the folder --out: .nii.gz, .nrrd, .mha, .mgz, .npz, .tif ..")
      ->check(CLI::IsMember(
          {".nii.gz", ".nii", ".nrrd", ".mha", ".mhd", ".mgz", ".mgh", ".npz", ".npy", ".dcm", ".tif", ".png", ".jpg", ".bmp"}))
      ->type_name("EXT");
  command->add_option("--volume", o->volume, "Of a 4-D file only this volume, counted from 0")
      ->check(whole_number_within(0, 1000000))
      ->type_name("N");
  command->add_flag("--split", o->split, "Each volume of a 4-D file into a file of its own, NAME_0, NAME_1 ..");
  command->add_flag("--labels", o->labels, "Take pictures with a palette as label maps: their indices, not their colours");
  command->add_option("--array", o->array, "Which array of a .npz or HDF5 file with several")->type_name("NAME");
  add_series(*command, o->series);
  command->add_option("--modality", o->modality, "Of a DICOM series to write: CT, MR or PT (that of --in, else MR)")
      ->check(CLI::IsMember({"CT", "MR", "PT"}))
      ->type_name("CODE");
  command->add_option("--like", o->like, "DICOM images that a mask written as .dcm belongs to, for its patient and study (those of --in)")
      ->check(CLI::ExistingPath)
      ->type_name("FILE_or_DIR");
  command
      ->add_option(
          "--rules", o->rules,
          "JSON: which model the weights in --in are of, and how its tensors are theirs; then --out is a checkpoint of this program. "
          "A list of rules alone only renames")
      ->check(CLI::ExistingFile)
      ->type_name("FILE");
  command->add_option("--names", o->names, "Name the weights of a U-Net as nnU-Net does, for PyTorch")
      ->check(CLI::IsMember({"nnunet"}))
      ->type_name("nnunet");
  command->add_option("--folds", o->folds, "Of a model folder with several folds these")->type_name("FOLD ..");
  command->footer(
      "Rules of weights, of which the first that fits a name says what becomes of it:\n"
      "  {\"model\": {\"network\": {\"kind\": \"meshnet\", ..}, \"patch\": [64, 64, 64], \"spacing_mm\": [1, 1, 1], \"channels\": "
      "[\"T1\"],\n"
      "             \"labels\": [\"background\", ..], \"normalization\": [{\"kind\": \"zscore\"}]},\n"
      "   \"rules\": [{\"from\": \"model.*.weight\", \"to\": \"blocks.$1.conv.weight\", \"layout\": \"channels_last\"},\n"
      "             {\"from\": \"**.num_batches_tracked\", \"skip\": \"not used\"}]}\n"
      "* stands for letters without a point, ** for any; then squeeze, unsqueeze, permute, flip, layout change the axes.\n"
      "model is what voxgrad inspect shows of a checkpoint as voxgrad.model; docs: infer/weights/README.md");
  add_threads(*command);
  command->callback([o] { run(*o); });
}

}  // namespace voxgrad
