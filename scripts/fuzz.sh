#!/usr/bin/env bash
# Fuzzes the ONNX importer, instrumented with the address sanitizer.
#
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Usage: scripts/fuzz.sh [SECONDS [SEED [RUNS]]]     60 seconds unless told otherwise
#
# With a seed, of the same corpus, the same inputs come in the same order.
#
# Builds the target alone. Fails if the importer crashes, hangs or takes too much
# memory; the input that did it is left in build-fuzz/findings. What longer runs
# have learned stays in build-fuzz/corpus and makes the next one better.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-60}
seed=${2:-0}  # 0 draws one
runs=${3:--1} # -1 is no limit
scripts/build.sh fuzz fuzz-onnx
mkdir -p build-fuzz/corpus build-fuzz/seeds build-fuzz/findings
/usr/bin/python3 fuzz/onnx_seeds.py build-fuzz/seeds
# libMLIR is not instrumented: its allocators would poison memory in one half of
# the process that the other never unpoisons.
export ASAN_OPTIONS=detect_leaks=0:allow_user_poisoning=0
exec build-fuzz/bin/fuzz-onnx -seed="$seed" -runs="$runs" -max_total_time="$seconds" -timeout=20 \
  -rss_limit_mb=4096 -max_len=4096 -print_final_stats=1 -verbosity=0 \
  -artifact_prefix=build-fuzz/findings/ build-fuzz/corpus build-fuzz/seeds
