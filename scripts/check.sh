#!/usr/bin/env bash
# Builds from whatever state the checkout is in and runs every test.
#
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Usage: scripts/check.sh [PRESET | --full]     release (default), dev or asan
#
# The tests run as in a clone with nothing beside it. The release preset, which is
# what continuous integration runs, adds the lines that changed (scripts/lint.sh),
# generated code for older processors, a slice with the address sanitizer and our
# asserts, and fuzzing. `--full` is for a person with hours: every test with the real
# models of PRUNE_DATA, full numbers of random cases, an hour of fuzzing, benchmarks,
# and the training of examples/models again.
#
# Each section says what it took of the minutes that it is meant to take on two
# cores. Ends with the line `N passed, N failed, N skipped`. In the release preset a
# skip that scripts/allowed-skips.txt does not list is a failure, as is a number of
# tests below the floor.
set -euo pipefail
cd "$(dirname "$0")/.."

# The fewest tests that have to run; a processor's run of a test counts on its own.
floor=220

preset=${1:-release}
full=
if [ "$preset" = --full ]; then
  full=1 preset=release
fi
case $preset in
release) build=build ;;
*) build=build-$preset ;;
esac

# What tests of random cases do by default is a part (CONTRIBUTING.md).
if [ -n "$full" ]; then
  export PRUNE_RANDOM_MODELS=3000 PRUNE_MUTATIONS=10000 PRUNE_RANDOM_NETWORKS=2000 \
    PRUNE_CHANNEL_NETWORKS=2000 PRUNE_RECURRENT_NETWORKS=2000 PRUNE_PACKED_CASES=1000 \
    PRUNE_PACKED_PRODUCTS=1000 PRUNE_PACKED_CONVOLUTIONS=1000
fi

results=$build/test-results
reports=()
times=()

# Runs a part and says what it took: section NAME MINUTES COMMAND...
section() {
  local begin=$SECONDS took
  echo "check: $1"
  "${@:3}"
  took=$((SECONDS - begin))
  times+=("$(printf '%-30s %3d min %2d s of %2d min' "$1" $((took / 60)) $((took % 60)) "$2")")
  echo "check: $1: $((took / 60)) min $((took % 60)) s of $2 min"
}

# All runners report in one format; their exit codes are read off the counts.
# Runs lit on some tests: run_lit REPORT ARGUMENT...
run_lit() {
  local report=$results/$1.xml
  reports+=("$report")
  PRUNE_DATA=${data:-/nonexistent} /usr/bin/python3 "$(llvm-config-22 --bindir)/lit" -v \
    --xunit-xml-output "$report" "${@:2}" || true
}

# Reports a command as a test: run_test NAME COMMAND...
run_test() {
  local failure=
  "${@:2}" >"$results/$1.log" 2>&1 || {
    failure='<failure/>'
    tail -n 40 "$results/$1.log"
  }
  printf '<testsuite><testcase classname="check" name="%s">%s</testcase></testsuite>\n' \
    "$1" "$failure" >"$results/$1.xml"
  reports+=("$results/$1.xml")
}

# The files of tests whose first lines match, as a pattern for lit's filters.
tests_that() {
  grep -rlE --include='*.py' --include='*.test' --exclude-dir=Inputs "$1" test |
    sed 's|^test/||; s|[.]|\\.|g' | sort | paste -sd '|'
}

set_up_and_build() {
  scripts/setup.sh --tests
  scripts/build.sh "$preset"
  rm -rf "$results"
  mkdir -p "$results"
}

lint() {
  if git rev-parse --git-dir >/dev/null 2>&1; then
    run_test lint scripts/lint.sh "$build"
    grep -E '^lint:|warning:' "$results/lint.log" || true
  fi
}

run_suite() {
  reports+=("$results/unit.xml")
  ctest --test-dir "$build" --exclude-regex '^lit$' --output-on-failure \
    --no-tests=ignore --output-junit "$PWD/$results/unit.xml" || true
  run_lit suite --filter-out="$aarch64|$oracle|$documents" "$build/test"
}

