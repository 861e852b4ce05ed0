"""Hostile programs. Each ends with 0 only if its attack has worked, as it must outside the sandbox and must not inside.

A header defines names for them: TOKEN (a secret), SECRET (a file that holds it), FOLDER (one that everybody may write), REPOSITORY, TMP
(/tmp; outside, FOLDER), DEVICE (/dev/null; outside, a file), VICTIM (process), ADDRESS (an abstract socket that listens), AMOUNT (large;
outside, small), HOME, LIBRARY, FOLDERS, PORT (see test_attacks.py), and `call(name, ...)`, a raw system call.
"""

from dataclasses import dataclass

REFUSED = r"failed: PermissionError: \[Errno 1\] Operation not permitted"
MISSING = r"failed: (FileNotFoundError|PermissionError)"
NO_FAMILY = r"failed: OSError: \[Errno 97\]"


# before every attack; `os` and `ctypes` are imported for it
HEADER = """
import ctypes, os
C_LIBRARY = ctypes.CDLL(None, use_errno=True)
def call(name, *arguments):
    result = C_LIBRARY.syscall(ctypes.c_long(NUMBERS[name]), *(ctypes.c_long(a) if isinstance(a, int) else a for a in arguments))
    if result == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
PERF_EVENT = ctypes.create_string_buffer((1).to_bytes(4, "little") + (112).to_bytes(4, "little") + bytes(104))
BPF_MAP = ctypes.create_string_buffer(b"".join(n.to_bytes(4, "little") for n in (2, 4, 4, 1)) + bytes(56))
CLONE_ARGUMENTS = ctypes.create_string_buffer(bytes(32) + (17).to_bytes(8, "little") + bytes(24))
"""


@dataclass(frozen=True)
class Attack:
    """expected: pattern for `status: detail`. outside: how it is shown to work (`works`), or why that cannot be shown."""

    name: str
    source: str
    expected: str
    outside: str = "works"
    needs_root: bool = False
    amount: int = 10**9
    small: int = 100
    timeout_s: float = 20.0
    cpu_s: int = 5
    slow: bool = False


CLIMB = """
for fd in [*range(3, 64), os.open('.', os.O_PATH)]:
    try:
        os.stat('../' * 30 + SECRET[1:], dir_fd=fd)
        break
    except OSError:
        pass
else:
    raise OSError('none')
"""
WRITE_ANYWHERE = """
for folder in FOLDERS:
    try:
        open(folder + '/' + TOKEN, 'w')
        break
    except OSError:
        pass
else:
    raise OSError('none')
"""
DAEMON = """
import time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0: time.sleep(1)
    os._exit(0)
"""
THREADS = """
import threading
threading.stack_size(2**16)
end = threading.Event()
for _ in range(AMOUNT):
    threading.Thread(target=end.wait, daemon=True).start()
"""
RAISE_LIMITS = """
import resource
for count in (32, 33):
    resource.setrlimit(resource.RLIMIT_NOFILE, (count, count))
"""
IGNORE_SIGNALS = """
import signal
for kind in (signal.SIGXCPU, signal.SIGTERM, signal.SIGALRM, signal.SIGHUP):
    signal.signal(kind, signal.SIG_IGN)
for _ in range(AMOUNT):
    pass
"""
BLOCK_SIGNALS = """
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
i = 0
while i < AMOUNT:
    try:
        while i < AMOUNT: i += 1
    except BaseException:
        pass
"""
FORGE = """
for fd in range(3, 64):
    for line in (b'started', b'passed 0 ', b'0' * 32 + b' passed 0 '):
        try:
            os.write(fd, line + b'\\n')
        except OSError:
            pass
os._exit(0)
"""
FLOOD = """
for _ in range(AMOUNT):
    for fd in range(1, 20):
        try:
            os.write(fd, bytes(4096))
        except OSError:
            pass
"""
REPLACE_BUILTINS = """
import builtins, os, posix, sys
def lie(*_, **__): return 'passed'
posix.write = posix._exit = os.write = lie
for name in ('str', 'type', 'isinstance', 'len', 'print', 'AssertionError', 'BaseException', 'Exception'): setattr(builtins, name, lie)
sys.excepthook = sys.exit = lie
1 / 0 if INSIDE else None
"""
RECURSE = """
import sys
sys.setrecursionlimit(10**9)
class A:
    def __getattr__(self, name): return getattr(self, name + 'x')
A().x
"""

