"""The inner loops of deduplication, compiled by numba at run time (no compiler needed) and cached next to this file.

Integers wrap modulo 2**32 or 2**64, so that every machine gives the same bits. Text is UTF-8 bytes; files are end to end in one buffer,
file i from starts[i] to starts[i + 1], as Arrow keeps them. A token is a run of ASCII letters, digits, underscores and non-ASCII
characters, or one other visible ASCII character.
"""

import numpy as np
from numba import njit

SPACE, WORD, MARK = 0, 1, 2
_ASCII = [SPACE if chr(byte).isspace() else WORD if chr(byte).isalnum() or chr(byte) == "_" else MARK for byte in range(128)]
KIND_OF_BYTE = np.array(_ASCII + [WORD] * 128, dtype=np.uint8)

# FNV-1a, 64 bits (Fowler, Noll, Vo)
FNV_OFFSET = np.uint64(0xCBF29CE484222325)
FNV_PRIME = np.uint64(0x100000001B3)
# Odd, so that multiplication modulo 2**64 loses nothing: 2**64 / golden ratio.
MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
SHORT_FILE = np.uint64(0x5348_4F52_5446_494C)
U32, U64 = np.uint32, np.uint64
CHUNK = 4096  # tokens in hand at once
BLOCK = 4  # shingles permuted at once: the signature is then read and written a quarter as often


@njit(inline="always")
def _mix64(h):  # type: ignore[no-untyped-def]
    """MurmurHash3's finalizer, 64 bits: a bijection in which every bit depends on every other."""
    h = (h ^ (h >> U64(33))) * U64(0xFF51AFD7ED558CCD)
    h = (h ^ (h >> U64(33))) * U64(0xC4CEB9FE1A85EC53)
    return h ^ (h >> U64(33))


@njit(inline="always")
def _mix32(shingle):  # type: ignore[no-untyped-def]
    """The upper half of a shingle through MurmurHash3's finalizer, 32 bits, as datasketch's affine32 scheme does before it permutes."""
    x = U32(shingle >> U64(32))
    x = U32((x ^ (x >> U32(16))) * U32(0x85EBCA6B))
    x = U32((x ^ (x >> U32(13))) * U32(0xC2B2AE35))
    return U32(x ^ (x >> U32(16)))


@njit(cache=True, nogil=True)
def next_tokens(data, place, stop, tokens, count):  # type: ignore[no-untyped-def]
    """Hash tokens from data[place] on into tokens[count:] until that is full or the text ends; return (place, count)."""
    while place < stop and count < tokens.size:
        kind = KIND_OF_BYTE[data[place]]
        if kind == SPACE:
            place += 1
            continue
        h = (FNV_OFFSET ^ U64(data[place])) * FNV_PRIME
        place += 1
        if kind == WORD:
            while place < stop and KIND_OF_BYTE[data[place]] == WORD:
                h = (h ^ U64(data[place])) * FNV_PRIME
                place += 1
        tokens[count] = _mix64(h)
        count += 1
    return place, count


@njit(cache=True, nogil=True)
def next_shingles(data, place, stop, ngram_tokens, tokens, held, written, shingles):  # type: ignore[no-untyped-def]
    """The next shingles of a text, one for each position (repeated ones repeatedly): (place, tokens held, shingles made).

    held: tokens kept from the last call for the n-grams that reach over; written: shingles made so far; both at first 0. tokens, shingles:
    uint64 scratch of one size, more than ngram_tokens. The text is done when place == stop and written > 0.
    """
    place, count = next_tokens(data, place, stop, tokens, held)
    if count < ngram_tokens:
        if written:
            return place, count, 0
        h = SHORT_FILE  # one shingle, the whole file: an empty set would make all short files alike
        for i in range(count):
            h = _mix64(h * MULTIPLIER + tokens[i])
        shingles[0] = h
        return place, count, 1
    made = count - ngram_tokens + 1
    for i in range(made):
        h = U64(0)
        for j in range(i, i + ngram_tokens):
            h = h * MULTIPLIER + tokens[j]
        shingles[i] = h
    for i in range(ngram_tokens - 1):
        tokens[i] = tokens[made + i]
    return place, ngram_tokens - 1, made


@njit(cache=True, nogil=True)
def text_shingles(data, ngram_tokens):  # type: ignore[no-untyped-def]
    """uint64[]: the shingle of every position of one text, repeated ones repeatedly; at least one."""
    tokens, made = np.empty(CHUNK + ngram_tokens, U64), np.empty(CHUNK + ngram_tokens, U64)
    place = total = 0
    while place < data.size:  # counted first: a buffer of one place per byte would not fit in memory next to a large file
        place, count = next_tokens(data, place, data.size, tokens, 0)
        total += count
    shingles = np.empty(max(1, total - ngram_tokens + 1), U64)
    place = held = written = 0
    while written < shingles.size:
        place, held, count = next_shingles(data, place, data.size, ngram_tokens, tokens, held, written, made)
        shingles[written : written + count] = made[:count]
        written += count
    return shingles


@njit(cache=True, nogil=True)
def sign(shingles, count, multipliers, increments, mixed, signature):  # type: ignore[no-untyped-def]
    """Lower signature (uint32[permutations]) to the minima of the first `count` shingles; mixed: uint32 scratch of `count` places."""
    for i in range(count):
        mixed[i] = _mix32(shingles[i])
    whole = count - count % BLOCK
    for i in range(0, whole, BLOCK):
        x0, x1, x2, x3 = mixed[i], mixed[i + 1], mixed[i + 2], mixed[i + 3]
        for p in range(signature.size):
            a, b = multipliers[p], increments[p]
            low = min(U32(a * x0 + b), U32(a * x1 + b))
            high = min(U32(a * x2 + b), U32(a * x3 + b))
            signature[p] = min(signature[p], min(low, high))
    for i in range(whole, count):
        for p in range(signature.size):
            signature[p] = min(signature[p], U32(multipliers[p] * mixed[i] + increments[p]))