# Generated code for processors without what this one has.
run_older_processors() {
  local processor processors=(x86-64-v2)
  ! grep -qw avx512f /proc/cpuinfo || processors+=(x86-64-v3)
  for processor in "${processors[@]}"; do
    PRUNE_CPU=$processor run_lit "$processor" \
      --filter='Pipelines/|Integration/(packed-(kernels|products\.py|convolutions\.py|reentrant)|sparse-formats|random-networks|small-models\.py|threads|run-time)|python/package|tools/prune-run' \
      "$build/test"
  done
}

# The numerics and the readers, instrumented and with our asserts. The importer reads
# every small model that the suite made, of which many are damaged. All of this and
# the fuzzing share one build.
run_sanitized() {
  local bin=build-fuzz/bin reader
  export ASAN_OPTIONS=detect_leaks=0:allow_user_poisoning=0
  run_test sanitized-build scripts/build.sh fuzz prune-core-tests fuzz-onnx fuzz-npy fuzz-expressions
  run_test sanitized-core "$bin/prune-core-tests" --gtest_brief=1
  find examples/models "$build/test" -name '*.onnx' -size -256k -print0 | sort -z >"$results/models.txt"
  run_test sanitized-importer xargs -0 -a "$results/models.txt" "$bin/fuzz-onnx" -rss_limit_mb=4096
  for reader in npy expressions; do
    mkdir -p "$results/$reader" # what is learned goes there
    run_test "sanitized-$reader" "$bin/fuzz-$reader" -seed=1 -runs=50000 -max_len=512 \
      "$results/$reader" "fuzz/seeds/$reader"
  done
}

# One seed, so that what fails here fails elsewhere; fuzz by hand for more.
fuzz() {
  if [ -n "$full" ]; then
    run_test fuzz scripts/fuzz.sh 3600
  else
    run_test fuzz scripts/fuzz.sh 60 1 20000
  fi
}

# What the descriptions of the benchmarks show, of those that need no more than this tree.
run_benchmarks() {
  local tools=--tools=$build/bin
  export NODE_PATH=${NODE_PATH:-$PWD/build/node_modules}
  run_test bench-matmul bench/matmul.py "$tools" --shapes=512x512 --columns=64,256
  run_test bench-compile-time bench/compile_time.py "$tools" --shapes=4096x4096 --cases=element:0.8
  run_test bench-channel-scale bench/channel_scale.py "$tools" --operations=10000,20000,40000
  run_test bench-import bench/import_onnx.py "$tools" --megabytes=100
  cat "$results"/bench-*.log
}

# The same bytes, or, where another numpy adds in another order, a model as good.
train_again() {
  local model
  for model in mlp cnn transformer; do
    run_test "train-$model" /usr/bin/python3 "examples/models/$model.py" "$results"
    tail -n 1 "$results/train-$model.log"
    cmp "$results/$model.onnx" "examples/models/$model.onnx" || true
  done
}

begin=$SECONDS
section "setup and build" 13 set_up_and_build
aarch64=$(tests_that 'REQUIRES:.*\baarch64\b')
oracle=$(tests_that 'REQUIRES:.*\bonnxruntime\b')
documents='Documents/|python/package|Integration/(out-of-tree|extensions)'
[ "$preset" != release ] || section "changed lines" 4 lint
if [ -n "$full" ]; then
  data=${PRUNE_DATA:?names the folder of real models and data sets}
fi
section "suite" 10 run_suite
section "AArch64" 3 run_lit aarch64 --filter="$aarch64" "$build/test"
section "ONNX Runtime" 5 run_lit onnxruntime --filter="$oracle" "$build/test"
section "documents and package" 5 run_lit documents --filter="$documents" "$build/test"
if [ "$(uname -m)" = x86_64 ] && [ "$preset" != asan ]; then
  section "older processors" 6 run_older_processors
fi
rules=()
if [ "$preset" = release ]; then
  section "sanitizers and asserts" 14 run_sanitized
  section "fuzzing" 3 fuzz
  rules=(--floor="$floor" --allowed-skips=scripts/allowed-skips.txt --unavailable=build/unavailable.txt)
fi
if [ -n "$full" ]; then
  section "benchmarks" 30 run_benchmarks
  section "training again" 5 train_again
fi

echo
printf '%s\n' "${times[@]}"
printf '%-30s %3d min of 59 min\n\n' "all" $(((SECONDS - begin) / 60))
/usr/bin/python3 scripts/summarize_tests.py "${rules[@]}" "${reports[@]}"
