"""The answer in a sentence for each dataset: which model to take, and how far ImageNet accuracy would have told."""

from collections.abc import Sequence

import numpy as np

from apr.comparisons.transfer.choices import UNEQUAL, chosen_by_imagenet, ranking_of, worse_than_best
from apr.comparisons.transfer.targets import Scored, Transfer
from apr.comparisons.wording import bare_interval, counted, listed, number, rho, same_as, with_interval
from apr.statistics.ranks import FEWEST

MOST_NAMED = 4  # models that are not worse than the best


def answer_of(transfer: Transfer) -> str:
    """What stands above the table of models: an answer a dataset, or why there is none; then what ImageNet tells."""
    targets = transfer.targets.values()
    answers = "\n".join(f"- {scored.title}: {_answer(transfer, scored)}." for scored in targets)
    text = f"Which model to take:\n\n{answers}\n\n"
    if not any(transfer.common(scored) for scored in targets):
        unknown = "ImageNet accuracies of these models are not known, so that nothing can be said of them as a guide."
        return f"{text}{unknown}"
    lines = "\n".join(f"- {scored.title}: {_guidance(transfer, scored)}." for scored in targets)
    return f"{text}How far ImageNet accuracy could be trusted here:\n\n{lines}"


def _answer(transfer: Transfer, scored: Scored) -> str:
    return f"{_which(transfer, scored)}{_better_as_it_is(transfer, scored)}; {_ranks(transfer, scored)}"


def _which(transfer: Transfer, scored: Scored) -> str:
    first, *others = transfer.best_first(scored)
    score = f"{scored.metric.title} {bare_interval(scored.values[first], scored.low[first], scored.high[first], 1)}"
    ties = same_as([model for model in others if scored.losses[model] == scored.losses[first]])
    score = f"{score} {scored.metric.unit}".strip() + ties
    if not others:
        return f"no answer can be given: {first} ({score}) is the only model with a score"
    if _guesses(scored, first):
        guess = f"{number(scored.guess, 1)} {scored.metric.unit}".strip()
        return f"no answer can be given: not even the best, {first} ({score}), is beyond a guess ({guess})"
    if scored.draws is None:
        why = "which images each model got right is not known, so that noise cannot be told from a difference"
        return f"no answer can be given: {why}; {first} has the best score ({score})"
    p = worse_than_best(transfer, scored)[1]
    equal = [model for model in others if p[model] >= UNEQUAL]
    if len(equal) == len(others):
        none = f"none of the other {len(others)} is" if others[1:] else f"{others[0]} is not"
        return f"no model stands out: {first} has the best score ({score}), and {none} worse beyond noise"
    if not equal:
        return f"take {first} ({score}); all others are worse beyond noise"
    return f"take {first} ({score}); {_named(equal)} {'are' if equal[1:] else 'is'} not worse beyond noise"


def _better_as_it_is(transfer: Transfer, scored: Scored) -> str:
    """Which model scores better as fixed features than all of them do otherwise; empty where none does."""
    probes = transfer.others["probes"].get(scored.task)
    if not probes or probes.metric != scored.metric or probes.losses.min() >= scored.losses.min():
        return ""
    best = probes.losses.idxmin()
    ties = same_as([model for model in probes.losses.index[probes.losses == probes.losses[best]] if model != best])
    score = bare_interval(probes.values[best], probes.low[best], probes.high[best], 1)
    score = f"{score} {scored.metric.unit}".strip() + ties
    return f"; as fixed features {best} scores better than all of these ({score})"


def _guesses(scored: Scored, model: str) -> bool:
    """Whether a model's interval holds the level of a guess; false where either is not known."""
    if scored.guess is None or np.isnan(scored.low[model]):
        return False
    worst = max(scored.metric.loss(bound[model]) for bound in (scored.low, scored.high))
    return bool(worst >= scored.metric.loss(scored.guess))


def _ranks(transfer: Transfer, scored: Scored) -> str:
    """What ImageNet accuracy says of the ranking of the models that have one."""
    known = len(transfer.common(scored))
    if not known:
        return "ImageNet accuracies of its models are not known"
    of = f" of {len(scored.values)}" if known < len(scored.values) else ""
    some = f"{counted(known, 'model')}{of}"
    if known < FEWEST:
        return f"{some} with an ImageNet accuracy, too few to say how far it ranks them"
    found = ranking_of(transfer, scored)
    if np.isnan(found.rho):
        return f"ImageNet accuracy does not rank these {some} ({found.reason})"
    chance = ", which may be chance" if found.low <= 0 <= found.high else ""
    return f"ImageNet accuracy ranks these {some} with {rho(found, 2)}{chance}"


def _guidance(transfer: Transfer, scored: Scored) -> str:
    """What ImageNet's best loses, what a point of accuracy is worth, and which models nothing is said of."""
    known, unknown = transfer.common(scored), transfer.unknown(scored)
    if not known:
        return "ImageNet accuracies of its models are not known"
    points, texts = scored.metric.points, []
    choice = chosen_by_imagenet(transfer, scored)
    if choice and known[1:]:
        of = f" of these {len(known)}" if unknown else ""
        lost = f"{bare_interval(choice.regret, choice.low, choice.high, 1)} {points} to {choice.best}"
        if choice.low > 0 and not _is_worse(transfer, scored, choice.chosen):
            others = counted(len(scored.values) - 1, "comparison")
            lost = f"{lost} (by itself; corrected for {others} with the best it is within noise)"
        if choice.chosen == choice.best:
            lost = f"nothing: it has the best score{of}"
        texts.append(f"{choice.chosen}, the best{of} on ImageNet, loses {lost}")
    if len(known) >= FEWEST:
        slope = transfer.lines(scored)["all"]
        worth = f"a point more on ImageNet comes with {with_interval(slope.slope, *slope.bounds, 2)} {points}"
        texts.append(f"there is no slope ({slope.reason})" if np.isnan(slope.slope) else worth)
    if unknown:
        best = transfer.best_first(scored)[0]
        ahead = f", {best} among them, which has the best score of all" if best in unknown else ""
        without = f"of {counted(len(unknown), 'model')} without an ImageNet accuracy nothing is said"
        texts.append(f"{without}: {listed(unknown)}{ahead}")
    return "; ".join(texts) or "one model alone has an ImageNet accuracy"


def _is_worse(transfer: Transfer, scored: Scored, model: str) -> bool:
    """Whether a model is worse than the best beyond noise, as the answer's first part says it."""
    return scored.draws is None or bool(worse_than_best(transfer, scored)[1][model] < UNEQUAL)


def _named(models: Sequence[str]) -> str:
    more = len(models) - MOST_NAMED
    return listed([*models[:MOST_NAMED], *([f"{more} more"] if more > 0 else [])])
