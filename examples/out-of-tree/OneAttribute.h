//===- OneAttribute.h - A dialect of one attribute --------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What an attribute without parameters takes besides itself: `Attr` has a
// `dialect` and a `mnemonic`, and is written #dialect.mnemonic.
//
//===----------------------------------------------------------------------===//

#ifndef MY_ONEATTRIBUTE_H
#define MY_ONEATTRIBUTE_H

#include "prune/IR/Prune.h"

#include "mlir/IR/Dialect.h"
#include "mlir/IR/DialectImplementation.h"

namespace my {

template <typename Attr> class OneAttribute : public mlir::Dialect {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(OneAttribute)
  static mlir::StringRef getDialectNamespace() { return Attr::dialect; }

  explicit OneAttribute(mlir::MLIRContext *context)
      : Dialect(Attr::dialect, context,
                mlir::TypeID::get<OneAttribute<Attr>>()) {
    addAttributes<Attr>();
  }

  mlir::Attribute parseAttribute(mlir::DialectAsmParser &parser,
                                 mlir::Type) const override {
    if (failed(parser.parseKeyword(Attr::mnemonic)))
      return {};
    return Attr::get(getContext());
  }

  void printAttribute(mlir::Attribute,
                      mlir::DialectAsmPrinter &printer) const override {
    printer << Attr::mnemonic;
  }
};

void registerWanda(mlir::DialectRegistry &registry);
void registerMaximum(mlir::DialectRegistry &registry);
void registerDiagonals(mlir::DialectRegistry &registry);

} // namespace my

#endif // MY_ONEATTRIBUTE_H
