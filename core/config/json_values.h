#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/config/json.h"

// The JSON library, for files that use values. What it is made of is compiled once, in json_values.cpp: to do so again is most of what a
// file costs that includes <nlohmann/json.hpp>. The names are those of 3.11; other versions are compiled as they come.
#if NLOHMANN_JSON_VERSION_MAJOR == 3 && NLOHMANN_JSON_VERSION_MINOR == 11
namespace voxgrad::json_parts {
namespace parts = nlohmann::detail;
using Text = parts::iterator_input_adapter<const char*>;
using Characters = parts::iterator_input_adapter<std::string::const_iterator>;
using Stream = parts::input_stream_adapter;
}  // namespace voxgrad::json_parts

#define VOXGRAD_JSON_PARTS(EXTERN)                                                                      \
  EXTERN template class nlohmann::basic_json<nlohmann::ordered_map>;                                    \
  EXTERN template class std::vector<voxgrad::Json>;                                                     \
  EXTERN template class voxgrad::json_parts::parts::iter_impl<const voxgrad::Json>;                     \
  EXTERN template class voxgrad::json_parts::parts::serializer<voxgrad::Json>;                          \
  EXTERN template class voxgrad::json_parts::parts::lexer_base<voxgrad::Json>;                          \
  EXTERN template class voxgrad::json_parts::parts::json_sax_dom_parser<voxgrad::Json>;                 \
  EXTERN template class voxgrad::json_parts::parts::json_sax_dom_callback_parser<voxgrad::Json>;        \
  EXTERN template class voxgrad::json_parts::parts::lexer<voxgrad::Json, voxgrad::json_parts::Text>;    \
  EXTERN template class voxgrad::json_parts::parts::parser<voxgrad::Json, voxgrad::json_parts::Text>;   \
  EXTERN template class voxgrad::json_parts::parts::lexer<voxgrad::Json, voxgrad::json_parts::Characters>;  \
  EXTERN template class voxgrad::json_parts::parts::parser<voxgrad::Json, voxgrad::json_parts::Characters>; \
  EXTERN template class voxgrad::json_parts::parts::lexer<voxgrad::Json, voxgrad::json_parts::Stream>;  \
  EXTERN template class voxgrad::json_parts::parts::parser<voxgrad::Json, voxgrad::json_parts::Stream>;

VOXGRAD_JSON_PARTS(extern)
#endif
