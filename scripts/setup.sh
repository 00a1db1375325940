#!/usr/bin/env bash
# Installs every package that building, testing and the demo need, on Debian 12.
#
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Asks dpkg first and does nothing where everything is there, so that the other
# scripts can call it every time. Needs root or sudo only when something is
# missing. `--tests` adds what scripts/check.sh calls, and what some tests compare
# with or run under, and are skipped without: what could not be had of that,
# and why, stands in build/unavailable.txt then. `--lint` adds what pre-commit calls.
set -euo pipefail
cd "$(dirname "$0")/.."

# ONNX Runtime, from npm; its releases differ in what they compute.
onnxruntime=1.30.0

packages=(
  # LLVM and MLIR 22, and the compiler and linker of the presets.
  libmlir-22-dev mlir-22-tools llvm-22-dev llvm-22-tools clang-22 lld-22
  # The build.
  ca-certificates cmake g++ git ninja-build
  # Linear algebra of the solvers.
  libopenblas-dev
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

# What the tests can do without: the archive's wheel, a benchmark's picture, a second
# build, and what looks at lines that changed.
further=(python3-wheel python3-matplotlib ccache clang-format-22 clang-tidy-22)

tests=
for argument in "$@"; do
  case $argument in
  --tests)
    tests=1
    # AArch64 programs run under an emulator.
    packages+=(qemu-user libc6-dev-arm64-cross)
    ;;
  --lint) packages+=(clang-format-22 clang-tidy-22 codespell flake8 pre-commit shellcheck) ;;
  *)
    echo "setup.sh: unknown argument '$argument'; expected --tests or --lint" >&2
    exit 2
    ;;
  esac
done

apt_get() {
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
      echo "setup.sh: run as root or install sudo; missing: ${missing[*]}" >&2
      return 1
    }
    as_root=(sudo)
  fi
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o Acquire::Retries=3 "$@"
}

# Installs those of the packages that are not there.
install_packages() {
  missing=()
  local package status
  for package in "$@"; do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  echo "setup: installing ${missing[*]}"
  apt_get update && apt_get install -y --no-install-recommends "${missing[@]}"
}

# Puts ONNX Runtime beside the build, where the tests look for it.
install_onnxruntime() {
  local folder=build/node_modules/onnxruntime-node
  grep -qs "\"version\": \"$onnxruntime\"" "$folder/package.json" && return
  if ! command -v npm >/dev/null; then
    install_packages nodejs npm || return
  fi
  echo "setup: fetching ONNX Runtime $onnxruntime from npm"
  # The package holds the library; its script would fetch those of other systems.
  timeout 600 npm install --prefix build --no-save --ignore-scripts --no-audit --no-fund \
    --fetch-retries=1 --fetch-timeout=60000 --loglevel=error "onnxruntime-node@$onnxruntime"
}

install_packages "${packages[@]}"
echo "setup: all ${#packages[@]} packages are installed"
if [ -n "$tests" ]; then
  mkdir -p build
  : >build/unavailable.txt
  install_packages "${further[@]}" || {
    echo "setup: cannot install ${missing[*]}; tests that need them are skipped"
    echo "no further packages" >>build/unavailable.txt
  }
  install_onnxruntime || {
    echo "setup: npm or its registry cannot be reached; comparisons with ONNX Runtime are skipped"
    echo "no npm registry" >>build/unavailable.txt
  }
fi
