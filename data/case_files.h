#pragma once
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "core/config/json.h"
#include "data/dataset.h"

namespace voxgrad {

// "case_0001" and 1 of "case_0001_0001"; -1 without such an ending.
std::pair<std::string, int> split_channel(const std::string& stem);
// That the file holds, as an RGB picture holds three; 0 where it cannot be read, of which who reads it says why.
int64_t channels_in(const std::filesystem::path&);

// An entry of "training" or "test": {"image": file or [files], "label": file}, of test cases a file alone; a folder with a DICOM series is
// as good as a file, "series" says which of several (ReadOptions::series). A file that is listed without
// the number of a channel stands for those with one, as in nnU-Net v1: c.nii.gz for c_0000.nii.gz, c_0001.nii.gz, ..
DatasetCase listed_case(const Dataset&, const Json& entry, const std::string& who);
// imagesTr/{case}_0000{ending}, ...: every case with as many files as there are channels, or one that holds all of them; a folder of
// DICOM files, {case} or {case}_0000, is as good as a file. One that cannot be used is an Error, or is left out with a line in `faults`.
std::vector<DatasetCase> cases_in(const Dataset&, const char* images, const char* labels, std::vector<std::string>* faults);

}  // namespace voxgrad
