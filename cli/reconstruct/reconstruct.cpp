// `voxgrad reconstruct`: images from k-space or projections without a trained network.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "cli/commands.h"
#include "core/config/json_values.h"
#include "io/image.h"
#include "io/json_file.h"
#include "tasks/reconstruction/projections.h"
#include "tasks/reconstruction/untrained.h"

namespace voxgrad {
namespace {

struct ReconstructCommand {
  std::string in, out, array, geometry, method, sensitivities, window;
  double weight = -1;
  int iterations = 0;  // 0: the usual ones
  bool non_negative = false;
};

const std::vector<std::string> kOfKspace = {"zero_filled", "sense", "total_variation", "wavelets"};
const std::vector<std::string> kOfProjections = {"fbp", "sirt", "cg", "total_variation"};

// The method that was asked for, or the one that is usual; the others are refused.
std::string method_of(const ReconstructCommand& c, const std::vector<std::string>& possible, const char* usual, const char* of) {
  std::string list;
  for (const std::string& m : possible) list += (list.empty() ? "" : ", ") + m;
  const bool known = c.method.empty() || std::find(possible.begin(), possible.end(), c.method) != possible.end();
  check(known, "--method ", c.method, " is none of ", of, ", which are ", list);
  return c.method.empty() ? usual : c.method;
}

Volume of_kspace(const Volume& v, const ReconstructCommand& c) {
  check(c.window.empty() && !c.non_negative, "--window and --non-negative are of projections, which have a --geometry");
  const UntrainedOptions how{.method = method_of(c, kOfKspace, "sense", "k-space"),
                             .sensitivities = c.sensitivities.empty() ? "espirit" : c.sensitivities,
                             .weight = c.weight,
                             .iterations = c.iterations > 0 ? c.iterations : 100};
  const Volume kspace = kspace_of(v, c.in);
  return {reconstruct_untrained(kspace.data, how), kspace.affine};
}

Volume of_projections(const Volume& v, const ReconstructCommand& c) {
  check(c.sensitivities.empty(), "--sensitivities are of k-space, which has no --geometry");
  const Tensor y = v.data.to(DType::f32);
  const auto values = y.data<float>();
  check(std::all_of(values.begin(), values.end(), [](float x) { return std::isfinite(x); }), c.in, ": has values that are not finite");
  const ProjectionGeometry g = geometry_from(read_json(c.geometry), y.shape(), c.geometry);
  return reconstruct_projections(y, g, {.method = method_of(c, kOfProjections, "fbp", "projections"),
                                        .window = c.window.empty() ? "hann" : c.window,
                                        .weight = c.weight,
                                        .iterations = c.iterations,
                                        .non_negative = c.non_negative});
}

void run(const ReconstructCommand& c) {
  const Volume v = read_volume(c.in, {.array = c.array});
  write_volume(c.out, c.geometry.empty() ? of_kspace(v, c) : of_projections(v, c));
  std::printf("%s\n", c.out.c_str());
}

}  // namespace

void add_reconstruct(CLI::App& program) {
  auto o = std::make_shared<ReconstructCommand>();
  CLI::App* command = program.add_subcommand("reconstruct", "Make images of k-space or projections without a trained network");
  command
      ->add_option(
          "--in", o->in,
          "k-space: complex numbers {coils, H, W} or {slices, coils, H, W}: .npy, fastMRI's .h5, ISMRMRD; with --geometry projections, "
          "line integrals {rows, views, columns}")
      ->required()
      ->check(CLI::ExistingFile)
      ->type_name("FILE");
  command->add_option("--out", o->out, "The image to write, by its ending")->required()->type_name("FILE");
  command->add_option("--array", o->array, "Which array of a .npz or HDF5 file with several")->type_name("NAME");
  command
      ->add_option("--geometry", o->geometry,
                   "Of projections: JSON with \"beam\" (parallel, fan, cone), \"volume\" [D, H, W] in voxels, \"voxel\" mm, \"angles\" in "
                   "degrees or \"start\" and \"range\", \"column_spacing\", \"column_offset\", \"row_spacing\", \"source_distance\", "
                   "\"detector_distance\" in mm")
      ->check(CLI::ExistingFile)
      ->type_name("FILE");
  command
      ->add_option("--method", o->method,
                   "Of k-space zero_filled, sense (conjugate gradients; the usual one), total_variation, wavelets; of projections fbp "
                   "(filtered back-projection; the usual one), sirt, cg, total_variation")
      ->type_name("NAME");
  command
      ->add_option("--sensitivities", o->sensitivities,
                   "Of coils, from the middle of k-space: espirit (the usual one) or estimated (smoothed)")
      ->check(CLI::IsMember({"espirit", "estimated"}))
      ->type_name("NAME");
  command->add_option("--window", o->window, "Of fbp: ramp, shepp_logan, cosine, hamming or hann (the usual one)")
      ->check(CLI::IsMember({"ramp", "shepp_logan", "cosine", "hamming", "hann"}))
      ->type_name("NAME");
  command->add_flag("--non-negative", o->non_negative, "Of sirt and total_variation of projections: no value below 0");
  command
      ->add_option("--weight", o->weight,
                   "Of regularisation, where the largest value is near 1 (k-space: 0.01 for sense, 0.002 else; projections: 0 for cg, "
                   "0.001 else)")
      ->check(number_within(0, 1e6))
      ->type_name("X");
  command->add_option("--iterations", o->iterations, "At most (k-space: 100; projections: 100 of sirt, 30 of cg, 300 of total_variation)")
      ->check(whole_number_within(1, 100000))
      ->type_name("N");
  add_threads(*command);
  command->callback([o] { run(*o); });
}

}  // namespace voxgrad
