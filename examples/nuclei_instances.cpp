// Nuclei that touch, each with a mask of its own, in pictures or in volumes.
//   nuclei_instances [STEPS [2d | 3d [FOLDER]]]     FOLDER: a data set with objects in label files; without it, nuclei are drawn
#include <voxgrad/voxgrad.h>

#include <cstdio>
#include <cstdlib>

using namespace voxgrad;
namespace fs = std::filesystem;

struct Nucleus {
  Double3 at, radius;  // voxels
  double turned, grey;

  // Squared distance of a place from the middle, 1 at the surface.
  double operator()(double d, double h, double w) const {
    const double y = h - at[1], x = w - at[2], c = std::cos(turned), s = std::sin(turned);
    return std::pow((d - at[0]) / radius[0], 2) + std::pow((c * y + s * x) / radius[1], 2) + std::pow((c * x - s * y) / radius[2], 2);
  }
};

// Half of the nuclei lie beside another one, pressed into it by up to a fifth.
std::vector<Nucleus> place_nuclei(const Int3& size, Rng& rng) {
  std::vector<Nucleus> out;
  const int64_t wanted = 30 + rng.below(31);
  for (int attempt = 0; attempt < 2000 && int64_t(out.size()) < wanted; ++attempt) {
    Nucleus n{.at = {}, .radius = {}, .turned = rng.uniform(0, 3.14), .grey = rng.uniform(60, 180)};
    const double r = size.d == 1 ? rng.uniform(6, 10) : rng.uniform(4.5, 7);
    n.radius = {r * rng.uniform(0.8, 1.1), r * rng.uniform(0.8, 1.2), r * rng.uniform(0.8, 1.2)};
    if (!out.empty() && rng.coin(0.5)) {
      const Nucleus& beside = out[size_t(rng.below(int64_t(out.size())))];
      Double3 way = {size.d == 1 ? 0 : rng.normal(), rng.normal(), rng.normal()};
      const double length = std::hypot(way[0], way[1], way[2]), distance = rng.uniform(0.85, 1) * (r + beside.radius[1]);
      for (size_t a = 0; a < 3; ++a) n.at[a] = beside.at[a] + way[a] / length * distance;
    } else {
      for (size_t a = 0; a < 3; ++a) n.at[a] = size[int(a)] == 1 ? 0 : rng.uniform(0, double(size[int(a)]));
    }
    bool free = n.at[1] > 0 && n.at[2] > 0 && n.at[0] >= 0 && n.at[0] < size.d && n.at[1] < size.h && n.at[2] < size.w;
    for (const Nucleus& other : out)
      free = free && std::hypot(n.at[0] - other.at[0], n.at[1] - other.at[1], n.at[2] - other.at[2]) > 0.8 * (r + other.radius[1]);
    if (free) out.push_back(n);
  }
  return out;
}

struct Nuclei {
  Volume image;
  NumberedObjects objects;
};

// A voxel where two meet belongs to the nearer one; grey values are textured, blurred and noisy.
Nuclei draw_nuclei(const Int3& size, Rng rng) {
  const std::vector<Nucleus> nuclei = place_nuclei(size, rng);
  const Tensor number = Tensor::zeros({size.d, size.h, size.w}, DType::i32), image = Tensor::zeros({size.d, size.h, size.w, 1});
  const auto to = number.mutable_data<int32_t>();
  const auto grey = image.mutable_data<float>();
  const std::vector<double> texture = smooth_noise(size, {size.d / 3.0 + 1, size.h / 3.0, size.w / 3.0}, rng.split()).values(),
                            ground = smooth_noise(size, {2, 4, 4}, rng.split()).values();
  size_t i = 0;
  for (int d = 0; d < size.d; ++d)
    for (int h = 0; h < size.h; ++h)
      for (int w = 0; w < size.w; ++w, ++i) {
        double nearest = 1;
        for (size_t k = 0; k < nuclei.size(); ++k)
          if (const double r = nuclei[k](d, h, w); r < nearest) nearest = r, to[i] = int32_t(k + 1);
        grey[i] = float(40 + 8 * ground[i]);
        if (to[i]) grey[i] += float(nuclei[size_t(to[i] - 1)].grey * (1 + 0.2 * texture[i]) * (1 - 0.3 * nearest));
      }
  gaussian_blur(image, 0, {size.d == 1 ? 0 : 1.0, 1.0, 1.0});
  for (float& g : image.mutable_data<float>()) g += float(8 * rng.normal());
  return {{image, Affine::scaling({1, 1, 1})}, {number, std::vector<int>(nuclei.size(), 0)}};
}

