#include <cstdio>
#include <filesystem>

#include "cli/commands.h"
#include "core/config/json_values.h"
#include "infer/explain/explain.h"
#include "io/atomic_file.h"
#include "io/image.h"
#include "io/json_file.h"
#include "tasks/case_picture.h"
#include "tasks/predictor.h"

namespace voxgrad {
namespace {

namespace fs = std::filesystem;

struct ExplainCommand {
  std::string model, in, out, method = "grad_cam", name, layer, box, stride, ending = ".nii.gz", series, device = "auto";
  int steps = 50;
  double fill = 0;
};

// Of --class, or what the model says of the image, or the first output.
int output_of(const ExplainCommand& c, const Predictor& predict, const Preprocessed& image) {
  const std::vector<std::string>& labels = predict.description().labels;
  std::string name = c.name;
  if (name.empty() && !predict.description().traits.dense) {
    const Result r = predict(image, predict.options());
    const Json said = r.json.empty() ? Json::object() : parse_json(r.json, "result");
    if (said.contains("class") && said["class"].is_string()) name = said["class"].get<std::string>();
  }
  check(!name.empty() || !predict.description().traits.dense, "--class: the model has ", labels.size(),
        " outputs for each voxel, name the one to explain");
  if (name.empty()) return 0;
  std::string known;
  for (size_t k = 0; k < labels.size(); ++k) {
    if (labels[k] == name) return int(k);
    known += (known.empty() ? "" : ", ") + labels[k];
  }
  fail("--class: the model knows no ", name, "; it knows ", known);
}

ExplainMethod method_of(const std::string& word) {
  return word == "grad_cam"    ? ExplainMethod::grad_cam
         : word == "occlusion" ? ExplainMethod::occlusion
                               : ExplainMethod::integrated_gradients;
}

void explain_case(const ExplainCommand& c, const Predictor& predict, Network& net, const DatasetCase& one) {
  const ModelDescription& d = predict.description();
  const Volume image = read_case_image(one);
  const Preprocessed p = predict.prepare(image, one.id);
  ExplainOptions o{
      .output = output_of(c, predict, p), .layer = c.layer, .steps = c.steps, .fill = c.fill, .device = predict.options().device};
  if (!c.box.empty()) o.box = parse_extents(c.box);
  if (!c.stride.empty()) o.stride = parse_extents(c.stride);
  const Explanation e = explain_middle(net, d, network_input(p, d), method_of(c.method), o);
  const Tensor map = e.map.reshape({e.map.dim(0), e.map.dim(1), e.map.dim(2), 1});
  const Volume placed = in_file_axes(at_file_spacing(map, p.geometry), p.geometry);
  const std::string name = size_t(o.output) < d.labels.size() ? d.labels[size_t(o.output)] : std::to_string(o.output);
  const std::string stem = (fs::path(c.out) / (one.id + "_" + c.method)).string();
  Json j{{"case", one.id}, {"method", c.method}, {"output", name}, {"score", e.score}};
  char line[200];
  std::snprintf(line, sizeof line, "%s: %s %.4f", one.id.c_str(), name.c_str(), e.score);
  std::string text = line;
  if (!e.layer.empty()) j["layer"] = e.layer, text += ", layer " + e.layer;
  if (c.method == "integrated_gradients") {
    j["baseline"] = e.baseline, j["completeness_error"] = e.completeness;
    std::snprintf(line, sizeof line, ", of the baseline %.4f; the map's sum is off by %.2g", e.baseline, e.completeness);
    text += line;
  }
  const Volume canonical = to_canonical(image), shown = to_canonical(placed);
  write_volume(stem + c.ending, placed);
  write_png(stem + ".png", explanation_picture(canonical, shown.data.reshape({shown.data.dim(0), shown.data.dim(1), shown.data.dim(2)}),
                                               one.id + ": " + c.method + " of " + name, window_for(d)));
  write_json(stem + ".json", j);
  std::printf("%s\n", text.c_str());
}

void run_explain(const ExplainCommand& c) {
  Model model = load_model(c.model);
  Network net = model.net;  // shares its weights with the predictor's
  const Predictor predict(std::move(model), chosen_device(c.device));
  const auto cases = list_images(c.in, int64_t(predict.description().channels.size()), c.series);
  check(!cases.empty(), c.in, ": holds no images");
  make_folders(c.out);
  for (const DatasetCase& one : cases) {
    check(one.fault.empty(), one.id, ": ", one.fault);
    explain_case(c, predict, net, one);
  }
}

}  // namespace

void add_explain(CLI::App& program) {
  auto o = std::make_shared<ExplainCommand>();
  CLI::App* command = program.add_subcommand("explain", "Show where in an image a network finds its reasons");
  command->add_option("--model", o->model, "Folder of a run or a checkpoint file")
      ->required()
      ->check(CLI::ExistingPath)
      ->type_name("MODEL");
  command->add_option("--in", o->in, "As of predict")->required()->check(CLI::ExistingPath)->type_name("FILE_or_DIR");
  command->add_option("--out", o->out, "Folder for CASE_METHOD with the map in the geometry of the input, its picture and JSON")
      ->required()
      ->type_name("DIR");
  command->add_option("--method", o->method, "How; see below")
      ->check(CLI::IsMember({"grad_cam", "integrated_gradients", "occlusion"}))
      ->type_name("NAME")
      ->capture_default_str();
  command->add_option("--class", o->name, "Output to explain, by its name (the class that is predicted, else the first)")
      ->type_name("NAME");
  command->add_option("--layer", o->layer, "Of grad_cam, as inspect names it (the last one with an extent above 1)")->type_name("NAME");
  command->add_option("--steps", o->steps, "Of integrated_gradients")
      ->check(whole_number_within(1, 10000))
      ->type_name("N")
      ->capture_default_str();
  command->add_option("--box", o->box, "Of occlusion, in voxels of the network's input (a quarter of it)")
      ->check(check_extents)
      ->type_name("SIZE");
  command->add_option("--stride", o->stride, "From one box of occlusion to the next (half of the box)")
      ->check(check_extents)
      ->type_name("SIZE");
  command->add_option("--fill", o->fill, "Value of a box of occlusion, behind normalisation")
      ->check(number_within(-1e6, 1e6))
      ->type_name("X")
      ->capture_default_str();
  command->add_option("--format", o->ending, "Ending of the maps")
      ->check(CLI::IsMember({".nii.gz", ".nii", ".nrrd", ".mha", ".mgz"}))
      ->type_name("EXT")
      ->capture_default_str();
  add_series(*command, o->series);
  add_device(*command, o->device);
  add_threads(*command);
  command->footer(
      "The score that is explained is the network's output: a logit of a class, a standardised value; of masks the sum of the class's\n"
      "logits over the voxels where it is the largest. What is seen is the middle of the image, of the size of the patch.\n"
      "grad_cam  ReLU of the layer's activations, each channel weighted by the mean gradient of the score (Selvaraju et al. 2017)\n"
      "integrated_gradients  voxel times mean gradient on the way from 0, behind normalisation, to the image (Sundararajan et al. 2017);\n"
      "          the sum of the map is the score less that of the baseline; by how much it is not is printed, and is large\n"
      "          with instance normalisation, to which an image is the same whatever its contrast\n"
      "occlusion what the score falls by where a box is filled (Zeiler and Fergus 2014)");
  command->callback([o] { run_explain(*o); });
}

}  // namespace voxgrad
