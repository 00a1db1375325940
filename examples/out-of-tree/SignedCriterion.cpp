//===- SignedCriterion.cpp - A criterion of one's own ---------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// All that a new criterion takes: an attribute that implements
// CriterionAttrInterface, in a dialect of its own. `#my.signed` scores an
// element by its value, so that the most negative weights go first:
//
//   my-opt --prune-weights='criterion=#my.signed sparsity=0.5' net.mlir
//
// `score` works on constants; `buildScore` writes the same as IR, for weights
// that are known at run time only.
//
//===----------------------------------------------------------------------===//

#include "SignedCriterion.h"

#include "prune/IR/Prune.h"

#include "mlir/IR/Dialect.h"
#include "mlir/IR/DialectImplementation.h"

using namespace mlir;

namespace {
class SignedAttr
    : public Attribute::AttrBase<SignedAttr, Attribute, AttributeStorage,
                                 prune::CriterionAttrInterface::Trait> {
public:
  using Base::Base;
  static constexpr StringLiteral name = "my.signed";
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(SignedAttr)

  void score(const prune::ScoreInputs &inputs, int64_t begin,
             MutableArrayRef<double> out) const {
    inputs.weight.load(begin, out);
  }

  Value buildScore(OpBuilder &, Location,
                   const prune::ScoreValues &values) const {
    return values.element;
  }
};

class MyDialect : public Dialect {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(MyDialect)
  static StringRef getDialectNamespace() { return "my"; }

  explicit MyDialect(MLIRContext *context)
      : Dialect(getDialectNamespace(), context, TypeID::get<MyDialect>()) {
    addAttributes<SignedAttr>();
  }

  Attribute parseAttribute(DialectAsmParser &parser, Type) const override {
    StringRef keyword;
    if (failed(parser.parseKeyword(&keyword)))
      return {};
    if (keyword == "signed")
      return SignedAttr::get(getContext());
    parser.emitError(parser.getNameLoc(), "unknown criterion '")
        << keyword << "'; expected 'signed'";
    return {};
  }

  void printAttribute(Attribute, DialectAsmPrinter &printer) const override {
    printer << "signed";
  }
};
} // namespace

void my::registerDialect(DialectRegistry &registry) {
  registry.insert<MyDialect>();
}
