"""Ctrl-C: one line, no traceback; a stage that saves its work on SIGTERM does so on Ctrl-C too."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src"
PROGRAM = """
import signal, sys, time
from snowcoder.pipeline.stage import command_line
ended = []
def main():
    if "saves" in MODE:
        signal.signal(signal.SIGTERM, lambda *_: ended.append(True))
    print("ready", flush=True)
    until = time.monotonic() + 60
    while time.monotonic() < until and not (ended and MODE == "saves"):
        time.sleep(0.01)
        if ended and ended[-1] is True:
            print("asked", flush=True)
            ended.append(None)
    sys.exit(143)
command_line(main)
"""
ENDS = b"interrupted: ending this step, then saving it; once more to end at once\n"
INTERRUPTED = b"interrupted; finished work is kept: run the same command again\n"


@pytest.mark.parametrize(
    ("mode", "interrupts", "status", "told"),
    [("plain", 1, 130, INTERRUPTED), ("saves", 1, 143, ENDS), ("saves slowly", 2, 130, ENDS + INTERRUPTED)],
)
def test_an_interrupted_stage_ends_with_one_line(mode: str, interrupts: int, status: int, told: bytes, tmp_path: Path) -> None:
    command = [sys.executable, "-c", f"MODE = {mode!r}{PROGRAM}"]
    settings = os.environ | {"PYTHONPATH": str(SOURCE)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path, env=settings) as process:
        assert process.stdout is not None
        for _ in range(interrupts):
            process.stdout.readline()  # "ready", then "asked"
            process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    assert (process.returncode, stderr) == (status, told)
