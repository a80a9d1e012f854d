# What a build may choose, and the flags that follow. Strictness comes from the presets only: a user
# who adds Parley to a project of their own gets neither our warnings nor -Werror.

option(PARLEY_STRICT "Warnings of this project, as errors (set by the presets)" OFF)
option(PARLEY_FUZZ "Make the fuzz programs libFuzzer's, not replays (set by preset asan)" OFF)
option(PARLEY_CLI "Build the parley command" ${PROJECT_IS_TOP_LEVEL})
option(PARLEY_GEN "Build parley-gen, which reads interfaces by libclang" ${PROJECT_IS_TOP_LEVEL})
option(PARLEY_REGEX "Build codec_regex, regular expressions in rules" ${PROJECT_IS_TOP_LEVEL})
option(PARLEY_YAML "Build codec_yaml, the reader of configuration" ${PROJECT_IS_TOP_LEVEL})
option(PARLEY_XML "Build codec_xml, XML both ways" ${PROJECT_IS_TOP_LEVEL})
option(PARLEY_FILTERS "Build wire_filters (gzip, zstd, ...) and http" ${PROJECT_IS_TOP_LEVEL})
option(PARLEY_PROTOC "Build protoc-gen-parley, C++ from .proto files" ${PROJECT_IS_TOP_LEVEL})
option(PARLEY_EXAMPLES "Build the examples" ${PROJECT_IS_TOP_LEVEL})
option(PARLEY_BENCH "Build the benchmark programs" ${PROJECT_IS_TOP_LEVEL})
option(PARLEY_COUNT_OS_LOCKS "In debug builds, refuse to wait while an OS mutex is held" ON)
option(PARLEY_TESTS "Build the tests" ${PROJECT_IS_TOP_LEVEL})
set(PARLEY_SKIP_TESTS_OF "" CACHE STRING "Floors whose tests are not built (codec;wire)")
set(PARLEY_SANITIZE "" CACHE STRING "Sanitizers, as for -fsanitize= (address,undefined)")

# Not for a project that adds Parley: the cache is its own.
if(PROJECT_IS_TOP_LEVEL AND NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()

set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_CXX_EXTENSIONS OFF)

find_program(PARLEY_CCACHE ccache)
if(PARLEY_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${PARLEY_CCACHE}")
endif()

find_package(Threads REQUIRED)

# Flags every target of this project is compiled with.
add_library(parley_flags INTERFACE)
target_compile_features(parley_flags INTERFACE cxx_std_20)
if(PARLEY_STRICT)
  target_compile_options(parley_flags INTERFACE
    $<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-Wconversion;-Wshadow;-Werror>)
  # clang's meaning of two of these is wider; g++'s is what we write by.
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    target_compile_options(parley_flags INTERFACE
      $<$<COMPILE_LANGUAGE:CXX>:-Wno-sign-conversion;-Wno-shadow>)
  endif()
  # g++ 12 at -O3 sees overlapping copies in "text" + std::string where none are (GCC PR 105651).
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    target_compile_options(parley_flags INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wno-restrict>)
    # And the inside of an empty std::optional or std::variant as read when it goes (GCC PR 80635).
    target_compile_options(parley_flags INTERFACE
      $<$<COMPILE_LANGUAGE:CXX>:-Wno-maybe-uninitialized>)
  endif()
endif()
if(PARLEY_SANITIZE)
  add_compile_options("-fsanitize=${PARLEY_SANITIZE}" -fno-omit-frame-pointer
    -fno-sanitize-recover=all)
  add_link_options("-fsanitize=${PARLEY_SANITIZE}")
  # This check asks the kernel through a pipe whether memory can be read, and finds that it cannot
  # where a test has used up the descriptors.
  add_compile_options(-fno-sanitize=vptr)
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang" AND PARLEY_SANITIZE STREQUAL "thread")
    # As a library: a test that counts what is allocated brings an operator new of its own, of which
    # the linker takes no second one from an archive.
    execute_process(COMMAND "${CMAKE_CXX_COMPILER}"
      "-print-file-name=libclang_rt.tsan-${CMAKE_SYSTEM_PROCESSOR}.so"
      OUTPUT_VARIABLE runtime OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
    cmake_path(GET runtime PARENT_PATH runtime)
    add_link_options(-shared-libsan "-Wl,-rpath,${runtime}")
  endif()
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang" AND PARLEY_SANITIZE MATCHES "address")
    # Each fiber would have a second stack, and more of each function would be compiled.
    add_compile_options(-fsanitize-address-use-after-return=never)
  endif()
endif()
if(PARLEY_FUZZ AND NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  message(FATAL_ERROR "PARLEY_FUZZ needs clang: use `cmake --preset asan` or ./dev fuzz")
endif()