FILES = [
    Attack("read a file of somebody else", "assert TOKEN in open(SECRET).read()", MISSING),
    Attack("read the passwords", "open('/etc/shadow').read()", MISSING, needs_root=True),
    Attack("read the users", "open('/etc/passwd').read()", MISSING),
    Attack(
        "read the home",
        "assert [name for name in os.listdir(HOME) if not LIBRARY.startswith(f'{HOME}/{name}/')]",
        f"{MISSING}|failed: AssertionError",
    ),
    Attack("read keys in the home", "open(HOME + '/.ssh/id_ed25519').read()", MISSING, outside="there may be none"),
    Attack("read the repository", "open(REPOSITORY + '/params.yaml').read()", MISSING),
    Attack("write into the repository", "open(FOLDER + '/planted.py', 'w').write('x')", MISSING),
    Attack("symlink", "os.symlink('/etc', TMP + '/l')\nopen(TMP + '/l/passwd').read()", MISSING),
    Attack("symlink through its own root", "os.symlink(SECRET, TMP + '/l')\nopen(TMP + '/l').read()", MISSING),
    Attack("hard link", "os.link(SECRET, FOLDER + '/hard')", MISSING),
    Attack("climb from an inherited descriptor", CLIMB, "failed: OSError: none"),
    Attack("chmod a device of the machine", "os.chmod(DEVICE, 0o600)", REFUSED),
    Attack("change the times of a device", "os.utime(DEVICE, (1, 1))", REFUSED),
    Attack("write anywhere", WRITE_ANYWHERE, "failed: OSError: none"),
    Attack(
        "replace a module of the standard library", "open(LIBRARY + '/antigravity.py', 'a')", r"failed: (OSError: \[Errno 30\]|Permission)"
    ),
    Attack(
        "fill /tmp with files",
        "for i in range(AMOUNT):\n    open(f'{TMP}/{i}', 'wb').write(bytes(2**14))",
        r"failed: OSError: \[Errno 28\]",
    ),
    Attack("one huge file", "open(TMP + '/x', 'wb').write(bytes(AMOUNT))", r"failed: OSError: \[Errno 27\]", amount=2**22),
    Attack("one huge sparse file", "open(TMP + '/x', 'wb').truncate(AMOUNT)", r"failed: OSError: \[Errno 27\]", amount=2**40),
    Attack("start a shell", "os.execv('/bin/sh', ['sh', '-c', 'exit 0'])", r"failed: FileNotFoundError"),
]

PROCESSES = [
    Attack("fork bomb", "for _ in range(AMOUNT):\n    if os.fork() == 0: os._exit(0)", REFUSED, small=5),
    Attack("fork by its number", "if call('fork') == 0: os._exit(0)", REFUSED),
    Attack("vfork through posix_spawn", "import sys\nos.posix_spawn(sys.executable, ['python', '-c', ''], {})", REFUSED),
    Attack("a child by clone3", "if call('clone3', CLONE_ARGUMENTS, 64) == 0: os._exit(0)", r"failed: OSError: \[Errno 38\]"),
    Attack("a subprocess", "import subprocess, sys\nsubprocess.run([sys.executable, '-c', ''])", REFUSED),
    Attack("a double-fork daemon", DAEMON, REFUSED),
    Attack("threads galore", THREADS, "failed: RuntimeError: can't start new thread", amount=200, small=200),
    Attack("signal another process", "import signal\nos.kill(VICTIM, signal.SIGCONT)", "failed: ProcessLookupError"),
    Attack("read the environment of another", "assert TOKEN in open(f'/proc/{VICTIM}/environ').read()", MISSING),
    Attack("read its parent's environment", "open(f'/proc/{os.getppid()}/environ').read()", MISSING),
    Attack("find a secret in its own", "assert TOKEN in os.environ['SNOWCODER_SECRET']", "failed: KeyError"),
    Attack("list processes", "assert any(name.isdigit() for name in os.listdir('/proc'))", MISSING),
    Attack("trace itself", "call('ptrace', 0, 0, 0, 0)", REFUSED),
    Attack(
        "trace another", "call('ptrace', 0x4206, VICTIM, 0, 0)\ncall('ptrace', 17, VICTIM, 0, 0)", REFUSED, outside="Yama may forbid it"
    ),
    Attack("read another's memory", "call('process_vm_readv', 0, 0, 0, 0, 0, 0)", REFUSED),
    Attack("hold another process", "call('pidfd_open', VICTIM, 0)", REFUSED),
    Attack("compare processes", "call('kcmp', 0, 0, 0, 0, 0)", REFUSED, outside="not in every kernel"),
    Attack("become root", "os.setuid(0)\nos.setgroups([0])", r"failed: (PermissionError|OSError: \[Errno 22\])", needs_root=True),
    Attack(
        "raise its own limits",
        RAISE_LIMITS,
        "failed: ValueError: not allowed to raise maximum limit",
        outside="needs CAP_SYS_RESOURCE",
    ),
]

