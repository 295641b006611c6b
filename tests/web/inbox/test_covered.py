"""Secrets of a scenario in its editor: covered when it is shown, put back when it is played."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.errors import Mistake, ScenarioError
from sandbox.web.inbox.covered import Covered

TWO = "accounts:\n  - {user: a, apiKey: secret-one}\n  - {user: b, apiKey: seldom-one}\n"


def test_what_is_covered_is_what_it_was_when_it_is_uncovered() -> None:
    covered = Covered.of(TWO)
    assert covered.text == TWO.replace("secret-one", "se…ne").replace("seldom-one", "se…ne·2")
    assert covered.uncovered(covered.text) == TWO


def test_masks_may_be_moved_and_repeated() -> None:
    covered = Covered.of(TWO)
    assert covered.uncovered("- {apiKey: se…ne·2}\n- {apiKey: 'se…ne'}\n- {apiKey: new}") == (
        "- {apiKey: seldom-one}\n- {apiKey: secret-one}\n- {apiKey: new}"
    )


def test_quotes_come_back_with_the_secret() -> None:
    text = 'apiKey: "a, quoted # key"\nsecret: "a, quoted # key"\n'
    covered = Covered.of(text)
    assert "quoted" not in covered.text
    assert covered.uncovered(covered.text) == text


@pytest.mark.parametrize(
    "text",
    [
        "a:\n  secret: >-\n    whsec_first\n    whsec_second\n  timeout: 5s\n",
        "a:\n  - apiKey: |2 # kept\n\n      whsec_first\n\n      whsec_second\n  - b\n",
        "secret: |\n whsec_first\n",
        'accounts: [{"apiKey":"whsec_first", "user": "u"}]',
        "'secret' : whsec_first",
    ],
)
def test_a_secret_is_covered_however_yaml_lets_it_be_written(text: str) -> None:
    covered = Covered.of(text)
    assert "first" not in covered.text
    assert "second" not in covered.text
    assert "…" in covered.text
    assert all(kept in covered.text for kept in ("timeout: 5s", "  - b", '"user": "u"') if kept in text)
    assert covered.uncovered(covered.text) == text


def test_a_mask_that_stands_for_nothing_is_a_mistake_in_its_place() -> None:
    with pytest.raises(ScenarioError) as raised:
        Covered.of(TWO).uncovered("name: x\naccounts:\n  - {user: a, apiKey: ab…yz}\n")
    (mistake,) = raised.value.mistakes
    assert (mistake.line, mistake.column) == (3, 23)
    assert "this is how a page shows a secret, and it stands for none here" in mistake.message


def test_a_mistake_behind_a_secret_is_told_where_it_is_seen() -> None:
    covered = Covered.of(TWO)
    (line,) = (each for each in covered.text.splitlines() if "se…ne·2" in each)
    seen = covered.seen(Mistake("scenario", 3, len("  - {user: b, apiKey: seldom-one}"), "x"), covered.text)
    assert seen.column == len(line)
    assert covered.seen(Mistake("scenario", 3, 5, "x"), covered.text).column == 5


@given(
    st.lists(
        st.sampled_from(
            [
                "apiKey: ",
                "secret: ",
                "'abcdefgh'",
                "abcxefgh",
                "ab…gh",
                "…",
                "·2",
                "\n",
                "{",
                ", ",
                "#",
                "|",
                ">-",
                "\n  ",
            ]
        )
    )
)
def test_covering_and_uncovering_is_no_change(pieces: list[str]) -> None:
    text = "".join(pieces)
    covered = Covered.of(text)
    try:
        assert covered.uncovered(covered.text) == text
    except ScenarioError:
        assert "…" in text
