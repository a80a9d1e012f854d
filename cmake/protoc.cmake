# parley_protoc(): plain C++ structs from .proto files, made anew whenever one of them changes.
#
#   parley_protoc(shop order.proto parts/price.proto    # adds <shop> their headers
#     ROOT "${CMAKE_CURRENT_SOURCE_DIR}/api"            # what they are relative to; default: here
#     IMPORTS "${CMAKE_SOURCE_DIR}/third_party"         # where else imports are looked for
#     OPTIONS unknown_fields=keep)                      # of protoc-gen-parley
#
#   #include "parts/price.parley.h"                     // in the sources of <shop>
#
# The target, which is of any kind, is linked with codec, and with the messages of
# google/protobuf/*.proto, which are made once: `parley::well_known` in C++.

function(parley_protoc target)
  cmake_parse_arguments(arg "" "ROOT" "IMPORTS;OPTIONS" ${ARGN})
  if(NOT TARGET protoc-gen-parley)
    message(FATAL_ERROR "parley_protoc(${target}): there is no protoc-gen-parley; configure with "
      "PARLEY_PROTOC=ON")
  endif()
  if(NOT arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "parley_protoc(${target}): name at least one .proto file, before "
      "ROOT, IMPORTS and OPTIONS")
  endif()
  if(NOT arg_ROOT)
    set(arg_ROOT "${CMAKE_CURRENT_SOURCE_DIR}")
  endif()
  set(out "${CMAKE_CURRENT_BINARY_DIR}/${target}_protoc")
  set(flags)
  foreach(folder IN LISTS arg_ROOT arg_IMPORTS PARLEY_PROTOBUF_PROTOS)
    list(APPEND flags "-I${folder}")
  endforeach()
  foreach(option IN LISTS arg_OPTIONS)
    list(APPEND flags "--parley_opt=${option}")
  endforeach()
  set(headers)
  foreach(proto IN LISTS arg_UNPARSED_ARGUMENTS)
    string(REGEX REPLACE "\\.proto$" "" stem "${proto}")
    set(header "${out}/${stem}.parley.h")
    get_filename_component(folder "${header}" DIRECTORY)
    file(MAKE_DIRECTORY "${folder}")
    add_custom_command(OUTPUT "${header}"
      COMMAND "${PARLEY_PROTOC_PROGRAM}"
        "--plugin=protoc-gen-parley=$<TARGET_FILE:protoc-gen-parley>"
        "--parley_out=${out}" "--dependency_out=${header}.d" ${flags} "${arg_ROOT}/${proto}"
      DEPENDS "${arg_ROOT}/${proto}" protoc-gen-parley
      DEPFILE "${header}.d"
      COMMENT "Making ${stem}.parley.h" VERBATIM)
    list(APPEND headers "${header}")
  endforeach()
  add_custom_target(${target}_protoc DEPENDS ${headers})
  add_dependencies(${target} ${target}_protoc)

  get_target_property(type ${target} TYPE)
  set(scope PUBLIC)
  if(type STREQUAL "INTERFACE_LIBRARY")
    set(scope INTERFACE)
  endif()
  target_include_directories(${target} ${scope} "${out}")
  target_link_libraries(${target} ${scope} parley_codec)
  if(NOT target STREQUAL "parley_well_known")
    target_link_libraries(${target} ${scope} parley_well_known)
    add_dependencies(${target} parley_well_known_protoc)
  endif()
endfunction()
