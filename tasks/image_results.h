#pragma once
#include "tasks/image_scores/image_scores.h"
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
  // tasks/image_scores.
  Evaluated evaluate(const std::filesystem::path& predictions, const std::filesystem::path& references,
                     const EvaluateOptions&) const override;

 protected:
  // That PSNR and SSIM are judged in.
  virtual ScoreRange range() const { return ScoreRange::span; }
};

// An image f32 {D, H, W, C} as the network sees it, in the geometry and the units of its file.
Volume image_in_file(const Tensor& image, const Preprocessed&);

// A number from a name, for random choices that belong to a case.
uint64_t number_of(const std::string& name);

}  // namespace voxgrad
