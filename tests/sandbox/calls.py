"""Functions for a Workshop to call, sent to the sandbox as source."""

import os
import signal
import sys
import time

state = {"kept": b"", "seen": 0}


def echo(argument: bytes) -> bytes:
    return argument * 2


def see(argument: bytes) -> bytes:
    """How often this process has been here, and what was kept."""
    state["seen"] += 1
    return f"{state['seen']} ".encode() + state["kept"]


def remember(argument: bytes, result: bytes) -> bytes:
    state["kept"] = result
    return b"kept"


def run(argument: bytes) -> bytes:
    """Run the argument as a program."""
    exec(argument.decode(), {"os": os, "sys": sys, "signal": signal, "time": time})
    return b"ended"
