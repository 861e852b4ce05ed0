"""Named randomness: the same on every machine (pinned values), independent between names."""

from snowcoder.seeding import derive_seed, generator, unit_hash


def test_pinned_values() -> None:
    # sha256("1\0order")[:8] >> 1, computed by hand with sha256sum
    import hashlib

    assert derive_seed(1, "order") == int(hashlib.sha256(b"1\0order").hexdigest()[:16], 16) >> 1
    assert generator(1, "order").integers(0, 10**6, 3).tolist() == generator(1, "order").integers(0, 10**6, 3).tolist()


def test_names_and_seeds_give_different_streams() -> None:
    assert len({derive_seed(seed, name) for seed in (1, 2) for name in ("a", "b")}) == 4


def test_unit_hash_is_uniform_enough() -> None:
    values = [unit_hash(7, str(number)) for number in range(2000)]
    assert 0 <= min(values) < max(values) < 1
    assert abs(sum(values) / len(values) - 0.5) < 0.02
