#pragma once
#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/config/json.h"

// The JSON library, for files that use values. What it is made of is compiled once, in json_values.cpp: to do so again is most of what a
// file costs that includes <nlohmann/json.hpp>. The names are those of 3.11; other versions are compiled as they come.
#if NLOHMANN_JSON_VERSION_MAJOR == 3 && NLOHMANN_JSON_VERSION_MINOR == 11
#define VOXGRAD_JSON_PARTS(EXTERN)                                                                                                      \
  EXTERN template class nlohmann::basic_json<nlohmann::ordered_map>;                                                                    \
  EXTERN template class std::vector<voxgrad::Json>;                                                                                     \
  EXTERN template class nlohmann::detail::iter_impl<const voxgrad::Json>;                                                               \
  EXTERN template class nlohmann::detail::serializer<voxgrad::Json>;                                                                    \
  EXTERN template class nlohmann::detail::lexer_base<voxgrad::Json>;                                                                    \
  EXTERN template class nlohmann::detail::json_sax_dom_parser<voxgrad::Json>;                                                           \
  EXTERN template class nlohmann::detail::json_sax_dom_callback_parser<voxgrad::Json>;                                                  \
  EXTERN template class nlohmann::detail::lexer<voxgrad::Json, nlohmann::detail::iterator_input_adapter<const char*>>;                  \
  EXTERN template class nlohmann::detail::parser<voxgrad::Json, nlohmann::detail::iterator_input_adapter<const char*>>;                 \
  EXTERN template class nlohmann::detail::lexer<voxgrad::Json, nlohmann::detail::iterator_input_adapter<std::string::const_iterator>>;  \
  EXTERN template class nlohmann::detail::parser<voxgrad::Json, nlohmann::detail::iterator_input_adapter<std::string::const_iterator>>; \
  EXTERN template class nlohmann::detail::lexer<voxgrad::Json, nlohmann::detail::input_stream_adapter>;                                 \
  EXTERN template class nlohmann::detail::parser<voxgrad::Json, nlohmann::detail::input_stream_adapter>;

VOXGRAD_JSON_PARTS(extern)
#endif

namespace voxgrad {
// JSON has no number that is not finite: null.
inline Json finite_or_null(double v) { return std::isfinite(v) ? Json(v) : Json(nullptr); }
}  // namespace voxgrad
