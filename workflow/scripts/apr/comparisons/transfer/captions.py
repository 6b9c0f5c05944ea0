"""Sentences that captions of transfer have in common: what intervals are of, and what is left out."""

from collections.abc import Iterable, Mapping, Sequence

from apr.comparisons.transfer.targets import RARE, Scored, Transfer
from apr.comparisons.transfer.trained import trained_as
from apr.comparisons.wording import counted
from apr.scores.paired import nearest_names


def intervals_of(scored: Iterable[Scored], resamples: int) -> str:
    """What the intervals of scores are of, for a caption: "95 % intervals of 2,000 bootstrap resamples of ..."."""
    scored = list(scored)
    known = [one for one in scored if one.draws is not None]
    counts = [one for one in scored if one.draws is None and one.low.notna().any()]
    without = [one for one in scored if one.draws is None and one.low.isna().all()]
    if not known and not counts:
        return "no intervals, since nothing is known of the test images"
    texts = []
    if known:
        grouped = [one.title for one in known if one.groups]
        groups = f" (of their groups for {', '.join(grouped)})" if grouped else ""
        texts.append(f"{resamples:,} bootstrap resamples of the test images{groups}, the same for all models")
    if counts:
        texts.append(f"binomial counts (Clopper and Pearson){_for(counts, scored)}")
    if without:
        texts.append(f"none{_for(without, scored)}, of whose test images nothing is known")
    return f"95 % intervals of {'; '.join(texts)}"


def _for(some: Sequence[Scored], scored: Sequence[Scored]) -> str:
    return "" if len(some) == len(scored) else f" for {', '.join(one.title for one in some)}"


def rare_labels(scored: Iterable[Scored]) -> str:
    """A sentence on labels whose part of a metric hangs on few test images; empty without one."""
    clauses = [
        f"{one.title}: {', '.join(f'{label} ({count})' for label, count in one.rare.items())}"
        for one in scored
        if one.rare
    ]
    if not clauses:
        return ""
    return f" Labels with fewer than {RARE} test images, whose scores hang on a few of them: {'; '.join(clauses)}."


def how_trained(scored: Iterable[Scored]) -> str:
    """A sentence on how the models of tasks were trained: for how long, at which size, by which grid."""
    return trained_as((one.title, one.how) for one in scored)


def far_below(scored: Iterable[Scored]) -> str:
    """A sentence on models at less than half of the resolution that their weights were made for; empty without any."""
    texts = []
    for one in scored:
        if models := one.far_below:
            sizes = ", ".join(sorted({f"{used:g} px in place of {own:g}" for used, own in models.values()}))
            every = len(models) == len(one.values)
            who = f"all {counted(len(models), 'model')}" if every else ", ".join(models)
            texts.append(f"{one.title}: {who} ({sizes})")
    if not texts:
        return ""
    return (
        " Far below (less than half of) the resolution that the weights were made for, so that one model may lose more "
        f"than another: {'; '.join(texts)}."
    )


def models_without(transfer: Transfer, left_out: bool = True) -> str:
    """Sentences on models without ImageNet accuracy and on those that diverged; empty without any.

    Args:
        transfer: of `read_transfer`.
        left_out: whether models without ImageNet accuracy are.
    """
    targets = transfer.targets.values()
    diverged = _listed("Diverged, and left out", {one.title: one.diverged for one in targets})
    if not any(transfer.unknown(one) for one in targets):
        return diverged
    says = f"Without ImageNet accuracy{', and left out' if left_out else ''}"
    unknown = {one.title: transfer.unknown(one) for one in targets}
    return f"{_listed(says, unknown)}{_nearest(transfer)}{diverged}"


def models_below(transfer: Transfer, targets: Iterable[Scored]) -> str:
    """What a caption adds where rows go by ImageNet accuracy, and some have none; else empty."""
    return ", those whose accuracy there is not known at the bottom" if any(map(transfer.unknown, targets)) else ""


def _listed(says: str, models: Mapping[str, Sequence[str]]) -> str:
    texts = [f"{counted(len(own), 'model')} of {title} ({', '.join(own)})" for title, own in models.items() if own]
    return f" {says}: {'; '.join(texts)}." if texts else ""


def _nearest(transfer: Transfer) -> str:
    """What to do where a whole target has no ImageNet accuracies, which may be a matter of names."""
    for scored in transfer.targets.values():
        if not transfer.common(scored):
            one, other = nearest_names(scored.values.index, transfer.imagenet.index)
            return (
                f" The name there that is most like {one} is {other or 'none, since nothing is there'}; a model is "
                "known where it is named alike everywhere, with its weights: timm:<name>.<tag>, "
                "torchvision:<name>.<WEIGHTS>."
            )
    return ""
