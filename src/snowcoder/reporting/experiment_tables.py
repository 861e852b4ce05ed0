"""Tables of a comparison of data: arms, claims, subject and choice of files, learning rates, floors, sets."""

from snowcoder.experiment.analysis import Analysis
from snowcoder.experiment.branch_params import PARENT_ARM, BranchesParams
from snowcoder.experiment.claims import SIGNIFICANCE
from snowcoder.experiment.ranking import rank_arms
from snowcoder.reporting.document import NOTHING, Table, number
from snowcoder.reporting.experiment_words import PARTS, describe_arm, interval_text, signed, verdict_text
from snowcoder.reporting.titles import set_title
from snowcoder.statistics.clustered import FEW_CLUSTERS


def arm_table(analysis: Analysis) -> Table:
    """One row per arm, fewest bits first: what it chose by, its endpoint, and its difference to random files."""
    rows = []
    beyond = {one.arm: one.difference for one in rank_arms(analysis.less_trigram, analysis.values, analysis.params)}
    for one in analysis.ranked:
        less = beyond[one.arm]
        cells = [one.arm, describe_arm(analysis.params.arms[one.arm]), one.control or NOTHING, str(one.n_draws), f"{one.level:.4f}"]
        cells += [signed(one.difference.value), interval_text(one.difference.interval)] if one.difference else [NOTHING, NOTHING]
        rows.append([*cells, *([signed(less.value), interval_text(less.interval)] if less else [NOTHING, NOTHING])])
    columns = ["arm", "its files", "compared with", "draws", "bits/byte", "difference", "95%, all arms at once"]
    caption = (
        "Mean bits per byte over the sets of the endpoint, lower is better; below zero an arm needs fewer bits than random files. The "
        "intervals hold for all arms at once (Dunnett's test in a block model, draws are blocks). Beyond the trigram: the same difference "
        "less that of a trigram of the tokens that the arm's model has seen. That trigram counts alpha's tokens and the arm's alike, so "
        "that it learns less of the arm's words than n-grams could."
    )
    return Table([*columns, "beyond the trigram", "95%, all at once"], rows, caption, text_columns=3)


def claim_table(analysis: Analysis) -> Table:
    """The comparisons that params.yaml planned."""
    rows = []
    for one, own in zip(analysis.claims, analysis.own_draws, strict=True):
        known = one.difference
        values = [signed(known.value), interval_text(known.interval)] if known else [NOTHING, NOTHING]
        values.append(interval_text(own.interval if own else None))
        p_values = [_p_value(p) for p in (known.p_value if known else None, one.holm_p)]
        detectable = NOTHING if one.detectable is None else f"{one.detectable:.4f}"
        rows.append([f"{one.better} better than {one.worse}", verdict_text(one, analysis.may_claim), *values, *p_values, detectable])
    columns = ["claim", "result", "difference", "95% interval", "95%, their own draws alone", "p", "p, corrected", "detectable"]
    df, spread = analysis.fit.design.degrees_of_freedom, analysis.fit.spread
    of_runs = f"; a training varies by {spread:.4f} (standard deviation, {df} degrees of freedom)" if spread else ""
    caption = (
        f"Two-sided t tests; p corrected by Holm's method for all {len(analysis.claims)} claims of params.yaml; a "
        f"result needs a corrected p of {SIGNIFICANCE:g} at most. The tests take all arms to vary alike; the paired t interval of two "
        f"arms' own draws does not, and is wider with few draws. Detectable: the true difference that these trainings find in "
        f"four of five experiments{of_runs}."
    )
    return Table(columns, rows, caption, text_columns=2)


def parts_table(analysis: Analysis) -> Table:
    """Subject against choice within it: an arm's difference to random files, in two parts."""
    rows = []
    for one in analysis.decompositions:
        choice, subject = PARTS[one.match]
        for name, pair, part in ((choice, (one.chosen, one.matched), one.within), (subject, (one.matched, one.control), one.between)):
            rows.append([one.chosen, name, f"{pair[0]} less {pair[1]}", signed(part.value), interval_text(part.interval)])
    caption = (
        "A matched arm has random files, but as many tokens of each repository (or length) as the arm that it is matched to. What the "
        "chosen files differ by from those is what choosing these files does (of their repositories, or lengths); what those differ by "
        "from random files is the subject (or the length). Matched files may be chosen ones too, so that the first part is less than "
        "against the files left out. Intervals are of one comparison each, and take all arms to vary alike."
    )
    return Table(["arm", "part", "difference of", "bits/byte", "95% interval"], rows, caption, text_columns=3)


