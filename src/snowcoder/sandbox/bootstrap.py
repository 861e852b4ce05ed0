"""Runs inside the sandbox, before the untrusted program, in the same interpreter: sets its limits, runs it, reports how it ended.

Standard input holds one JSON object {"nonce", "memory_bytes", "cpu_s", "max_file_bytes", "max_detail_characters", "source"}. Standard
output gets two lines, each beginning with the nonce: `<nonce> started`, and `<nonce> ` + JSON {"status", "detail"} once the last statement
of the program has returned or an exception has left it. The program itself sees /dev/null as all three of its standard streams.
Nothing of snowcoder is imported here: the sandbox holds the standard library only.
"""

import json
import os
import re
import resource
import sys
import types
from typing import Any

PROGRAM_NAME = "<program>"


def main() -> None:
    """Read the request, run the program, report, and leave without running what the program has registered for its exit."""
    request = json.loads(sys.stdin.buffer.read())
    report = _take_streams()
    os.write(report, f"{request['nonce']} started\n".encode())
    _set_limits(request)
    status, detail = _run(request["source"], request["max_detail_characters"])
    answer = json.dumps({"status": status, "detail": detail})
    os.write(report, f"{request['nonce']} {answer}\n".encode())
    os._exit(0)


def _take_streams() -> int:
    """Keep a private copy of standard output; point descriptors 0, 1 and 2 at /dev/null."""
    report = os.dup(1)
    null = os.open("/dev/null", os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    os.close(null)
    return report


def _set_limits(request: dict[str, Any]) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (request["memory_bytes"],) * 2)
    # the soft limit ends the program with SIGXCPU; the hard one, a second later, ends a program that ignores that
    resource.setrlimit(resource.RLIMIT_CPU, (request["cpu_s"], request["cpu_s"] + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (request["max_file_bytes"],) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))


def _run(source: str, max_detail_characters: int) -> tuple[str, str]:
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    try:
        exec(compile(source, PROGRAM_NAME, "exec"), module.__dict__)
    except MemoryError:
        return "out_of_memory", "MemoryError"
    except SystemExit as error:
        return "failed", _clean(f"SystemExit: {error.code}", max_detail_characters)
    except BaseException as error:
        return "failed", _describe(error, max_detail_characters)
    return "passed", ""


def _describe(error: BaseException, max_detail_characters: int) -> str:
    """`ValueError: message (line 3)`, with the last line of the program itself that the exception passed through."""
    try:
        message = str(error.msg if isinstance(error, SyntaxError) else error)
    except Exception:
        message = "(its message cannot be shown)"
    line = error.lineno if isinstance(error, SyntaxError) else _last_line(error)
    text = f"{type(error).__name__}: {message}" if message else type(error).__name__
    return _clean(text, max_detail_characters) + (f" (line {line})" if line else "")


def _last_line(error: BaseException) -> int | None:
    line, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == PROGRAM_NAME:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _clean(text: str, max_characters: int) -> str:
    """One line, without the addresses that differ from run to run."""
    text = re.sub(r"\b0x[0-9a-fA-F]{6,}", "0x...", text)
    text = " ".join(text.encode("utf-8", "replace").decode().split())
    return text if len(text) <= max_characters else text[: max_characters - 3] + "..."


if __name__ == "__main__":
    main()
