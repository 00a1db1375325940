// RUN: not prune-opt %s --prune-report-weights=format=xml 2>&1 | FileCheck %s --check-prefix=FORMAT
// RUN: not prune-opt %s --prune-report-weights="output=%t.none/report.json" 2>&1 | FileCheck %s --check-prefix=FOLDER
// RUN: rm -rf %t.folder && mkdir %t.folder
// RUN: not prune-opt %s --prune-report-weights="output=%t.folder" 2>&1 | FileCheck %s --check-prefix=ISFOLDER
// A file that is there stays as it is when the options are wrong.
// RUN: echo old > %t.old
// RUN: not prune-opt %s --prune-report-weights="format=yaml output=%t.old" 2>&1 | FileCheck %s --check-prefix=YAML
// RUN: FileCheck %s --check-prefix=OLD --input-file=%t.old
// A full disk is an error, not a short report.
// RUN: not prune-opt %s --prune-report-weights="output=/dev/full" 2>&1 | FileCheck %s --check-prefix=FULL

// FORMAT: error: prune-report-weights: option 'format' expects text or json but got 'xml'
// FOLDER: error: prune-report-weights: cannot write '{{.*}}.none/report.json': {{.*}}; name a file in a folder that exists and can be written
// ISFOLDER: error: prune-report-weights: cannot write '{{.*}}.folder': {{[Ii]}}s a directory
// YAML: error: prune-report-weights: option 'format' expects text or json but got 'yaml'
// OLD: {{^}}old{{$}}
// FULL: error: prune-report-weights: cannot write '/dev/full': No space left on device
func.func @main(%x: tensor<3xf32>) -> tensor<3xf32> {
  return %x : tensor<3xf32>
}
