# What `cmake --install` puts where. find_package(Prune) gives Prune::Prune; see
# PruneConfig.cmake.in.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(PRUNE_TOOLS
  prune-lsp-server prune-opt prune-run prune-translate)
set(PRUNE_CONFIG_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/Prune)

target_include_directories(Prune INTERFACE
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
install(TARGETS Prune EXPORT PruneTargets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT PruneTargets NAMESPACE Prune:: DESTINATION ${PRUNE_CONFIG_DIR})

foreach(tool ${PRUNE_TOOLS})
  if(TARGET ${tool})
    install(TARGETS ${tool} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  endif()
endforeach()
install(TARGETS PrunePlugin LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(TARGET PrunePython)
  install(TARGETS PrunePython LIBRARY DESTINATION python/prune)
  install(FILES
    ${PROJECT_SOURCE_DIR}/python/prune/__init__.py
    ${PROJECT_SOURCE_DIR}/python/prune/_prune.pyi
    ${PROJECT_SOURCE_DIR}/python/prune/py.typed
    ${PROJECT_SOURCE_DIR}/python/prune/calibration.py
    ${PROJECT_SOURCE_DIR}/python/prune/solvers.py
    DESTINATION python/prune)
endif()

# Headers of people and of TableGen; .td files for those who extend the dialect.
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/prune
    ${PROJECT_SOURCE_DIR}/include/prune-c
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.h" PATTERN "*.td")
install(DIRECTORY ${PROJECT_BINARY_DIR}/include/prune
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.h.inc"
  PATTERN "CMakeFiles" EXCLUDE)

configure_package_config_file(
  ${CMAKE_CURRENT_LIST_DIR}/PruneConfig.cmake.in
  ${PROJECT_BINARY_DIR}/cmake/PruneConfig.cmake
  INSTALL_DESTINATION ${PRUNE_CONFIG_DIR}
  PATH_VARS CMAKE_INSTALL_INCLUDEDIR)
write_basic_package_version_file(
  ${PROJECT_BINARY_DIR}/cmake/PruneConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/cmake/PruneConfig.cmake
  ${PROJECT_BINARY_DIR}/cmake/PruneConfigVersion.cmake
  DESTINATION ${PRUNE_CONFIG_DIR})

# For builds without CMake: `pkg-config --cflags --libs prune` gives the C interface.
configure_file(${CMAKE_CURRENT_LIST_DIR}/prune.pc.in ${PROJECT_BINARY_DIR}/cmake/prune.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/cmake/prune.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
