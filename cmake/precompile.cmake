# parley_precompile(target kind [header...]): the headers of the standard library that most sources
# include are read once for all targets of a kind instead of once for each source: half of what most
# files of a floor take to compile. Kinds: code, for libraries; tests, which also has GoogleTest;
# users, programs that include parley.h. A target that names headers of its own, which most of its
# sources include, gets them read once as well.
#
# It hides who includes too little. Release builds and clang-tidy do without it and tell of sources,
# the target `headers` tells of headers; so PARLEY_PRECOMPILE is for the other presets.

option(PARLEY_PRECOMPILE "Read common headers once for all targets (set by the presets)" OFF)

set(parley_precompiled_code <algorithm> <array> <atomic> <chrono> <cstddef> <cstdint> <cstring>
  <deque> <functional> <limits> <map> <memory> <mutex> <optional> <set> <span> <string>
  <string_view> <tuple> <type_traits> <unordered_map> <utility> <variant> <vector>)
set(parley_precompiled_tests ${parley_precompiled_code} <gtest/gtest.h>)
set(parley_precompiled_users ${parley_precompiled_code} <parley/parley.h>)

# So that ccache knows what a precompiled header stands for; tools/dev/lib.sh tells it to look.
if(PARLEY_PRECOMPILE AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fpch-preprocess>)
elseif(PARLEY_PRECOMPILE)
  add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:SHELL:-Xclang -fno-pch-timestamp>")
endif()

function(parley_precompile target kind)
  if(NOT PARLEY_PRECOMPILE)
    return()
  endif()
  if(ARGN)
    list(TRANSFORM ARGN REPLACE ".+" "<\\0>" OUTPUT_VARIABLE own)
    target_precompile_headers(${target} PRIVATE ${parley_precompiled_${kind}} ${own})
    return()
  endif()
  set(common parley_precompiled_${kind})
  if(NOT TARGET ${common})
    set(empty "${PROJECT_BINARY_DIR}/precompiled/${kind}.cc")
    file(CONFIGURE OUTPUT "${empty}" CONTENT "")
    add_library(${common} OBJECT EXCLUDE_FROM_ALL "${empty}")
    target_link_libraries(${common} PRIVATE parley_flags)
    target_precompile_headers(${common} PRIVATE ${parley_precompiled_${kind}})
    if(kind STREQUAL "code")
      parley_watched_by_fuzzers(${common})
    elseif(kind STREQUAL "tests")
      target_link_libraries(${common} PRIVATE GTest::gtest)
    else()
      target_link_libraries(${common} PRIVATE parley::parley)
    endif()
  endif()
  target_precompile_headers(${target} REUSE_FROM ${common})
endfunction()