KERNEL = [
    Attack("a user namespace by unshare", "call('unshare', 0x10000000)", REFUSED),
    Attack("a user namespace by clone", "if call('clone', 0x10000000 | 17, 0, 0, 0, 0) == 0: os._exit(0)", REFUSED),
    Attack("enter a namespace", "call('setns', 0, 0)", REFUSED, outside="needs a namespace"),
    Attack("mount", "call('mount', b'none', FOLDER.encode(), b'tmpfs', 0, 0)", REFUSED, outside="changes the machine"),
    Attack("mount, the newer way", "call('fsopen', b'tmpfs', 0)", REFUSED, needs_root=True),
    Attack("unmount", "call('umount2', b'/tmp', 0)", REFUSED, outside="changes the machine"),
    Attack("copy a mount", "call('open_tree', -100, b'/', 1)", REFUSED, needs_root=True),
    Attack("chroot", "call('chroot', b'/')", REFUSED, needs_root=True),
    Attack("io_uring", "call('io_uring_setup', 1, ctypes.create_string_buffer(120))", REFUSED, outside="not in every kernel"),
    Attack("put a key on a keyring", "call('add_key', b'user', b'snowcoder', b'x', 1, -2)", REFUSED),
    Attack("read a keyring", "call('keyctl', 0, -3, 0)", REFUSED),
    Attack("a performance counter", "call('perf_event_open', PERF_EVENT, 0, -1, -1, 0)", REFUSED, needs_root=True),
    Attack("load a bpf map", "call('bpf', 0, BPF_MAP, 72)", REFUSED, needs_root=True),
    Attack("the kernel's log", "call('syslog', 10, 0, 0)", REFUSED, needs_root=True),
    Attack("a file by its handle", "call('open_by_handle_at', -100, b'x' * 16, 0)", REFUSED, outside="needs a handle"),
    Attack("page faults in user space", "call('userfaultfd', 1)", REFUSED),
]

NETWORK = [
    Attack("a TCP socket", "import socket\nsocket.socket(socket.AF_INET, socket.SOCK_STREAM)", NO_FAMILY),
    Attack("a TCP connection", "import socket\nsocket.create_connection(('127.0.0.1', PORT), 2)", NO_FAMILY),
    Attack("a UDP socket", "import socket\nsocket.socket(socket.AF_INET6, socket.SOCK_DGRAM)", NO_FAMILY),
    Attack("a raw socket", "import socket\nsocket.socket(socket.AF_INET, socket.SOCK_RAW, 1)", NO_FAMILY, needs_root=True),
    Attack("packets", "import socket\nsocket.socket(socket.AF_PACKET, socket.SOCK_RAW)", NO_FAMILY, needs_root=True),
    Attack("netlink", "import socket\nsocket.socket(socket.AF_NETLINK, socket.SOCK_RAW)", NO_FAMILY),
    Attack(
        "the host of a virtual machine",
        "import socket\nsocket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)",
        NO_FAMILY,
        outside="not in every kernel",
    ),
    Attack(
        "the kernel's ciphers",
        "import socket\nsocket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET)",
        NO_FAMILY,
        outside="not in every kernel",
    ),
    Attack(
        "an abstract unix socket of the machine",
        "import socket\nsocket.socket(socket.AF_UNIX).connect(ADDRESS)",
        "failed: ConnectionRefusedError",
    ),
    Attack("a unix socket of the machine", "import socket\nsocket.socket(socket.AF_UNIX).connect(FOLDER + '/socket')", MISSING),
    Attack(
        "a name server", "import socket\nsocket.getaddrinfo('localhost', 80)\nopen('/etc/hosts')", "failed: (gaierror|FileNotFoundError)"
    ),
]

