#!/usr/bin/env bash
# clang-format and clang-tidy on the lines of C and C++ that changed.
#
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Usage: scripts/lint.sh [BUILD [BASE]]
#
# Changed is what differs from BASE: where this branch left origin/main, else the last
# commit but one. A file that only moved did not change. clang-tidy, which compiles, looks
# at no more than 20 sources, as BUILD (build, unless told otherwise) compiles them.
# Fails if a line is not formatted as clang-format does it, or if clang-tidy cannot read a
# source. Its warnings are for a reader: the tree has such lines, and some are meant.
set -euo pipefail
cd "$(dirname "$0")/.."

build=${1:-build}
base=${2:-}
most=20

if [ -z "$base" ]; then
  base=$(git merge-base HEAD origin/main 2>/dev/null || true)
  if [ -z "$base" ] || [ "$base" = "$(git rev-parse HEAD)" ]; then
    base=$(git rev-parse --verify -q HEAD~) || {
      echo "lint: nothing to compare with: no origin/main and no commit before this one"
      exit 0
    }
  fi
fi

# The lines that changed in files, as clang's scripts read them.
changed_lines() {
  git diff -U0 --no-color -M --diff-filter=AMR "$base" -- "$@"
}

failed=
mapfile -t files < <(git diff --name-only -M --diff-filter=AMR "$base" -- '*.c' '*.cpp' '*.h')
echo "lint: ${#files[@]} files of C and C++ differ from $(git rev-parse --short "$base")"
[ ${#files[@]} -gt 0 ] || exit 0

# Its exit code differs between versions; what it prints is the difference.
unformatted=$(changed_lines '*.c' '*.cpp' '*.h' | clang-format-diff-22 -p1 -binary clang-format-22 || true)
if [ -n "$unformatted" ]; then
  echo "$unformatted"
  echo "lint: clang-format-22 writes these lines differently"
  failed=1
fi

if command -v clang-tidy-22 >/dev/null && [ -e "$build/compile_commands.json" ]; then
  sources=()
  # New files and changed ones, not those that moved, and not those of other builds.
  for file in $(git diff --name-only -M --diff-filter=AM "$base" -- '*.cpp'); do
    if grep -qF "\"$PWD/$file\"" "$build/compile_commands.json"; then
      sources+=("$file")
    fi
  done
  echo "lint: clang-tidy on ${#sources[@]} sources, of which at most $most"
  if [ ${#sources[@]} -gt 0 ]; then
    changed_lines "${sources[@]:0:$most}" |
      clang-tidy-diff-22.py -clang-tidy-binary clang-tidy-22 -p1 -path "$build" -j "$(nproc)" -quiet ||
      failed=1
  fi
else
  echo "lint: clang-tidy is left out: no clang-tidy-22, or no $build/compile_commands.json"
fi
[ -z "$failed" ]
