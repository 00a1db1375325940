# RUN: %python %s %t
"""Whatever happens while a file is written, the old or the new one is there.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

Killed at random moments, a disk that fills up, a folder that may not be written,
two writers at once, and bytecode written onto its own input.
"""

import os
import pathlib
import random
import resource
import shutil
import signal
import subprocess
import sys
import time

import numpy as np

from mlirtext import Module
from tools import run, tool

folder = pathlib.Path(sys.argv[1])
shutil.rmtree(folder, ignore_errors=True)
folder.mkdir(parents=True)
OLD = b"what was here before\n" * 1000
KILLS = 200
RNG = random.Random(7)


def network(seed):
    """Text of 400 KB, so that writing takes several system calls."""
    module = Module()
    weight = np.random.default_rng(seed).normal(size=(200, 256))
    value = module.resource("w", weight.astype(np.float32), "f32")
    module.functions.append(
        f"func.func @f() -> tensor<200x256xf32> {{\n"
        f"  %w = arith.constant {value}\n  return %w : tensor<200x256xf32>\n}}\n"
    )
    path = folder / f"in{seed}.mlir"
    path.write_text(module.text())
    return path


def start(source, output, **options):
    return subprocess.Popen(
        [tool("prune-opt"), source, "-o", output],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        **options,
    )


def temporaries(place):
    return [name for name in os.listdir(place) if ".tmp" in name]


def test_kill(source, new):
    """Half of the kills come at any time, half once the writing has begun."""
    place = folder / "killed"
    place.mkdir()
    output = place / "out.mlir"
    begin = time.monotonic()
    start(source, output).wait()
    duration = time.monotonic() - begin
    seen = {OLD: 0, new: 0}
    started_writing = 0
    for kill in range(KILLS):
        output.write_bytes(OLD)
        process = start(source, output)
        if kill % 2:
            time.sleep(RNG.uniform(0, 1.5 * duration))
        else:
            while process.poll() is None and not temporaries(place):
                pass
            time.sleep(RNG.uniform(0, 0.004))
        process.kill()
        process.wait()
        process.stderr.close()
        content = output.read_bytes()
        assert content in seen, f"kill {kill}: {len(content)} bytes"
        seen[content] += 1
        for name in temporaries(place):
            started_writing += 1
            (place / name).unlink()
    # The moments were the interesting ones.
    assert min(seen.values()) > 0 and started_writing > 0, (seen, started_writing)


def expect_old(source, output, word, **options):
    """A run that cannot write says so; the old file stays and no other comes."""
    output.write_bytes(OLD)
    process = start(source, output, **options)
    message = process.communicate(timeout=100)[1].decode()
    assert process.returncode != 0 and word in message, (process.returncode, message)
    assert output.read_bytes() == OLD
    return temporaries(output.parent)


def limit_size(ignore):
    """No file may grow beyond 64 KB; the signal of that is ignored or not."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN if ignore else signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))


def test_full(source):
    place = folder / "full"
    place.mkdir()
    output = place / "out.mlir"
    left = expect_old(source, output, "File too large", preexec_fn=lambda: limit_size(True))
    assert not left, left
    # The signal ends the process, which may leave its temporary file.
    expect_old(source, output, "", preexec_fn=lambda: limit_size(False))

    disk = folder / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(disk)]
    if os.geteuid() == 0 and subprocess.run(mount, capture_output=True, check=False).returncode == 0:
        try:
            assert not expect_old(source, disk / "out.mlir", "No space left")
        finally:
            subprocess.run(["umount", str(disk)], check=True)


def test_read_only(source):
    """Root may write anywhere; then the run is somebody else's."""
    place = folder / "locked"
    place.mkdir()
    output = place / "out.mlir"
    output.write_bytes(OLD)
    output.chmod(0o666)
    place.chmod(0o555)
    options = {}
    if os.geteuid() == 0:
        options = {"user": 65534}
        try:
            subprocess.run([tool("prune-opt"), source], capture_output=True, check=True, **options)
        except (OSError, subprocess.CalledProcessError):
            return  # the build tree is closed to others
    assert not expect_old(source, output, "Permission denied", **options)
    place.chmod(0o755)


def test_two_writers(sources, texts):
    place = folder / "both"
    place.mkdir()
    output = place / "out.mlir"
    for _ in range(10):
        writers = [start(source, output) for source in sources]
        for writer in writers:
            message = writer.communicate(timeout=100)[1]
            assert writer.returncode == 0, message
        assert output.read_bytes() in texts
        assert not temporaries(place)


def test_bytecode_onto_itself(source, text):
    path = folder / "net.mlirbc"
    shutil.copy(source, path)
    for _ in range(2):
        assert run("prune-opt", path, "--emit-bytecode", "-o", path).returncode == 0
    assert path.read_bytes().startswith(b"ML\xefR")
    assert run("prune-opt", path).stdout.encode() == text


inputs = [network(1), network(2)]
outputs = [run("prune-opt", path).stdout.encode() for path in inputs]
test_kill(inputs[0], outputs[0])
test_full(inputs[0])
test_read_only(inputs[0])
test_two_writers(inputs, outputs)
test_bytecode_onto_itself(inputs[0], outputs[0])
