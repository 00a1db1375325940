# The release archive: `cmake --build --preset release --target package`.
#
# One folder that can be unpacked anywhere: what `cmake --install` installs, and,
# as component `archive`, the documents, the examples, the demo and a Python wheel.
# MLIR and LLVM are not inside: the archive runs where their packages are installed
# (README.md names them).
set(PRUNE_ARCHIVE COMPONENT archive EXCLUDE_FROM_ALL)
install(FILES
    ${PROJECT_SOURCE_DIR}/CHANGELOG.md
    ${PROJECT_SOURCE_DIR}/LICENSE
    ${PROJECT_SOURCE_DIR}/README.md
  DESTINATION . ${PRUNE_ARCHIVE})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs ${PROJECT_SOURCE_DIR}/examples
  DESTINATION . ${PRUNE_ARCHIVE}
  PATTERN __pycache__ EXCLUDE)
install(PROGRAMS ${PROJECT_SOURCE_DIR}/scripts/demo.sh DESTINATION scripts ${PRUNE_ARCHIVE})
if(TARGET PrunePython)
  install(CODE "
    set(prefix \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}\")
    execute_process(COMMAND_ERROR_IS_FATAL ANY COMMAND \"${Python3_EXECUTABLE}\"
      \"${PROJECT_SOURCE_DIR}/cmake/make_wheel.py\" \"\${prefix}/python/prune\"
      \"--library=\${prefix}/${CMAKE_INSTALL_LIBDIR}/$<TARGET_SONAME_FILE_NAME:Prune>\"
      --version=${PROJECT_VERSION} \"--output=\${prefix}/python\")"
    ${PRUNE_ARCHIVE})
endif()

set(CPACK_GENERATOR TGZ)
set(CPACK_PACKAGE_NAME prune)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_FILE_NAME
  prune-${PROJECT_VERSION}-${CMAKE_SYSTEM_NAME}-${CMAKE_SYSTEM_PROCESSOR})
set(CPACK_STRIP_FILES ON)
# The wheel is made of what the first entry installs.
set(CPACK_INSTALL_CMAKE_PROJECTS
  "${PROJECT_BINARY_DIR};Prune;ALL;/;${PROJECT_BINARY_DIR};Prune;archive;/")
include(CPack)
