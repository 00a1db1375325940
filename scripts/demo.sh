#!/usr/bin/env bash
# Starts from an ONNX file and ends with a faster one: sizes, accuracy and time
# before and after. Builds the tools first, unless it is part of an unpacked
# release, which brings them.
#
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Usage: scripts/demo.sh [MODEL.onnx]
#
# The model classifies the images of examples/digits.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
model=${1:-$root/examples/models/mlp.onnx}

if [ -x "$root/bin/prune-opt" ]; then
  tools=$root/bin
  output=$root/demo
else
  "$root/scripts/setup.sh"
  "$root/scripts/build.sh" release prune-opt prune-run prune-translate
  tools=$root/build/bin
  output=$root/build/demo
fi
exec /usr/bin/python3 "$root/examples/demo.py" "$model" --tools="$tools" --output="$output"
