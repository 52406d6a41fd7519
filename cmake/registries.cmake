# Lists of what is chosen by name. A static library drops objects that nobody refers to, and their static constructors with them, so the
# lists are written here, from the names of the files: models/.../unet_model.cpp defines `ModelEntry unet_model()`.
#   voxgrad_registry(FOLDER ENDING HEADER ENTRY FUNCTION WHAT)
# Files FOLDER/**/X_ENDING.cpp; FUNCTION gives the Registry<ENTRY>&, both declared in HEADER; WHAT names it in messages.
function(voxgrad_registry folder ending header entry function what)
  file(GLOB_RECURSE files CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/*_${ending}.cpp)
  list(SORT files COMPARE FILE_BASENAME)
  set(declarations "")
  set(calls "")
  foreach(file IN LISTS files)
    get_filename_component(name ${file} NAME_WE)
    string(APPEND declarations "${entry} ${name}();\n")
    string(APPEND calls "${name}(), ")
  endforeach()
  set(generated ${CMAKE_CURRENT_BINARY_DIR}/generated/${ending}_list.cpp)
  file(CONFIGURE OUTPUT ${generated} CONTENT "// Written by cmake/registries.cmake.
#include \"${header}\"

namespace voxgrad {

${declarations}
Registry<${entry}>& ${function}() {
  static Registry<${entry}> all(\"${what}\", {${calls}});
  return all;
}

}  // namespace voxgrad
")
  target_sources(voxgrad PRIVATE ${generated})
endfunction()