def rate_table(analysis: Analysis) -> Table:
    """The order of arms at every learning rate, and what n-grams leave of it."""
    orders = {f"{analysis.params.learning_rates[0]:g}": analysis.fit.levels}
    orders |= {f"{rate:g}": fit.levels for rate, fit in analysis.by_rate.items()}
    orders |= {"less the bigram's": analysis.less_bigram.levels, "less the trigram's": analysis.less_trigram.levels}
    rows = []
    for one in analysis.ranked:
        row = [one.arm]
        for levels in orders.values():
            place = sorted(levels, key=lambda arm: (levels[arm], arm)).index(one.arm) + 1 if one.arm in levels else None
            row += [f"{levels[one.arm]:.4f}", str(place)] if place else [NOTHING, NOTHING]
        rows.append(row)
    caption = "Bits per byte of the endpoint and place of each arm, by learning rate; at the first also less those of n-grams."
    return Table(["arm", *(cell for name in orders for cell in (name, "place"))], rows, caption)


def floor_table(analysis: Analysis) -> Table:
    """Every arm's model and n-grams of the same tokens, on every set."""
    rows = []
    for arm in [PARENT_ARM, *(one.arm for one in analysis.ranked)]:
        by_set, row = analysis.floors[arm], [arm]
        for name in analysis.sets:
            values = by_set[name]
            row.append(f"{values.model:.3f} / {values.bigram:.3f} / {values.trigram:.3f}{' *' if values.model >= values.trigram else ''}")
        rows.append(row)
    caption = (
        "Bits per byte: model / bigram / trigram (interpolated Kneser-Ney, of the tokens that the model has seen, alpha's included), means "
        "over draws. *: the model is no better than the trigram. alpha is the model that all arms start from."
    )
    return Table(["arm", *(set_title(name) for name in analysis.sets)], rows, caption)


def set_table(analysis: Analysis) -> Table:
    """Every arm against its control on every set, with an interval over draws and one over texts."""
    rows = [
        [
            *(set_title(one.set_name), one.arm, one.control, f"{one.level:.4f}", signed(one.draws.value)),
            *(interval_text(one.draws.interval), interval_text(one.texts)),
            f"{one.n_clusters} (few)" if one.n_clusters < FEW_CLUSTERS else str(one.n_clusters),
        ]
        for one in analysis.by_set
    ]
    caption = (
        "Intervals of one comparison each. Over draws: what other draws would give on these texts. Over texts: what other texts would give "
        "with the trainings of the draws that both arms have, set around the same difference; whole repositories or problems are "
        "resampled, and with few of them the interval is too narrow."
    )
    columns = ["set", "arm", "compared with", "bits/byte", "difference", "95% over draws", "95% over texts", "repositories or problems"]
    return Table(columns, rows, caption, text_columns=3)


def planned_arm_table(params: BranchesParams) -> Table:
    """What will be trained."""
    columns = ["arm", "its files", "unique tokens", f"draws at {params.learning_rates[0]:g}"]
    columns += [f"draws at {rate:g}" for rate in params.learning_rates[1:]]
    rows = []
    for name, arm in params.arms.items():
        draws = [params.draws_of(name, further_rate=number_of_rate > 0) for number_of_rate in range(len(params.learning_rates))]
        rows.append([name, describe_arm(arm), number(params.tokens // arm.repeats), *map(str, draws)])
    return Table(columns, rows, text_columns=2)


def plan_table(claims: list[list[str]]) -> Table:
    """What the planned trainings will be able to see; claims: rows under its columns."""
    caption = (
        "The true difference that a two-sided test at 5% divided by the number of claims (Holm's first step) finds in four of five "
        "experiments, from the spreads in data/pilot.csv. A spread of three trainings may well be half or twice the true one. Only draws "
        "that both arms have count."
    )
    return Table(["claim", "draws of both", "standard error", "detectable difference"], claims, caption)


def _p_value(p: float | None) -> str:
    return NOTHING if p is None else "< 0.0001" if p < 0.0001 else f"{p:.4f}"
