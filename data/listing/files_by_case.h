#pragma once
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace voxgrad {

// The name of a file without its folder and the ending of its format: "case_1.nii.gz" is case_1.
std::string case_name(const std::filesystem::path& file);
// Of each of these files and folders (of DICOM files) its name or, where two have the same, those of the folders that not all lie in before
// it: p1/image.nii and p2/image.nii are p1_image and p2_image.
std::vector<std::string> case_names(const std::vector<std::filesystem::path>& files);

// The files of a folder by the names of their cases, of which two are an Error. Hidden files are none.
// id: the name of a case by its file; empty: no such file. Without it they are volumes: PNG, JPEG and BMP files beside others are pictures
// of them and left out, as is an .npz beside another volume of its name (probabilities) and the .img of a .hdr. In a folder without any of
// them, folders of DICOM files are (dicom_cases).
std::map<std::string, std::filesystem::path> files_by_case(const std::filesystem::path& folder,
                                                           const std::function<std::string(const std::filesystem::path&)>& id = {});

// Whether there is a DICOM file in a folder or in one below it.
bool holds_dicom(const std::filesystem::path& folder);

// The folders in a folder of DICOM files that are a case each, in their order: those that hold images, if each is of a study, or of a
// patient, of its own. None where the folder is one case: it has images itself, or its folders share a series or all of them are of one
// study. Folders of which only some are of one study are an Error.
std::vector<std::filesystem::path> dicom_cases(const std::filesystem::path& folder);

}  // namespace voxgrad
