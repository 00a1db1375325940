"""Finds the commands that documents show.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

A command is a line of a fenced block of `sh`, with what a backslash continues; a line of a
program's description that is indented and calls a program of the tree; or a code span in
the text that does. A comment `<!-- no-test: reason -->` in the line before a block says why
it is not run; the options of its commands are looked up instead, as those of code spans are.
A block with `file=name` behind its language is a file that the commands below it need.
"""

import ast
import collections
import re
import shlex

Block = collections.namedtuple("Block", "reason language file text")

PROGRAMS = r"(?:scripts|bench|fuzz|examples|build/bin|build-fuzz/bin)/[\w./-]+|prune-(?:opt|run|translate|lsp-server)|mask-scale"
FENCE = re.compile(
    r"^(?:<!-- no-test: (.+) -->\n)?```(\w+)(?: file=(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL
)


def blocks(page):
    """The fenced blocks of a page, in order."""
    return [Block(*found) for found in FENCE.findall(page)]


def commands(shell):
    """The commands of a shell block."""
    joined = re.sub(r"\\\n\s*", " ", shell)
    return [line.strip() for line in joined.splitlines() if line.strip()]


def described_commands(source):
    """The commands in a Python program's description."""
    description = ast.get_docstring(ast.parse(source)) or ""
    lines = re.findall(r"^ {4}(\S.*)$", description, re.MULTILINE)
    return [line for line in lines if re.match(rf"(?:\w+=\S+ )*(?:{PROGRAMS})\b", line)]


def spans(page):
    """Calls of our programs in code spans, outside of blocks."""
    text = FENCE.sub("", page)
    return [span for span in re.findall(r"`([^`]+)`", text) if re.match(rf"(?:{PROGRAMS}) ", span)]


def options(command):
    """The program that a command calls, its words, and the names of its options."""
    words = [word for word in shlex.split(command, comments=True)]
    while words and re.match(r"\w+=", words[0]):
        words.pop(0)
    program, *rest = words
    names = [re.match(r"--?[\w-]+", word).group() for word in rest if re.match(r"--?[A-Za-z]", word)]
    return program, rest, names
