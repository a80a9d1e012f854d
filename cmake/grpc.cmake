# parley_grpc(): what protoc and gRPC C++ make of one .proto file, as a static library. gRPC C++ is
# a foreigner to this project, asked by tests and measurements only (Debian: libgrpc++-dev,
# protobuf-compiler-grpc). Its code, and what is made for it, is not held to our warnings.
#
#   parley_grpc(grpc_echo "${CMAKE_CURRENT_SOURCE_DIR}/grpc/echo.proto")
#   if(TARGET grpc_echo)               # gRPC C++ is here
#     target_link_libraries(<program> PRIVATE grpc_echo)      # #include "echo.grpc.pb.h"

function(parley_grpc target proto)
  find_package(PkgConfig QUIET)
  find_program(PARLEY_PROTOC_PROGRAM protoc DOC "protoc (Debian: protobuf-compiler)")
  find_program(PARLEY_GRPC_PLUGIN grpc_cpp_plugin DOC "(Debian: protobuf-compiler-grpc)")
  if(NOT PKG_CONFIG_FOUND OR NOT PARLEY_PROTOC_PROGRAM OR NOT PARLEY_GRPC_PLUGIN)
    return()
  endif()
  if(NOT TARGET PkgConfig::PARLEY_GRPC)
    pkg_check_modules(PARLEY_GRPC QUIET IMPORTED_TARGET GLOBAL grpc++ protobuf)
  endif()
  if(NOT TARGET PkgConfig::PARLEY_GRPC)
    return()
  endif()
  cmake_path(GET proto PARENT_PATH folder)
  cmake_path(GET proto STEM stem)
  set(made "${CMAKE_CURRENT_BINARY_DIR}/${target}_made")
  file(MAKE_DIRECTORY "${made}")
  set(sources "${made}/${stem}.pb.cc" "${made}/${stem}.grpc.pb.cc")
  add_custom_command(
    OUTPUT ${sources} "${made}/${stem}.pb.h" "${made}/${stem}.grpc.pb.h"
    COMMAND "${PARLEY_PROTOC_PROGRAM}" "--cpp_out=${made}" "--grpc_out=${made}"
      "--plugin=protoc-gen-grpc=${PARLEY_GRPC_PLUGIN}" "-I${folder}" "${proto}"
    DEPENDS "${proto}" VERBATIM)
  add_library(${target} STATIC EXCLUDE_FROM_ALL ${sources})
  target_include_directories(${target} SYSTEM PUBLIC "${made}")
  target_link_libraries(${target} PUBLIC PkgConfig::PARLEY_GRPC)
endfunction()
