#!/usr/bin/env bash
# Configures and builds one CMake preset; `release` unless another is named.
#
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Usage: scripts/build.sh [PRESET [TARGET...]]
set -euo pipefail
cd "$(dirname "$0")/.."

preset=${1:-release}
targets=()
for target in "${@:2}"; do
  targets+=(--target "$target")
done

options=()
if command -v ccache >/dev/null; then
  options+=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
fi
echo "build: configuring preset '$preset'"
cmake --preset "$preset" "${options[@]}" >/dev/null
echo "build: compiling on $(nproc) cores"
cmake --build --preset "$preset" --parallel "$(nproc)" "${targets[@]}"