MEMORY = [
    Attack("allocate at once", "x = bytearray(AMOUNT)", "out_of_memory: MemoryError", amount=100 * 2**30, small=2**20),
    Attack("allocate in pieces", "x = []\nfor _ in range(AMOUNT):\n    x.append(bytearray(2**16))", "out_of_memory: MemoryError"),
    Attack(
        "map shared memory",
        "import mmap\nx = [mmap.mmap(-1, 2**24) for _ in range(AMOUNT)]",
        r"failed: OSError: \[Errno 12\]",
        small=2,
        amount=100,
    ),
    Attack("a file in memory", "os.memfd_create('x')", REFUSED),
    Attack("System V memory", "C_LIBRARY.shmctl(call('shmget', 0, 4096, 0o1600), 0, None)", REFUSED),
    Attack("System V semaphores", "C_LIBRARY.semctl(call('semget', 0, 1, 0o1600), 0, 0)", REFUSED),
    Attack("System V queues", "C_LIBRARY.msgctl(call('msgget', 0, 0o1600), 0, None)", REFUSED),
    Attack("a message queue", "call('mq_open', b'snowcoder', 0o102, 0o600, 0)", REFUSED, outside="not in every kernel"),
    Attack("pipes without end", "x = [os.pipe() for _ in range(AMOUNT)]", r"failed: OSError: \[Errno 24\]", amount=100, small=100),
]

ENDLESS = 10**11
TIME = [
    Attack("ignore the time limit's signal", IGNORE_SIGNALS, "(killed: signal 9|timeout: )", amount=ENDLESS, cpu_s=1),
    Attack("block all signals, catch all errors", BLOCK_SIGNALS, "(killed: signal 9|timeout: )", amount=ENDLESS, cpu_s=1, slow=True),
    Attack(
        "a loop inside the C library", "import re\nre.match('(a*)*b', 'a' * AMOUNT)", "timeout: ", amount=60, small=10, cpu_s=1, slow=True
    ),
    Attack("output without end", "for _ in range(AMOUNT):\n    os.write(1, bytes(2**16))", "timeout: ", amount=ENDLESS, cpu_s=1, slow=True),
    Attack("sleep", "import time\ntime.sleep(AMOUNT / 1000)", "timeout: ", amount=10**6, small=1, timeout_s=0.5),
]

CHEATING = [
    Attack("leave with 0", "import sys\nsys.exit(0)", "failed: SystemExit: 0"),
    Attack("leave at once", "os._exit(0)", "failed: exited with 0 before its end"),
    Attack(
        "leave from a thread",
        "import threading\nthreading.Thread(target=os._exit, args=(0,)).start()\nthreading.Event().wait()",
        "failed: exited with 0",
    ),
    Attack("become another program", "import sys\nos.execv(sys.executable, ['python', '-c', ''])", "failed: exited with 0"),
    Attack("close the report", "os.closerange(0, 64)", r"failed: exited with \d+ before its end"),
    Attack("forge a report", FORGE, "failed: exited with 0 before its end"),
    Attack("flood the report", FLOOD, "killed: sent more than"),
    Attack("replace what the report uses", REPLACE_BUILTINS, r"failed: ZeroDivisionError: division by zero \(line \d+\)"),
    Attack("crash", "ctypes.string_at(0)", "killed: signal 11", outside="it crashes there too"),
    Attack("recurse without end in C", RECURSE, "(killed: signal 11|out_of_memory|failed: RecursionError)", outside="it crashes there too"),
]

ATTACKS = [*FILES, *PROCESSES, *KERNEL, *NETWORK, *MEMORY, *TIME, *CHEATING]
