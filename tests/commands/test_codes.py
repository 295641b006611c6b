"""The command ``codes``."""

import json

from sandbox.contract import error_codes
from tests.command_line import run


def test_codes_lists_all_fifteen_in_order_with_how_to_provoke_each() -> None:
    shown = run("codes").stdout
    heads = [line for line in shown.splitlines() if not line.startswith("    ")]
    assert heads == [f"{row.code:>2}  {row.description}" for row in error_codes()]
    for row in error_codes():
        assert f"    fails when  {row.fails_when}\n    provoke     {row.provoke}\n" in shown
    assert shown.count("    check       ") == 15
    assert "    check       11 of 14\n" in shown


def test_codes_shows_one_in_full() -> None:
    shown = run("codes", "5").stdout
    assert shown.startswith(" 5  Invalid destination address\n")
    assert "    solution    Check phone number format." in shown
    assert "    example     panelsms-sandbox send --to recipient --message Hello\n" in shown


def test_codes_for_machines() -> None:
    rows = json.loads(run("codes", "--json").stdout)
    assert [row["code"] for row in rows] == list(range(1, 16))
    assert [row["check"] for row in rows if row["code"] in {3, 13}] == [None, 11]
    assert json.loads(run("codes", "13", "--json").stdout) == rows[12]
