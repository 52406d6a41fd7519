#pragma once
#include "tasks/task.h"

namespace voxgrad {

// A task whose result is an image in the units and the geometry of its file: files, pictures and evaluation are the same for all of them.
class ImageTask : public Task {
 public:
  const char* product() const override { return "images"; }
  std::vector<std::filesystem::path> files(const std::filesystem::path& stem, const std::string& ending) const override;
  void write(const Result&, const std::filesystem::path& stem, const std::string& ending) const override;
  // As it was, as it is now, and the reference where there is one.
  Picture picture(const Volume& image, const Result&, const Volume& reference, const std::string& title,
                  const ModelDescription&) const override;
  // PSNR of each image against its reference, and their mean.
  Evaluated evaluate(const std::filesystem::path& predictions, const std::filesystem::path& references,
                     const EvaluateOptions&) const override;
};

// Peak signal-to-noise ratio in dB: 20 log10(range / root mean square difference), range = max - min of the reference. Tensors of one
// shape; +infinity where they are equal.
double psnr(const Tensor& image, const Tensor& reference);

// An image f32 {D, H, W, C} as the network sees it, in the geometry and the units of its file.
Volume image_in_file(const Tensor& image, const Preprocessed&);

// A number from a name, for random choices that belong to a case.
uint64_t number_of(const std::string& name);

}  // namespace voxgrad
