#!/usr/bin/env bash
# Builds the tools and prunes a digits classifier: accuracy, size and time before
# and after, and the lines of IR that changed.
#
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Arguments go to examples/digits/demo.py; see its --help.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/setup.sh
scripts/build.sh release prune-opt prune-run
exec /usr/bin/python3 examples/digits/demo.py --tools build/bin "$@"
