#pragma once
#include <cstdint>

namespace voxgrad::zip {

// Numbers of zip archives (APPNOTE.TXT of PKWARE).
inline constexpr uint32_t kLocal = 0x04034b50, kCentral = 0x02014b50, kEnd = 0x06054b50, kEnd64 = 0x06064b50, kLocator64 = 0x07064b50;
inline constexpr uint16_t kStored = 0, kDeflated = 8, kExtra64 = 1;

}  // namespace voxgrad::zip
