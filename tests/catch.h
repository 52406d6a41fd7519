#pragma once
// Catch2 3 (Ubuntu 24.04) or 2 (Debian 12), written for as 2: Catch::Matchers::Contains("words") finds words in a string in both.
#if VOXGRAD_CATCH2 >= 3
#include <catch2/catch_all.hpp>
using Catch::Approx;
using EventListener = Catch::EventListenerBase;
namespace Catch::Matchers {
// Preferred to the template of this name, which finds elements of a range.
inline StringContainsMatcher Contains(const char* words) { return ContainsSubstring(words); }
inline StringContainsMatcher Contains(std::string words) { return ContainsSubstring(words); }
}  // namespace Catch::Matchers
#else
#include <catch2/catch.hpp>
#ifdef CATCH_CONFIG_RUNNER
using EventListener = Catch::TestEventListenerBase;
#endif
#endif