@njit(cache=True, nogil=True)
def fold_bands(signature, rows, keys):  # type: ignore[no-untyped-def]
    """keys[b]: a hash of band number b and of the rows of band b."""
    for band in range(keys.size):
        h = _mix64(U64(band + 1))
        for row in range(band * rows, (band + 1) * rows):
            h = _mix64((h ^ U64(signature[row])) * MULTIPLIER)
        keys[band] = h


@njit(cache=True, nogil=True)
def text_band_keys(data, starts, ngram_tokens, multipliers, increments, rows, keys):  # type: ignore[no-untyped-def]
    """keys (uint64[files, bands]) of every text of a buffer. Memory does not depend on the length of a text."""
    size = CHUNK + ngram_tokens
    tokens, shingles, mixed = np.empty(size, U64), np.empty(size, U64), np.empty(size, U32)
    signature = np.empty(multipliers.size, U32)
    for i in range(starts.size - 1):
        signature[:] = U32(0xFFFFFFFF)
        place, stop, held, written = starts[i], starts[i + 1], 0, 0
        while place < stop or written == 0:
            place, held, count = next_shingles(data, place, stop, ngram_tokens, tokens, held, written, shingles)
            sign(shingles, count, multipliers, increments, mixed, signature)
            written += count
        fold_bands(signature, rows, keys[i])


@njit(cache=True, nogil=True)
def set_band_keys(shingles, starts, multipliers, increments, rows, keys):  # type: ignore[no-untyped-def]
    """keys (uint64[sets, bands]) of shingle sets stored end to end; every set has at least one shingle."""
    longest = 1
    for i in range(starts.size - 1):
        longest = max(longest, starts[i + 1] - starts[i])
    mixed, signature = np.empty(longest, U32), np.empty(multipliers.size, U32)
    for i in range(starts.size - 1):
        signature[:] = U32(0xFFFFFFFF)
        sign(shingles[starts[i] : starts[i + 1]], starts[i + 1] - starts[i], multipliers, increments, mixed, signature)
        fold_bands(signature, rows, keys[i])


@njit(cache=True, nogil=True)
def keep_distinct(ordered):  # type: ignore[no-untyped-def]
    """Move the distinct values of a sorted non-empty array to its front; return their number."""
    count = 1
    for i in range(1, ordered.size):
        if ordered[i] != ordered[count - 1]:
            ordered[count] = ordered[i]
            count += 1
    return count


@njit(cache=True, nogil=True)
def count_shared(left, right):  # type: ignore[no-untyped-def]
    """Number of values that two sorted arrays of distinct values share."""
    shared = i = j = 0
    while i < left.size and j < right.size:
        a, b = left[i], right[j]
        shared += a == b
        i += a <= b
        j += b <= a
    return shared


@njit(cache=True, nogil=True)
def exact_jaccards(shingles, starts, sizes, lefts, rights, threshold, found):  # type: ignore[no-untyped-def]
    """found[p]: exact Jaccard of sets lefts[p] and rights[p], or -1.0 where their sizes alone keep it below the threshold."""
    for p in range(lefts.size):
        one, two = lefts[p], rights[p]
        small, large = min(sizes[one], sizes[two]), max(sizes[one], sizes[two])
        if small < threshold * large * (1 - 1e-9):
            found[p] = -1.0
            continue
        left = shingles[starts[one] : starts[one] + sizes[one]]
        right = shingles[starts[two] : starts[two] + sizes[two]]
        shared = count_shared(left, right)
        found[p] = shared / (left.size + right.size - shared)


@njit(cache=True, nogil=True)
def next_pairs(members, starts, window, place, pairs):  # type: ignore[no-untyped-def]
    """Fill `pairs` with (worse rank << 32 | better rank) of every member of a group with each of its `window` best; return (count, place).

    members: ranks, ascending within each group; place: (group, better, worse) where the last call stopped, at first (0, 0, 1). It is done
    when count < pairs.size.
    """
    group, better, worse = place
    count = 0
    while group < starts.size - 1:
        start, size = starts[group], starts[group + 1] - starts[group]
        while better < min(window, size - 1):
            while worse < size:
                if count == pairs.size:
                    return count, (group, better, worse)
                pairs[count] = (U64(members[start + worse]) << U64(32)) | U64(members[start + better])
                count += 1
                worse += 1
            better += 1
            worse = better + 1
        group += 1
        better, worse = 0, 1
    return count, (group, better, worse)


@njit(cache=True, nogil=True)
def drop_for_kept(pairs, jaccards, incomplete, status, kept_rank, jaccard, undecided, dropped):  # type: ignore[no-untyped-def]
    """The greedy rule over pairs sorted by (worse, better): a file is dropped for the most similar better file that is certain to stay.

    A better file stays if it is still undecided when its turn is over and was compared with all of its betters.
    """
    for p in range(pairs.size):
        worse, better = pairs[p] >> U64(32), pairs[p] & U64(0xFFFFFFFF)
        stays = status[better] == undecided and not incomplete[better]
        if stays and (status[worse] == undecided or jaccards[p] > jaccard[worse]):
            status[worse] = dropped
            kept_rank[worse] = better
            jaccard[worse] = jaccards[p]
