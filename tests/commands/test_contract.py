"""The command ``contract``."""

from tests.command_line import NOBODY, a_sandbox, run


def test_contract_prints_a_line_for_each_exchange_and_the_sum() -> None:
    with a_sandbox() as url:
        result = run("contract", "--base-url", url)
    *lines, total = result.stdout.splitlines()
    counts = [sum(line.startswith(word) for line in lines) for word in ("ok ", "FAILED ", "not run ")]
    assert sum(counts) == len(lines)
    assert total == f"{counts[0]} passed, {counts[1]} failed, {counts[2]} not run"
    # The scenario has none of the magic of the default one, which some exchanges need.
    assert all(counts)
    assert result.exit_code == 1
    assert all("needs its own " in line for line in lines if line.startswith("not run "))


def test_contract_says_that_nobody_answers() -> None:
    result = run("contract", "--base-url", NOBODY)
    assert (result.exit_code, result.stdout) == (1, "")
