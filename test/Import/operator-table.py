# The page about ONNX operators says what the importer's own table says, and lists the
# operators of the standard that are not in it. `--write` brings it up to date.
# REQUIRES: onnx
# RUN: %python %s %source_dir/docs/Operators.md

import re
import sys

import onnx.defs

import tools

PAGE = sys.argv[1]
BEGIN, END = "<!-- begin {} -->\n", "<!-- end {} -->"


def missing(table):
    """Operators of the standard domain that the table does not have."""
    supported = set(re.findall(r"^\| ([A-Z]\w+) \|", table, re.MULTILINE))
    names = {
        schema.name
        for schema in onnx.defs.get_all_schemas_with_history()
        if schema.domain == "" and not schema.deprecated
    }
    assert supported - names <= NEWER, supported - names
    return ", ".join(f"`{name}`" for name in sorted(names - supported)) + "\n"


# Operators that came after the opsets which the installed onnx knows.
NEWER = {
    "AffineGrid",
    "Attention",
    "BitCast",
    "BitwiseAnd",
    "BitwiseNot",
    "BitwiseOr",
    "BitwiseXor",
    "CenterCropPad",
    "Col2Im",
    "CumProd",
    "Gelu",
    "GroupNormalization",
    "Mish",
    "RMSNormalization",
    "RotaryEmbedding",
    "Swish",
    "TensorScatter",
}


def replaced(page, name, text):
    begin, end = BEGIN.format(name), END.format(name)
    assert page.count(begin) == 1 and page.count(end) == 1, f"no part '{name}'"
    head, rest = page.split(begin)
    return head + begin + text + end + rest.split(end)[1]


with open(PAGE, encoding="utf-8") as file:
    written = file.read()
table = tools.output_of("prune-translate", "--list-onnx-ops")
page = replaced(written, "operators", table)
page = replaced(page, "missing", missing(table))
if "--write" in sys.argv:
    with open(PAGE, "w", encoding="utf-8") as file:
        file.write(page)
else:
    assert page == written, f"{PAGE} is out of date; run this test with --write"
