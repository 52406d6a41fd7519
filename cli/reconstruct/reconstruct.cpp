// `voxgrad reconstruct`: images from k-space without a trained network.
#include <cstdio>

#include "cli/commands.h"
#include "io/image.h"
#include "tasks/reconstruction/untrained.h"

namespace voxgrad {
namespace {

struct ReconstructCommand {
  std::string in, out, array;
  UntrainedOptions how;
};

void run(const ReconstructCommand& c) {
  const Volume kspace = kspace_of(read_volume(c.in, {.array = c.array}), c.in);
  write_volume(c.out, {reconstruct_untrained(kspace.data, c.how), kspace.affine});
  std::printf("%s\n", c.out.c_str());
}

}  // namespace

void add_reconstruct(CLI::App& program) {
  auto o = std::make_shared<ReconstructCommand>();
  CLI::App* command = program.add_subcommand("reconstruct", "Make images of k-space without a trained network");
  command->add_option("--in", o->in, "Complex numbers {coils, H, W} or {slices, coils, H, W}: .npy, fastMRI's .h5, ISMRMRD")
      ->required()
      ->check(CLI::ExistingFile)
      ->type_name("FILE");
  command->add_option("--out", o->out, "The image to write, by its ending")->required()->type_name("FILE");
  command->add_option("--array", o->array, "Which array of a .npz or HDF5 file with several")->type_name("NAME");
  command->add_option("--method", o->how.method, "zero_filled, sense (conjugate gradients), total_variation or wavelets")
      ->check(CLI::IsMember({"zero_filled", "sense", "total_variation", "wavelets"}))
      ->capture_default_str()
      ->type_name("NAME");
  command->add_option("--sensitivities", o->how.sensitivities, "Of coils, from the middle of k-space: espirit or estimated (smoothed)")
      ->check(CLI::IsMember({"espirit", "estimated"}))
      ->capture_default_str()
      ->type_name("NAME");
  command->add_option("--weight", o->how.weight, "Of regularisation (0.01 for sense, 0.002 else, where the largest value is near 1)")
      ->check(number_within(0, 1e6))
      ->type_name("X");
  command->add_option("--iterations", o->how.iterations, "At most")
      ->check(whole_number_within(1, 100000))
      ->capture_default_str()
      ->type_name("N");
  add_threads(*command);
  command->callback([o] { run(*o); });
}

}  // namespace voxgrad
