"""Runs inside the sandbox, in the untrusted program's interpreter: sets its limits, runs it, reports how it ended.

in: `main(nonce, user, limits, folders, source)`, called by LAUNCHER, which reads this module's code and the arguments from standard input
out, on standard output: `<nonce> started`, and `<nonce> <status> <line> <detail>` once the last statement of the program has returned
(status passed, line 0) or an exception has left it. The program itself sees /dev/null as all three of its standard streams.

Every import here is paid for by every program: built-in modules only, and no name that a program can replace once it runs.
"""

import builtins
import sys
from _sitebuiltins import Quitter
from posix import O_RDWR, _exit, closerange, dup, dup2, open, setgroups, setresgid, setresuid, write
from resource import RLIM_INFINITY, getrlimit, setrlimit

# argv of the interpreter's -c. The bootstrap keeps a copy of the builtins: those that the program replaces are its own.
LAUNCHER = (
    "import builtins, marshal, sys\n"
    "code, arguments = marshal.loads(sys.stdin.buffer.read())\n"
    "bootstrap = {'__builtins__': dict(vars(builtins)), '__name__': 'bootstrap'}\n"
    "exec(code, bootstrap)\n"
    "bootstrap['main'](*arguments)\n"
)
PROGRAM_NAME = "<program>"
MAX_MESSAGE_CHARACTERS = 2048


def main(nonce: str, user: int | None, limits: list[tuple[int, int, int]], folders: list[str], source: str) -> None:
    """Run the program, report, and leave without running what it has registered for its exit.

    user: to become, for good; None to stay. limits: (RLIMIT_ constant, soft, hard), lowered to what is inherited.
    folders: appended to sys.path.
    """
    report = _take_streams()
    if user is not None:
        setgroups([])
        setresgid(user, user, user)
        setresuid(user, user, user)  # takes the capabilities along
    sys.path += folders
    # what `site` adds to the builtins of a script; importing it takes longer than all the rest here
    builtins.exit, builtins.quit = Quitter("exit", "Ctrl-D (i.e. EOF)"), Quitter("quit", "Ctrl-D (i.e. EOF)")
    out_of_memory = f"{nonce} out_of_memory 0 MemoryError\n".encode()
    for kind, soft, hard in limits:
        inherited = getrlimit(kind)[1]
        most = hard if inherited == RLIM_INFINITY else min(hard, inherited)
        setrlimit(kind, (min(soft, most), most))
    write(report, f"{nonce} started\n".encode())
    try:
        _run(source)
    except MemoryError:
        write(report, out_of_memory)
    except BaseException as error:
        write(report, f"{nonce} failed {line_of(error)} {message_of(error)}\n".encode("utf-8", "replace"))
    else:
        write(report, f"{nonce} passed 0 \n".encode())
    _exit(0)


def _take_streams() -> int:
    """Keep a private copy of standard output; point descriptors 0, 1 and 2 at /dev/null; close all others."""
    report = dup(1)
    null = open("/dev/null", O_RDWR)
    for stream in (0, 1, 2):
        dup2(null, stream)
    dup2(report, 3)
    closerange(4, 4096)
    return 3


def _run(source: str) -> None:
    module = type(sys)("__main__")
    module.__dict__["__builtins__"] = builtins
    sys.modules["__main__"] = module
    exec(compile(source, PROGRAM_NAME, "exec"), module.__dict__)


def message_of(error: BaseException) -> str:
    """`ValueError: what it says`, on one line."""
    try:
        text = str(error.msg if isinstance(error, SyntaxError) else error.code if isinstance(error, SystemExit) else error)
    except Exception:
        text = "(its message cannot be shown)"
    name = type(error).__name__
    return " ".join((f"{name}: {text}" if text else name).split())[:MAX_MESSAGE_CHARACTERS]


def line_of(error: BaseException) -> int:
    """The last line of the program itself that the exception passed through; 0 for none, and for leaving on purpose."""
    if isinstance(error, SystemExit):
        return 0
    line, trace = (error.lineno or 0) if isinstance(error, SyntaxError) else 0, error.__traceback__
    while trace is not None and not isinstance(error, SyntaxError):
        if trace.tb_frame.f_code.co_filename == PROGRAM_NAME:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
