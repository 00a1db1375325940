#!/usr/bin/env bash
# Installs every package that building, testing and the demo need, on Debian 12.
#
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Asks dpkg first and does nothing where everything is there, so that the other
# scripts can call it every time. Needs root or sudo only when something is
# missing. `--lint` adds what pre-commit calls.
set -euo pipefail

packages=(
  # LLVM and MLIR 22, and the compiler and linker of the presets.
  libmlir-22-dev mlir-22-tools llvm-22-dev llvm-22-tools clang-22 lld-22
  # The build.
  ca-certificates cmake g++ git ninja-build
  # Programs on several threads; any other libomp5-* does as well.
  libomp5-14
  # The ONNX importer.
  libonnx-dev libprotobuf-dev protobuf-compiler
  # The Python package.
  pybind11-dev python3-pybind11
  # Fuzzing: the sanitizers' and libFuzzer's run-time libraries.
  libclang-rt-22-dev
  # The tests and the demo.
  libgtest-dev python3 python3-numpy python3-onnx python3-pil python3-scipy python3-sklearn
)

for argument in "$@"; do
  case $argument in
  --lint) packages+=(clang-format-22 clang-tidy-22 codespell flake8 pre-commit shellcheck) ;;
  *)
    echo "setup.sh: unknown argument '$argument'; the only one is --lint" >&2
    exit 2
    ;;
  esac
done

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$status" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
  echo "setup: all ${#packages[@]} packages are installed"
  exit 0
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || {
    echo "setup.sh: run as root or install sudo; missing: ${missing[*]}" >&2
    exit 1
  }
  as_root=(sudo)
fi

echo "setup: installing ${missing[*]}"
apt_get() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o Acquire::Retries=3 "$@"
}
apt_get update
apt_get install -y --no-install-recommends "${missing[@]}"
