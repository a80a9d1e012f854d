# parley_floor(): one floor of the house = one folder = one target = one include root.
#
#   parley_floor(rt RANK 2
#     DEPENDS base                      # floors below; their headers become visible, no others do
#     SOURCES fiber.cc scheduler.cc     # implementation
#     LIBRARIES simdjson                # third-party libraries, private to this target
#     TESTS channel_test.cc             # one test program per floor: <floor>_test
#     TEST_LIBRARIES rt_testing         # what only the tests need
#     SOURCES_INCLUDE parley/net/net.h  # headers that most sources include: read once for all
#     TESTS_INCLUDE parley/net/net.h    # the same for tests
#     FUZZ json_fuzz.cc)                # one fuzz program per file; corpus in <floor>/corpus/<name>
#
# The include root of a floor holds a single link, parley/<floor>, to its folder. A target sees the
# roots of the floors it names (and of theirs) and nothing else, so an include upwards or sideways
# does not compile; a dependency upwards or sideways does not even configure.

include(GoogleTest)
include(precompile)

# Makes <build>/inc/<root>/parley/<name> point at `target_path`.
function(parley_include_root root name target_path)
  set(dir "${PROJECT_BINARY_DIR}/inc/${root}/parley")
  file(MAKE_DIRECTORY "${dir}")
  file(CREATE_LINK "${target_path}" "${dir}/${name}" SYMBOLIC)
endfunction()

function(parley_check_rank floor rank depends)
  foreach(below IN LISTS depends)
    if(NOT TARGET parley_${below})
      message(FATAL_ERROR
        "floor '${floor}' depends on '${below}', which does not stand yet: a floor depends only on "
        "floors below it (see the add_subdirectory order in CMakeLists.txt)")
    endif()
    get_target_property(below_rank parley_${below} PARLEY_RANK)
    if(NOT below_rank LESS rank)
      message(FATAL_ERROR
        "floor '${floor}' (rank ${rank}) depends on '${below}' (rank ${below_rank}): siblings and "
        "higher floors are out of reach; move what both need to a floor below them")
    endif()
  endforeach()
endfunction()

function(parley_floor floor)
  cmake_parse_arguments(arg "" "RANK"
    "DEPENDS;SOURCES;LIBRARIES;TESTS;TEST_LIBRARIES;SOURCES_INCLUDE;TESTS_INCLUDE;FUZZ" ${ARGN})
  if(arg_UNPARSED_ARGUMENTS OR NOT DEFINED arg_RANK)
    message(FATAL_ERROR
      "parley_floor(${floor}): RANK is required; unknown: ${arg_UNPARSED_ARGUMENTS}")
  endif()
  parley_check_rank(${floor} ${arg_RANK} "${arg_DEPENDS}")

  parley_include_root(${floor} ${floor} "${CMAKE_CURRENT_SOURCE_DIR}")
  add_library(parley_${floor} STATIC ${arg_SOURCES})
  add_library(parley::${floor} ALIAS parley_${floor})
  set_target_properties(parley_${floor} PROPERTIES PARLEY_RANK ${arg_RANK})
  target_include_directories(parley_${floor} PUBLIC "${PROJECT_BINARY_DIR}/inc/${floor}")
  target_compile_features(parley_${floor} PUBLIC cxx_std_20)
  target_link_libraries(parley_${floor} PRIVATE $<BUILD_INTERFACE:parley_flags> ${arg_LIBRARIES})
  foreach(below IN LISTS arg_DEPENDS)
    target_link_libraries(parley_${floor} PUBLIC parley_${below})
  endforeach()
  parley_precompile(parley_${floor} code ${arg_SOURCES_INCLUDE})
  parley_watched_by_fuzzers(parley_${floor})
  parley_headers(${floor} ${floor})
  parley_tests_of(${floor} "${arg_TESTS}" "${arg_TEST_LIBRARIES}" "${arg_TESTS_INCLUDE}"
    "${arg_FUZZ}")
endfunction()

