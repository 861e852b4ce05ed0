"""Named randomness: a generator is seeded by params and a name; random decisions about a file depend on its content's hash."""

import hashlib

import numpy as np


def derive_seed(seed: int, *names: str | int) -> int:
    """A 63-bit seed from `seed` and the names of its use: sha256, so that it is the same on every machine."""
    text = "\0".join(str(part) for part in (seed, *names))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(seed: int, *names: str | int) -> np.random.Generator:
    """A separate NumPy generator for one named use."""
    return np.random.Generator(np.random.PCG64(derive_seed(seed, *names)))


def unit_hash(seed: int, *names: str | int) -> float:
    """A number in [0, 1) that depends only on the names: for rules such as `keep 10%`, or a random order independent of position."""
    return derive_seed(seed, *names) / 2**63
