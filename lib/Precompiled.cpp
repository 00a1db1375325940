//===- Precompiled.cpp - Owns the headers that are parsed once ------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// CMake wants a target with a source for precompiled headers; this is it.
//
//===----------------------------------------------------------------------===//