# A library of its own beside its floor, in a folder below it: what of the floor brings libraries
# that not every user of the floor wants to link.
#
#   parley_part(codec_yaml OF codec SOURCES yaml.cc LIBRARIES yaml-cpp TESTS yaml_test.cc)
#
# It belongs to the floor: it may include the floor's impl/, and what the floor may include.
function(parley_part part)
  cmake_parse_arguments(arg "" "OF"
    "SOURCES;LIBRARIES;TESTS;TEST_LIBRARIES;SOURCES_INCLUDE;TESTS_INCLUDE;FUZZ" ${ARGN})
  if(arg_UNPARSED_ARGUMENTS OR NOT TARGET parley_${arg_OF})
    message(FATAL_ERROR
      "parley_part(${part}): OF must name a floor that stands; unknown: ${arg_UNPARSED_ARGUMENTS}")
  endif()
  add_library(parley_${part} STATIC ${arg_SOURCES})
  add_library(parley::${part} ALIAS parley_${part})
  get_target_property(rank parley_${arg_OF} PARLEY_RANK)
  set_target_properties(parley_${part} PROPERTIES PARLEY_RANK ${rank})
  target_link_libraries(parley_${part}
    PUBLIC parley_${arg_OF} PRIVATE $<BUILD_INTERFACE:parley_flags> ${arg_LIBRARIES})
  cmake_path(RELATIVE_PATH CMAKE_CURRENT_SOURCE_DIR BASE_DIRECTORY "${PROJECT_SOURCE_DIR}/parley"
    OUTPUT_VARIABLE folder)
  parley_precompile(parley_${part} code ${arg_SOURCES_INCLUDE})
  parley_watched_by_fuzzers(parley_${part})
  parley_headers(${part} "${folder}")
  parley_tests_of(${part} "${arg_TESTS}" "${arg_TEST_LIBRARIES}" "${arg_TESTS_INCLUDE}"
    "${arg_FUZZ}")
endfunction()

function(parley_tests_of target tests test_libraries includes fuzz)
  if(target IN_LIST PARLEY_SKIP_TESTS_OF)
    return()
  endif()
  if(PARLEY_TESTS AND tests)
    parley_test(${target}_test SOURCES ${tests} LIBRARIES parley_${target} ${test_libraries}
      INCLUDE ${includes})
  endif()
  if(PARLEY_TESTS)
    foreach(source IN LISTS fuzz)
      parley_fuzz(${target} ${source})
    endforeach()
  endif()
endfunction()

# Target `tests` builds all test programs. A release build leaves them out of `all`: who builds that
# wants what is shipped, and at -O3 they would be most of the time.
if(NOT TARGET tests)
  add_custom_target(tests)
endif()
function(parley_is_test program)
  add_dependencies(tests ${program})
  if(CMAKE_BUILD_TYPE STREQUAL "Release")
    set_target_properties(${program} PROPERTIES EXCLUDE_FROM_ALL TRUE)
  endif()
endfunction()

# A GoogleTest program whose cases become ctest tests named Suite.case. INCLUDE: headers that most
# of its sources include.
function(parley_test name)
  cmake_parse_arguments(arg "" "TIMEOUT" "SOURCES;LIBRARIES;INCLUDE" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 90)  # beyond the deadline of a fiber test, which then shows its fibers
  endif()
  find_package(GTest REQUIRED)
  add_executable(${name} ${arg_SOURCES})
  parley_is_test(${name})
  target_link_libraries(${name} PRIVATE parley_flags ${arg_LIBRARIES} GTest::gtest_main)
  parley_precompile(${name} tests ${arg_INCLUDE})
  # Where tests find the witnesses beside them; __FILE__ may be relative.
  target_compile_definitions(${name} PRIVATE "PARLEY_SOURCE_DIR=\"${PROJECT_SOURCE_DIR}\"")
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
    PROPERTIES TIMEOUT ${arg_TIMEOUT})
endfunction()

# Whether `source` starts by including `header`: then compiling it shows that the header stands
# alone.
function(parley_opens_with result source header)
  set(${result} FALSE PARENT_SCOPE)
  if(EXISTS "${source}")
    file(STRINGS "${source}" first REGEX "^#include" LIMIT_COUNT 1)
    if(first STREQUAL "#include \"${header}\"")
      set(${result} TRUE PARENT_SCOPE)
    endif()
  endif()
endfunction()

# Target `headers` compiles alone every header that its own source or test does not open with: each
# must include what it uses.
if(NOT TARGET headers)
  add_custom_target(headers)
