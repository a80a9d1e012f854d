# parley_generate(): client and server of an interface, made when the target is built.
#
#   parley_generate(my_service src/orders.h)       # then #include "generated/orders.parley.h"
#   parley_generate(my_service src/orders.h INCLUDE shop/orders.h)
#
# INCLUDE is how the generated file includes the header; its absolute path unless told. The header
# is read with the include folders of the target.
function(parley_generate target header)
  cmake_parse_arguments(arg "" "INCLUDE" "" ${ARGN})
  if(NOT TARGET parley_gen_command)
    message(FATAL_ERROR "parley_generate(${target}): there is no parley-gen; configure with "
      "PARLEY_GEN=ON and PARLEY_CLI=ON")
  endif()
  cmake_path(ABSOLUTE_PATH header BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}")
  cmake_path(GET header STEM LAST_ONLY stem)
  if(NOT arg_INCLUDE)
    set(arg_INCLUDE "${header}")
  endif()
  set(out "${CMAKE_CURRENT_BINARY_DIR}/${target}_interfaces/generated")
  set(folders "$<TARGET_PROPERTY:${target},INCLUDE_DIRECTORIES>")
  # The file keeps its date when nothing changes in it; the stamp tells that it was looked at.
  add_custom_command(OUTPUT "${out}/${stem}.stamp" BYPRODUCTS "${out}/${stem}.parley.h"
    COMMAND parley_gen_command --out "${out}" --include "${arg_INCLUDE}" "${header}" --
      "$<$<BOOL:${folders}>:-I$<JOIN:${folders},;-I>>"
    COMMAND "${CMAKE_COMMAND}" -E touch "${out}/${stem}.stamp"
    DEPENDS "${header}" parley_gen_command COMMAND_EXPAND_LISTS VERBATIM
    COMMENT "Generating ${stem}.parley.h")
  target_sources(${target} PRIVATE "${out}/${stem}.stamp")
  target_include_directories(${target} PRIVATE "${CMAKE_CURRENT_BINARY_DIR}/${target}_interfaces")
endfunction()
