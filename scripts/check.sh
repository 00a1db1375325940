#!/usr/bin/env bash
# Builds from whatever state the checkout is in, and runs every test.
#
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Usage: scripts/check.sh [PRESET]     release (default), dev or asan
#
# Ends with the line `N passed, N failed, N skipped` and fails if a test did, or
# if none ran. A test is skipped where what it requires is not there, such as
# the real models that lit.cfg.py looks for.
set -euo pipefail
cd "$(dirname "$0")/.."

preset=${1:-release}
case $preset in
release) build=build ;;
*) build=build-$preset ;;
esac

scripts/setup.sh
scripts/build.sh "$preset"

# Both runners report in one format; their exit codes are read off the counts.
results=$build/test-results
rm -rf "$results"
mkdir -p "$results"
echo "check: unit tests"
ctest --test-dir "$build" --exclude-regex '^lit$' --output-on-failure \
  --no-tests=ignore --output-junit "$PWD/$results/unit.xml" || true
echo "check: lit tests"
/usr/bin/python3 "$(llvm-config-22 --bindir)/lit" -v \
  --xunit-xml-output "$results/lit.xml" "$build/test" || true
/usr/bin/python3 scripts/summarize_tests.py "$results/unit.xml" "$results/lit.xml"