endif()
function(parley_headers floor folder)
  file(GLOB_RECURSE found CONFIGURE_DEPENDS RELATIVE "${CMAKE_CURRENT_SOURCE_DIR}"
    "${CMAKE_CURRENT_SOURCE_DIR}/*.h")
  set(units)
  foreach(header IN LISTS found)
    if(header MATCHES "(^|/)testing/")
      continue()  # these belong to test-only targets, which compile them
    endif()
    string(REGEX MATCH "^[^/]+" top "${header}")
    if(EXISTS "${CMAKE_CURRENT_SOURCE_DIR}/${top}/CMakeLists.txt")
      continue()  # a part, which compiles its own
    endif()
    string(REGEX REPLACE "\\.h$" "" stem "${CMAKE_CURRENT_SOURCE_DIR}/${header}")
    parley_opens_with(by_source "${stem}.cc" "parley/${folder}/${header}")
    parley_opens_with(by_test "${stem}_test.cc" "parley/${folder}/${header}")
    if(by_source OR (by_test AND PARLEY_TESTS))
      continue()
    endif()
    string(MAKE_C_IDENTIFIER "${header}" id)
    set(unit "${PROJECT_BINARY_DIR}/headers/${floor}/${id}.cc")
    file(CONFIGURE OUTPUT "${unit}" CONTENT "#include \"parley/${folder}/${header}\"\n")
    list(APPEND units "${unit}")
  endforeach()
  if(units)
    add_library(headers_${floor} OBJECT EXCLUDE_FROM_ALL ${units})
    target_link_libraries(headers_${floor} PRIVATE parley_flags parley_${floor})
    add_dependencies(headers headers_${floor})
  endif()
endfunction()

# libFuzzer wants to know which way an input went.
function(parley_watched_by_fuzzers library)
  if(PARLEY_FUZZ)
    target_compile_options(${library} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-fsanitize=fuzzer-no-link>)
  endif()
endfunction()

# A fuzz program; a test replays its corpus (every input that was ever worth keeping), so a finding
# once mended stays mended. With PARLEY_FUZZ it is a libFuzzer program.
function(parley_fuzz floor source)
  get_filename_component(name "${source}" NAME_WE)
  set(corpus "${CMAKE_CURRENT_SOURCE_DIR}/corpus/${name}")
  add_executable(${name} ${source})
  target_link_libraries(${name} PRIVATE parley_flags parley_${floor})
  parley_is_test(${name})
  if(PARLEY_FUZZ)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    set_property(GLOBAL APPEND PROPERTY PARLEY_FUZZERS
      "${name}|${corpus}|$<TARGET_FILE:${name}>")
    add_test(NAME FuzzCorpus.${name} COMMAND ${name} -runs=0 "${corpus}")
  else()
    target_sources(${name} PRIVATE "${PROJECT_SOURCE_DIR}/tools/fuzz_replay.cc")
    add_test(NAME FuzzCorpus.${name} COMMAND ${name} "${corpus}")
  endif()
  set_tests_properties(FuzzCorpus.${name} PROPERTIES TIMEOUT 120)
endfunction()

# Writes <build>/fuzzers.txt for ./dev fuzz: a line `name|corpus|program` for each fuzz target.
function(parley_list_fuzzers)
  get_property(fuzzers GLOBAL PROPERTY PARLEY_FUZZERS)
  list(JOIN fuzzers "\n" lines)
  file(GENERATE OUTPUT "${PROJECT_BINARY_DIR}/fuzzers.txt" CONTENT "${lines}\n")
  add_custom_target(fuzz_programs_listed)  # building it regenerates the list when it is stale
endfunction()

# A part that is not built: who links it is told by which option it is. CMake says no more of an
# unknown target than its name, so the name says it all.
function(parley_part_is_off part option)
  add_library(parley_${part}_off INTERFACE)
  add_library(parley::${part} ALIAS parley_${part}_off)
  target_link_libraries(parley_${part}_off INTERFACE
    "parley::${part} is off: set(${option} ON) before Parley is added")
endfunction()

# The facade: <parley/parley.h> and the target a user links, parley::parley.
function(parley_facade)
  parley_include_root(parley parley.h "${PROJECT_SOURCE_DIR}/parley/parley.h")
  add_library(parley INTERFACE)
  add_library(parley::parley ALIAS parley)
  target_include_directories(parley INTERFACE "${PROJECT_BINARY_DIR}/inc/parley")
  target_link_libraries(parley INTERFACE parley_peer)
  file(CONFIGURE OUTPUT "${PROJECT_BINARY_DIR}/headers/parley/parley_h.cc"
    CONTENT "#include <parley/parley.h>\n")
  add_library(headers_parley OBJECT EXCLUDE_FROM_ALL
    "${PROJECT_BINARY_DIR}/headers/parley/parley_h.cc")
  target_link_libraries(headers_parley PRIVATE parley_flags parley)
  add_dependencies(headers headers_parley)
endfunction()
