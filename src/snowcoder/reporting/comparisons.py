"""Compares two models text by text, and each model with the trigram of the tokens it has trained on.

An interval is 95% over the texts of a set, whole repositories or problems drawn, for one trained model: it does not hold how much another
seed would differ. What makes a text hard for both sides says nothing about a difference, and falls out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from snowcoder.errors import SnowcoderError
from snowcoder.reporting.report_params import ladder
from snowcoder.reporting.results import FLOORS, TEXT_BITS, TRIGRAM, Results, TextBits, set_names
from snowcoder.statistics.clustered import count_clusters
from snowcoder.statistics.paired import compare_ratios

SEED = 1  # of the resampling
OF_REPOSITORIES = ("validation", "held_out", "unseen")  # the other sets have one text per problem of a benchmark


@dataclass(frozen=True)
class Comparison:
    """Bits per byte of a model against its control (or its trigram) on one set; difference below zero is better than the control.

    interval: 95%, of the difference, whole clusters of texts resampled for both alike; None for a single cluster.
    """

    variant: str
    control: str
    set_name: str
    value: float
    control_value: float
    difference: float
    interval: tuple[float, float] | None
    n_clusters: int

    @property
    def is_better(self) -> bool:
        """Whether the whole interval is below 0."""
        return self.interval is not None and self.interval[1] < 0

    @property
    def is_worse(self) -> bool:
        """Whether the whole interval is above 0."""
        return self.interval is not None and self.interval[0] > 0

    @property
    def leaves_out_zero(self) -> bool:
        """Whether other texts of the kind would give the difference the same sign; another seed may not."""
        return self.is_better or self.is_worse

    @property
    def unit(self) -> str:
        """What the interval draws, and how many."""
        one, many = ("repository", "repositories") if self.set_name in OF_REPOSITORIES else ("problem", "problems")
        return f"{self.n_clusters} {one if self.n_clusters == 1 else many}"

    @property
    def relative(self) -> float:
        """The difference as a fraction of the control."""
        return self.difference / self.control_value


def compare(results: Results, variant: str, control: str, set_name: str) -> Comparison:
    """One comparison, on the texts that both were measured on. Raises SnowcoderError if those are not the same."""
    ours, theirs = (results.bits[name](set_name, "bits_per_byte") for name in (variant, control))
    return _paired((variant, results.text_bits[variant], ours), (control, results.text_bits[control], theirs), set_name)


def compare_with_trigram(results: Results, variant: str, set_name: str) -> Comparison:
    """A model against the trigram of its own tokens, on the same texts. Raises SnowcoderError if those are not the same."""
    ours, theirs = results.bits[variant](set_name, "bits_per_byte"), results.floors(variant, TRIGRAM, set_name)
    return _paired((variant, results.text_bits[variant], ours), (TRIGRAM, results.trigram_bits[variant], theirs), set_name)


def comparisons(results: Results) -> list[Comparison]:
    """Every model with a control, on every set."""
    pairs = results.params.controls
    return [compare(results, variant, control, set_name) for variant, control in pairs for set_name in set_names(results)]


def trigram_comparisons(results: Results, variants: Iterable[str]) -> list[Comparison]:
    """The models on every set, each against the trigram of its own tokens."""
    return [compare_with_trigram(results, variant, set_name) for set_name in set_names(results) for variant in variants]


def beats_every_trigram(against_trigrams: Sequence[Comparison]) -> bool:
    """Whether each model needs fewer bits than the trigram of its tokens, by an interval that leaves out 0."""
    return all(one.is_better for one in against_trigrams)


def supports_claims(results: Results) -> bool:
    """Whether a claim about data may rest on this run: every model of the ladder beats the trigram of its tokens on every set."""
    return beats_every_trigram(trigram_comparisons(results, ladder(results.params)))


def _paired(first: tuple[str, dict[str, TextBits], float], second: tuple[str, dict[str, TextBits], float], set_name: str) -> Comparison:
    (variant, our_sets, value), (control, their_sets, control_value) = first, second
    ours, theirs = (sets.get(set_name, TextBits([], [], [])) for sets in (our_sets, their_sets))
    if (ours.n_bytes, ours.clusters) != (theirs.n_bytes, theirs.clusters) or not ours.n_bytes:
        raise SnowcoderError(
            f"{TEXT_BITS}, {FLOORS}: {variant} and {control} were measured on other texts of {set_name} ({len(ours.bits)} and "
            f"{len(theirs.bits)}); run `dvc repro` of measure_bits_per_byte and measure_floors"
        )
    filled = [index for index, n in enumerate(ours.n_bytes) if n]
    clusters = [ours.clusters[index] for index in filled]
    bits, other_bits, weights = ([values[index] for index in filled] for values in (ours.bits, theirs.bits, ours.n_bytes))
    difference, interval = compare_ratios(bits, other_bits, weights, clusters, SEED)
    return Comparison(variant, control, set_name, value, control_value, difference, interval, count_clusters(clusters))
