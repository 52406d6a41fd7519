#include <cstdio>
#include <filesystem>
#include <limits>

#include "augment/phantom/phantom.h"
#include "cli/commands.h"
#include "core/rng.h"
#include "io/atomic_file.h"
#include "data/dataset.h"
#include "io/image.h"
#include "core/progress.h"

namespace voxgrad {
namespace {

namespace fs = std::filesystem;

struct PhantomCommand {
  std::string out, kind = "head", size = "64";
  int64_t cases = 16, tests = 0;
  uint64_t seed = 1;
};

// Case ids: kind_001. Four digits at the end would be read as a channel number (nnU-Net), so there are three, or five and more.
std::string id_of(const PhantomCommand& c, int64_t number) {
  char text[32];
  std::snprintf(text, sizeof text, "_%0*lld", c.cases + c.tests < 1000 ? 3 : 5, static_cast<long long>(number));
  return c.kind + text;
}

void run(const PhantomCommand& c) {
  const PhantomKind kind = parse_phantom_kind(c.kind);
  AtomicFolder folder(c.out);
  for (const char* sub : {"imagesTr", "labelsTr", "imagesTs", "labelsTs"})
    if (c.tests > 0 || std::string(sub).ends_with("Tr")) fs::create_directory(folder.temporary() / sub);

  Dataset data{.name = "phantom_" + c.kind,
               .root = folder.temporary(),
               .channel_names = {kind == PhantomKind::abdomen ? "CT" : "MR"},
               .labels = phantom_labels(kind)};
  Progress progress({.what = "phantoms", .unit = "case", .total = c.cases + c.tests});
  for (int64_t i = 0; i < c.cases + c.tests; ++i) {
    const bool test = i >= c.cases;
    // Training case k and test case k keep their volumes whatever the number of cases.
    const Rng source = Rng(c.seed).at(uint64_t(test ? i - c.cases : i), test);
    const Phantom p = make_phantom(kind, {.size = parse_extents(c.size), .seed = source.key()});
    const Affine affine = Affine::scaling(p.spacing_mm);
    DatasetCase one{.id = id_of(c, i + 1)};
    one.images = {folder.temporary() / (test ? "imagesTs" : "imagesTr") / (one.id + data.file_ending)};
    one.label = folder.temporary() / (test ? "labelsTs" : "labelsTr") / (one.id + data.file_ending);
    write_volume(one.images[0], {p.image, affine});
    const Shape s = p.label.shape();
    write_volume(one.label, {p.label.reshape({s[0], s[1], s[2], 1}), affine});
    if (test) one.label.clear();
    (test ? data.tests : data.cases).push_back(one);
    progress.update(i + 1, one.id);
  }
  write_dataset_json(data);
  folder.commit();
  std::printf("%lld training and %lld test cases in %s\n", static_cast<long long>(c.cases), static_cast<long long>(c.tests), c.out.c_str());
}

}  // namespace

void add_phantom(CLI::App& program) {
  auto o = std::make_shared<PhantomCommand>();
  CLI::App* command = program.add_subcommand("phantom", "Make a labelled data set of synthetic patients (MSD layout)");
  command->add_option("--out", o->out, "Folder for the data set: new or empty")->required()->type_name("DIR");
  command->add_option("--cases", o->cases, "Training cases")->check(whole_number_within(1, 99999))->type_name("N")->capture_default_str();
  command->add_option("--test", o->tests, "Test cases beside them, with labels in labelsTs")
      ->check(whole_number_within(0, 99999))
      ->type_name("N")
      ->capture_default_str();
  command->add_option("--kind", o->kind, "head (MR), abdomen (CT) or shapes")
      ->check(CLI::IsMember({"head", "abdomen", "shapes"}))
      ->type_name("NAME")
      ->capture_default_str();
  command->add_option("--size", o->size, "Voxels, one number or depth x height x width; at least 16 each")
      ->check([](const std::string& text) -> std::string {
        if (std::string wrong = check_extents(text); !wrong.empty()) return wrong;
        const Int3 size = parse_extents(text);
        return std::min({size.d, size.h, size.w}) >= 16 ? "" : "a phantom has at least 16 voxels along each axis, not " + text;
      })
      ->type_name("DxHxW")
      ->capture_default_str();
  command->add_option("--seed", o->seed, "Another seed makes other patients")
      ->check(whole_number_within(0, std::numeric_limits<uint64_t>::max()))
      ->type_name("S")
      ->capture_default_str();
  add_threads(*command);
  command->callback([o] { run(*o); });
}

}  // namespace voxgrad
