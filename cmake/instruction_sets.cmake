# Kernels that are compiled once per instruction set, found by the ends of their names:
#   X_isa.cpp       for baseline, avx2 and avx512
#   X_isa_bf16.cpp  for avx512_bf16 as well
#   X_SET.cpp       for one set alone
# Units of X_exact_isa.cpp do not contract to fma: their results are the same bits for every set.
# The first two become units X_SET.cpp in the build tree that include the source. All that a unit defines is in a namespace of the name
# VOXGRAD_ISA_NAMESPACE, that of its set: units of different sets share no inline function.
set(isa_sources ${sources})
list(FILTER isa_sources INCLUDE REGEX "_isa(_bf16)?\\.cpp$")
list(REMOVE_ITEM sources ${isa_sources})
foreach(source IN LISTS isa_sources)
  set(sets baseline)
  if(NOT VOXGRAD_BASELINE_ONLY)
    list(APPEND sets avx2 avx512)
  endif()
  if(source MATCHES "_isa_bf16\\.cpp$" AND NOT VOXGRAD_BASELINE_ONLY)
    list(APPEND sets avx512_bf16)
  endif()
  file(RELATIVE_PATH path ${CMAKE_CURRENT_SOURCE_DIR} ${source})
  string(REGEX REPLACE "_isa(_bf16)?\\.cpp$" "" stem ${path})
  foreach(isa IN LISTS sets)
    set(unit ${CMAKE_CURRENT_BINARY_DIR}/instruction_sets/${stem}_${isa}.cpp)
    file(CONFIGURE OUTPUT ${unit} CONTENT "#include \"${path}\"\n" @ONLY)  # written where it differs
    list(APPEND sources ${unit})
  endforeach()
endforeach()

# Loops over voxels may select and take roots without branches: no floating-point traps and no errno, which changes no result.
set(vectorising -O3 -fno-trapping-math -fno-math-errno)
if(VOXGRAD_SANITIZE)
  set(vectorising -O1 -fno-trapping-math -fno-math-errno)
endif()
if(VOXGRAD_SANITIZE MATCHES address)
  # The heap is watched; arrays on the stack and arithmetic would take as long to compile again.
  # Checks inline run 1.4 (convolutions) to 3 times (projections) as fast as calls; functions of many would compile for minutes.
  list(APPEND vectorising --param asan-stack=0 -fno-sanitize=undefined --param asan-instrumentation-with-call-threshold=100)
endif()
set(options_baseline ${vectorising})
set(options_avx2 ${options_baseline} -mavx2 -mfma -mf16c -ffp-contract=fast)
set(options_avx512 ${options_avx2} -mavx512f -mavx512bw -mavx512dq -mavx512vl -mprefer-vector-width=512)
set(options_avx512_bf16 ${options_avx512} -mavx512bf16)
if(VOXGRAD_BASELINE_ONLY)
  list(APPEND options_avx512_bf16 -O0)  # linked, never called
endif()
foreach(source IN LISTS sources)
  if(source MATCHES "_(baseline|avx2|avx512|avx512_bf16)\\.cpp$")
    set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS "${options_${CMAKE_MATCH_1}}"
      COMPILE_DEFINITIONS VOXGRAD_ISA_NAMESPACE=${CMAKE_MATCH_1})
    if(source MATCHES "_exact_[a-z0-9]+\\.cpp$")
      set_property(SOURCE ${source} APPEND PROPERTY COMPILE_OPTIONS -ffp-contract=off)
    endif()
  elseif(source MATCHES "_cpu\\.cpp$")
    set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS "${vectorising}")
  endif()
endforeach()
