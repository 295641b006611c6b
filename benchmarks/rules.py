"""What 200 rules cost the endpoint: requests a second with them against without any, for several kinds of rules.

For each kind, a server with the rules and one without are loaded in turn, several times, and what neighbours make
against each other counts. The rules are such that none decides: all are tried on each request, and both servers do the
same otherwise. wrk sends by GET from the other core; numbers and texts differ from one request to the next. A round in
which a server's core was not busy says nothing, and is marked. Needs wrk and taskset.

    python benchmarks/rules.py [--quick] [--rounds 9] [--seconds 1]
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

sys.path.insert(0, str(Path(__file__).parent))
from command import Size, at_least, sizes
from load import Compared, Round, compare, measure, sends, warm_up
from server import SANDBOX, running

if TYPE_CHECKING:
    from collections.abc import Sequence

GOAL = 0.7
NEVER = 1e-12
"""A probability that is not met in any run."""
LATE = 100_000_000
"""A count that is not come to in any run."""

When: TypeAlias = Mapping[str, object]

PATTERNS = (
    r"(?i)\border[ -]?{:03}[0-9]{{3}}\b",
    r"\b(refund|return|exchange) {:03}\b",
    r"^[A-Z]{{3}}-{:03} ",
    r"[0-9]{{4}}-{:03}",
    r"(?i)(code|otp|pin)[^0-9]{{0,10}}{:03}[0-9]{{4}}",
)


def _mixed() -> list[When]:
    """Return rules as a large scenario has them: most are about other destinations, senders and texts."""
    prefixes = ("+34", "+346", "+33", "+351", "+39", "+44", "+48", "+49", "+52", "+57")
    return [
        *({"to": f"+3461{n:07}"} for n in range(70)),
        *({"to": {"prefix": f"+{n}"}} for n in range(350, 390)),
        *({"senderId": f"SHOP{n}", "message": {"contains": "invoice"}} for n in range(25)),
        *({"message": {"contains": f"order {n}"}} for n in range(20)),
        *({"message": {"regex": PATTERNS[n % 5].format(n)}} for n in range(15)),
        *({"to": {"prefix": prefix}, "nth": [LATE], "per": "senderId"} for prefix in prefixes),
        *({"to": {"prefix": prefix}, "probability": NEVER} for prefix in prefixes),
        *({"senderId": sender, "every": LATE} for sender in ("VERIFY", "ORDER", "BANK")),
        *({"every": LATE + n} for n in range(2)),
        *({"probability": NEVER * (n + 1)} for n in range(2)),
        *({"state": f"step-{n}"} for n in range(3)),
    ]


MIXES: dict[str, list[When]] = {
    "mixed": _mixed(),
    "to": [{"to": f"+3461{n:07}"} for n in range(200)],
    "prefix": [{"to": {"prefix": f"+{n}"}} for n in range(350, 550)],
    "any_of": [
        {"senderId": {"any_of": [f"SHOP{n}", f"BANK{n}", {"prefix": f"TAXI{n}"}]}} for n in range(200)
    ],
    "not": [{"senderId": {"not": {"any_of": ["VERIFY", f"SHOP{n}"]}}} for n in range(200)],
    "contains": [{"message": {"contains": f"order {n}"}} for n in range(200)],
    "regex": [{"message": {"regex": PATTERNS[n % 5].format(n)}} for n in range(200)],
    "state": [{"state": f"step-{n}"} for n in range(200)],
    "probability": [{"probability": NEVER * (n + 1)} for n in range(200)],
    "nth": [{"nth": [LATE + n]} for n in range(200)],
}


def main() -> int:
    """Measure, print a table and the ratio for each kind of rules, and say whether it reaches the goal."""
    chosen = sizes(
        __doc__,
        rounds=Size(9, 1, "how often each is measured"),
        seconds=Size(1, 1, "how long each time"),
    )
    found = {name: _compared(name, whens, **chosen) for name, whens in MIXES.items()}
    reached = True
    for name, each in found.items():
        what = f"200 rules / none, {name:11} ({each}, {each.more_us:+3.0f} us)"
        reached &= at_least(GOAL, each.rate, what)
    return 0 if reached else 1


def _compared(name: str, whens: Sequence[When], *, rounds: int, seconds: int) -> Compared:
    """Return what a server with a rule for each of *whens* makes against one without any."""
    script = sends("GET")
    with tempfile.TemporaryDirectory() as folder:
        empty, full = Path(folder, "none.yaml"), Path(folder, "rules.yaml")
        empty.write_text(_scenario([]), "utf-8")
        full.write_text(_scenario(whens), "utf-8")
        with (
            running(SANDBOX, "--scenario", str(empty)) as plain,
            running(SANDBOX, "--scenario", str(full)) as ruled,
        ):
            measured: dict[str, list[Round]] = {"none": [], name: []}
            warm_up(plain, script)
            warm_up(ruled, script)
            for _ in range(rounds):
                for label, server in (("none", plain), (name, ruled)):
                    measured[label].append(measure(server, script, seconds))
                    print(f"{label:11} {measured[label][-1]}", flush=True)
    return compare(measured[name], measured["none"])


def _scenario(whens: Sequence[When]) -> str:
    rules = [{"name": f"rule-{n}", "when": when, "respond": {"error": 6}} for n, when in enumerate(whens)]
    return json.dumps({"name": "benchmark", "rules": rules})  # JSON is YAML too


if __name__ == "__main__":
    sys.exit(main())
