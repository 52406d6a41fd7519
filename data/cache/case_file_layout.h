#pragma once
#include <cstddef>
#include <cstdint>

// The parts of a case file (case_file.h) that have a fixed form.
namespace voxgrad {

constexpr char kBegin[9] = "voxgradC", kEnd[9] = "voxgradE";
constexpr uint32_t kVersion = 1;
constexpr size_t kAlignment = 64;
constexpr int kAnnotated = -1;  // the "label" of the places of all annotated voxels

struct CasePiece {
  uint64_t offset;
  uint32_t checksum, zero;
};
static_assert(sizeof(CasePiece) == 16);

struct CaseFileEnd {
  uint64_t index = 0, header = 0;
  uint32_t index_checksum = 0, header_checksum = 0;
  char end[8] = {'v', 'o', 'x', 'g', 'r', 'a', 'd', 'E'};
};
static_assert(sizeof(CaseFileEnd) == 32);

uint32_t checksum_of(const void* data, size_t bytes);  // CRC-32

}  // namespace voxgrad
