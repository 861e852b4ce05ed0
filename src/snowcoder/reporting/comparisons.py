"""Compares two models text by text, and each model with the trigram of the tokens it has trained on.

An interval is 95% over the texts of a set, for one trained model: it does not hold how much another seed would differ. What makes a text
hard for both sides says nothing about a difference, and falls out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from snowcoder.errors import SnowcoderError
from snowcoder.reporting.report_params import ladder
from snowcoder.reporting.results import FLOORS, TEXT_BITS, TRIGRAM, Results, TextBits, set_names
from snowcoder.statistics.paired import compare_ratios

SEED = 1  # of the resampling


@dataclass(frozen=True)
class Comparison:
    """Bits per byte of a model against its control (or its trigram) on one set; difference below zero is better than the control.

    interval: 95%, of the difference, texts resampled in pairs.
    """

    variant: str
    control: str
    set_name: str
    value: float
    control_value: float
    difference: float
    interval: tuple[float, float]

    @property
    def is_better(self) -> bool:
        """Whether the whole interval is below 0."""
        return self.interval[1] < 0

    @property
    def is_worse(self) -> bool:
        """Whether the whole interval is above 0."""
        return self.interval[0] > 0

    @property
    def is_noise(self) -> bool:
        """Whether the interval holds 0: the two cannot be told apart."""
        return not self.is_better and not self.is_worse

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
    """Whether each model needs fewer bits than the trigram of its tokens, beyond the noise of the choice of texts."""
    return all(one.is_better for one in against_trigrams)


def supports_claims(results: Results) -> bool:
    """Whether a claim about data may rest on this run: every model of the ladder beats the trigram of its tokens on every set."""
    return beats_every_trigram(trigram_comparisons(results, ladder(results.params)))


def _paired(first: tuple[str, TextBits, float], second: tuple[str, TextBits, float], set_name: str) -> Comparison:
    (variant, text_bits, value), (control, control_text_bits, control_value) = first, second
    (ours, n_bytes), (theirs, control_n_bytes) = (texts.get(set_name, ([], [])) for texts in (text_bits, control_text_bits))
    if n_bytes != control_n_bytes or not n_bytes:
        raise SnowcoderError(
            f"{TEXT_BITS}, {FLOORS}: {variant} and {control} were measured on other texts of {set_name} ({len(n_bytes)} and "
            f"{len(control_n_bytes)}); run `dvc repro` of measure_bits_per_byte and measure_floors"
        )
    filled = [index for index, n in enumerate(n_bytes) if n]
    first_bits, second_bits, weights = ([column[index] for index in filled] for column in (ours, theirs, n_bytes))
    difference, interval = compare_ratios(first_bits, second_bits, weights, SEED)
    return Comparison(variant, control, set_name, value, control_value, difference, interval)
