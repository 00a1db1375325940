#!/usr/bin/env bash
# Builds from whatever state the checkout is in, runs every test, and fuzzes the
# ONNX importer for a minute or 20,000 inputs (release only).
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
reports=("$results/unit.xml" "$results/lit.xml")
if [ "$preset" = release ]; then
  echo "check: fuzzing"
  failure=
  # One seed, so that what fails here fails elsewhere; fuzz by hand for more.
  scripts/fuzz.sh 60 1 20000 >"$results/fuzz.log" 2>&1 || {
    failure='<failure/>'
    tail -n 40 "$results/fuzz.log"
  }
  printf '<testsuite><testcase classname="fuzz" name="onnx">%s</testcase></testsuite>\n' \
    "$failure" >"$results/fuzz.xml"
  reports+=("$results/fuzz.xml")
fi
/usr/bin/python3 scripts/summarize_tests.py "${reports[@]}"
