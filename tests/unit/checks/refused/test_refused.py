"""What is refused, at both sides of each limit: which keys, and which values and names the messages hold."""

import copy
import re
from pathlib import Path

import pytest
from golden import checked

from checks.config import check_config
from study import ROOT, read_yaml

HERE = Path(__file__).parent
CHANGES = read_yaml(HERE / "changes.yaml")
FACTS = re.compile(r"'[^']*'|(?<![\w'])[\w.:/-]*\d[\w.,:/-]*|did you mean [\w.:-]+")


def changed(config, changes):
    """A configuration with the changes; None takes a key away."""
    config = copy.deepcopy(config)
    for path, value in changes.items():
        *keys, last = path.split(".")
        holder = config
        for key in keys:
            if holder.get(key) is None:
                holder[key] = {}
            holder = holder[key]
        if value is None:
            holder.pop(last, None)
        else:
            holder[last] = value
    return config


def told(message):
    """The key that a message names, and what it says of values: its other words are free."""
    place, _, text = message.partition("`: ")[2].partition(": ")
    return f"  {place}: {' '.join(FACTS.findall(text.replace(str(ROOT), '')))}".rstrip()


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_wrong_is_found_as_it_was(name):
    plain = read_yaml(HERE / "study.yaml" if name == "study" else ROOT / f"{name}.yaml")
    assert check_config(plain, []) == []
    lines = []
    for changes in CHANGES[name]:
        lines += [str(changes), *sorted(map(told, check_config(changed(plain, changes), [])))]
    checked(f"refused/{name.rpartition('/')[2]}", "\n".join(lines) + "\n")


@pytest.mark.parametrize(("count", "found"), [(99, ["twice"]), (100, ["twice"]), (101, ["hold"])])
def test_what_stands_twice_in_a_list_that_is_not_too_long_is_named(count, found):
    changes = {"regimes.probe.strengths": [1.0, *(float(number) for number in range(1, count))]}
    told_of = check_config(changed(read_yaml(HERE / "study.yaml"), changes), [])
    of_strengths = [message for message in told_of if "regimes.probe.strengths" in message]
    assert [word for message in of_strengths for word in ("twice", "hold") if word in message] == found


@pytest.mark.parametrize(
    ("entry", "written"),
    [
        ({"url": "https://x.org/a?b=c:d"}, "write files: [{url: "),
        ({"files": [{"url": "https://x.org/a?b=c:d"}]}, "write {url: "),
        ({"files": [{"url": "https://x.org/a", "name": "a/b"}]}, "write {url: "),
    ],
)
def test_how_to_name_a_file_whose_address_names_none(entry, written):
    changes = {"datasets.own": entry | {"format": "class_folders"}}
    (found,) = check_config(changed(read_yaml(HERE / "study.yaml"), changes), [])
    assert written in found