// Label files whose values are objects, and beside each the class of these, as nnDetection has it.
void write_nuclei(const fs::path& folder, const Int3& size, int cases) {
  fs::create_directories(folder / "imagesTr");
  fs::create_directories(folder / "labelsTr");
  Dataset data{.name = "nuclei", .root = folder, .channel_names = {"image"}, .labels = {"background", "nucleus"}};
  for (int i = 0; i < cases; ++i) {
    const Nuclei n = draw_nuclei(size, Rng(7).at(uint64_t(i)));
    DatasetCase one{.id = "case_" + std::to_string(100 + i)};
    one.images = {folder / "imagesTr" / (one.id + ".nii.gz")};
    one.label = folder / "labelsTr" / (one.id + ".nii.gz");
    write_volume(one.images[0], n.image);
    write_volume(one.label, {n.objects.number.to(DType::u8).reshape({size.d, size.h, size.w, 1}), n.image.affine});
    std::string classes;
    for (size_t k = 1; k <= n.objects.label.size(); ++k) classes += (k > 1 ? ", \"" : "\"") + std::to_string(k) + "\": 0";
    write_text_file(folder / "labelsTr" / (one.id + ".json"), "{\"instances\": {" + classes + "}}");
    data.cases.push_back(one);
  }
  write_dataset_json(data);
}

// Of one image: what was found against what is there.
double panoptic_quality(const LabelledObjects& found, const NumberedObjects& real) {
  return panoptic_counts({found.number, found.label}, real, 1)[0].quality();
}

int main(int argc, char** argv) {
  const std::string steps = argc > 1 ? argv[1] : "300";
  const bool volumes = argc > 2 && std::string(argv[2]) == "3d", quick = std::atoi(steps.c_str()) < 20;
  const Int3 size = volumes ? Int3{24, 64, 64} : quick ? Int3{1, 64, 64} : Int3{1, 160, 160};
  const fs::path data = argc > 3 ? argv[3] : volumes ? "nuclei_3d" : "nuclei_2d";
  if (argc <= 3) write_nuclei(data, size, quick ? 5 : 30);
  fs::remove_all("nuclei_run");

  TrainConfig config;
  apply_assignments(config, {"task=instances", "train.validate_every=100", "train.steps=" + steps});
  apply_assignments(config, volumes ? std::vector<std::string>{"network.base_features=12", "network.stages=3", "train.batch=2"}
                                    : std::vector<std::string>{"network.base_features=16", "network.max_features=128", "train.batch=4"});
  const TrainResult result = train(data, "nuclei_run", config, Device{});
  std::printf("panoptic quality %.3f on the cases that did not train\n", result.final_score);

  const Predictor find("nuclei_run");
  if (argc > 3) {
    const DatasetCase one = read_dataset(data).cases.at(0);
    const Volume image = read_case_image(one);
    write_png("nuclei.png", find.task().picture(image, find(image, one.id), {}, one.id, find.description()));
    return 0;
  }
  const Nuclei unseen = draw_nuclei(size, Rng(1000));
  const Result found = find(unseen.image);
  const Volume real{unseen.objects.number.reshape({size.d, size.h, size.w, 1}), unseen.image.affine};
  write_png("nuclei.png", find.task().picture(unseen.image, found, real, "unseen nuclei", find.description()));

  // What the best segmentation without a notion of objects could do: parts of the true mask that are connected.
  const Tensor mask = Tensor::zeros(unseen.objects.number.shape(), DType::u8);
  for (size_t i = 0; i < size_t(mask.count()); ++i) mask.mutable_data<uint8_t>()[i] = unseen.objects.number.data<int32_t>()[i] > 0;
  const LabelledObjects parts = objects_of_labels(mask, 1, {}, "the mask");
  const int64_t objects = int64_t(unseen.objects.label.size());
  LabelledObjects masks{found.volume.data.reshape(mask.shape()), {}};
  for (int32_t n : masks.number.data<int32_t>())
    if (n > int32_t(masks.label.size())) masks.label.resize(size_t(n), 0);
  std::printf("an unseen image with %lld nuclei: %zu found, panoptic quality %.3f; connected parts of the true mask: %zu, %.3f\n",
              static_cast<long long>(objects), masks.label.size(), panoptic_quality(masks, unseen.objects), parts.label.size(),
              panoptic_quality(parts, unseen.objects));
  return 0;
}
