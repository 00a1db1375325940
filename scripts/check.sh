#!/usr/bin/env bash
# Builds from whatever state the checkout is in and runs every test: as in a clone
# with nothing beside it; those that need data once more where there is some; those
# that run generated code once more for older processors. Then fuzzes the ONNX
# importer for a minute or 20,000 inputs (release only).
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

scripts/setup.sh --tests
scripts/build.sh "$preset"

# All runners report in one format; their exit codes are read off the counts.
results=$build/test-results
rm -rf "$results"
mkdir -p "$results"
reports=()

# Runs lit on some tests: run_lit REPORT ARGUMENT...
run_lit() {
  local report=$results/$1.xml
  reports+=("$report")
  /usr/bin/python3 "$(llvm-config-22 --bindir)/lit" -v --xunit-xml-output "$report" \
    "${@:2}" || true
}

echo "check: unit tests"
reports+=("$results/unit.xml")
ctest --test-dir "$build" --exclude-regex '^lit$' --output-on-failure \
  --no-tests=ignore --output-junit "$PWD/$results/unit.xml" || true

echo "check: lit tests, as in a clone without data"
PRUNE_DATA=/nonexistent run_lit lit "$build/test"

if [ -e "${PRUNE_DATA:-../shared/data}/INDEX.md" ]; then
  echo "check: lit tests that need data"
  mapfile -t with_data < <(grep -rlE --exclude-dir=Inputs --exclude='lit*' \
    'REQUIRES:.*\bdata\b|PRUNE_DATA' test | sed "s|^|$build/|")
  run_lit data "${with_data[@]}"
fi

# Generated code for processors without what this one has. Sanitizers look at the
# compiler, which does the same for each.
if [ "$(uname -m)" = x86_64 ] && [ "$preset" != asan ]; then
  processors=(x86-64-v2)
  ! grep -qw avx512f /proc/cpuinfo || processors+=(x86-64-v3)
  for processor in "${processors[@]}"; do
    echo "check: lit tests that run generated code, for $processor"
    PRUNE_DATA=/nonexistent PRUNE_CPU=$processor run_lit "$processor" \
      --filter='Pipelines/|Integration/(packed-|sparse-formats|random-networks|threads|run-time)|python/package|tools/prune-run' \
      "$build/test"
  done
fi

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
