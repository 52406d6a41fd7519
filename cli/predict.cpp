#include <cstdio>
#include <filesystem>

#include "cli/commands.h"
#include "cli/predict_cases.h"

namespace voxgrad {

void add_predict(CLI::App& program) {
  auto o = std::make_shared<PredictCommand>();
  CLI::App* command = program.add_subcommand("predict", "Apply a trained network to images");
  command
      ->add_option("--model", o->models,
                   "Folder of a run (its best checkpoint), a checkpoint file, or a model folder of nnU-Net; of several the mean output")
      ->required()
      ->check(CLI::ExistingPath)
      ->type_name("MODEL ..");
  command->add_option("--folds", o->folds, "Of a model folder with several folds these: 0 1 2, or all; else the mean of all of them")
      ->type_name("FOLD ..");
  command->add_option("--rules", o->rules, "What the weights in --model are where they do not say it: see convert --help")
      ->check(CLI::ExistingFile)
      ->type_name("FILE");
  command
      ->add_option("--previous-stage", o->previous,
                   "Where the model is the second stage of a cascade: a folder with the masks of the first stage, one per case, or the "
                   "model of that stage, whose masks are then not written; of several models the mean output")
      ->check(CLI::ExistingPath)
      ->type_name("DIR_or_MODEL ..");
  command->add_flag("--validation", o->validation,
                    "Only the cases that validated the run in --model, which did not train it: of every fold they make the masks that a "
                    "second stage is trained with");
  command->add_option("--in", o->in, "An image, a folder of images, a DICOM folder or a folder of those, each of another study")
      ->required()
      ->check(CLI::ExistingPath)
      ->type_name("FILE_or_DIR");
  command->add_option("--out", o->out, "Folder for the results, one per case; masks and images in the geometry of the input")
      ->required()
      ->type_name("DIR");
  command
      ->add_option("--batch", o->batch,
                   "Tiles and mirror images that the network computes at once (1): more are faster on a GPU and take more memory")
      ->check(whole_number_within(1, 1024))
      ->type_name("N");
  command->add_option("--overlap", o->overlap, "Share of a tile that the next one covers again, 0 to 0.95 (as trained: 0.5)")
      ->check(number_within(0, 0.95))
      ->type_name("X");
  command->add_option("--patch", o->patch, "Extent of a tile, 96 or 64x96x96; a smaller one needs less memory (as trained)")
      ->check(check_extents)
      ->type_name("SIZE");
  // Not as a flag of an optional, which CLI11 sets to false where it is not given.
  command->add_flag_function(
      "--tta,!--no-tta", [o](std::int64_t n) { o->mirror = n > 0; },
      "Average over the eight mirror images: 8 times the work (as configured in training)");
  command
      ->add_option("--shift", o->shift,
                   "Where the network gives values per image: average over the image as it is and moved by so many voxels both ways along "
                   "each axis (0: as it is alone)")
      ->check(whole_number_within(0, 64))
      ->type_name("VOXELS");
  command->add_option("--format", o->ending, "Ending of the results: .nii.gz, .nii, .nrrd, .mha, .mgz, .tif, .png of slices, .dcm of masks")
      ->check(CLI::IsMember({".nii.gz", ".nii", ".nrrd", ".mha", ".mgz", ".tif", ".png", ".dcm"}))
      ->type_name("EXT")
      ->capture_default_str();
  command->add_option("--volumes", o->volumes, "What the volumes of a 4-D file are: the channels of one case, or cases of their own")
      ->check(CLI::IsMember({"channels", "cases"}))
      ->type_name("channels|cases")
      ->capture_default_str();
  command->add_flag("--resample", o->resample, "Resample channels that lie on another grid than the first one instead of refusing them");
  command->add_flag("--picture", o->picture, "Write a PNG of slices with the result beside each");
  command->add_option("--ref", o->reference, "Folder of references (masks or images), shown in the pictures")
      ->check(CLI::ExistingDirectory)
      ->type_name("DIR");
  command->add_flag("--probabilities", o->probabilities,
                    "Write CASE.npz beside each mask: f32 \"probabilities\" {classes, depth, height, width} on the grid of the file, the "
                    "softmax of the network's outputs resampled to it (of regions the sigmoid), and \"affine\"; for evaluate and ensemble");
  command
      ->add_option("--postprocessing", o->postprocessing,
                   "JSON of evaluate --choose-postprocessing or nnU-Net's, or none (postprocessing.json of the model, where it has one, "
                   "but not with --validation)")
      ->type_name("FILE|none");
  command->add_flag("--skip-empty", o->skip_empty,
                    "Ask the network once for all tiles of background: those in which each channel stays within 1 % of its range from the "
                    "lower quartile of the volume's outermost voxels. Without it once for all that are the same bit for bit");
  command->add_flag("--resume", o->resume, "Leave out the cases whose results are in --out already, of a run that was stopped");
  command->add_flag("--times", o->times, "Print what reading, preprocessing, network, resampling and writing took, and the memory used");
  add_series(*command, o->series);
  add_device(*command, o->device);
  add_conv(*command, o->conv);
  add_threads(*command);
  command->footer(
      "While a case is computed the next one is read and the one before is written.\n"
      "A case that cannot be read does not stop the others: it is named at the end, and the exit status is 3.\n"
      "Ctrl-C ends at the next tile: results that are there are complete, nothing else is left.");
  command->callback([o] { predict_cases(*o); });
}

}  // namespace voxgrad
