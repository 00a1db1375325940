# The reference in docs/reference is rendered from the TableGen descriptions and from
# what prune-opt says of pipelines. Every build renders it; the target
# `update-reference` writes it to the source tree, and a test compares the two.
get_target_property(pages mlir-doc MANUALLY_ADDED_DEPENDENCIES)
list(TRANSFORM pages REPLACE "DocGen$" ".md")
list(SORT pages)
list(JOIN pages "\n" pages)
file(WRITE ${PROJECT_BINARY_DIR}/docs/pages.txt "${pages}\n")

add_custom_target(prune-reference ALL)
add_dependencies(prune-reference mlir-doc)
add_custom_target(update-reference
  COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/scripts/update_reference.py
    ${PROJECT_BINARY_DIR} ${PROJECT_SOURCE_DIR}/docs/reference
  DEPENDS prune-opt
  USES_TERMINAL)
add_dependencies(update-reference mlir-doc)
