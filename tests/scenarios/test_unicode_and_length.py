"""What users write, and what fits."""

import pytest

from tests.scenarios.story import Story


@pytest.mark.parametrize(
    ("answer", "dcs", "message"),
    [
        ("OK", "0", "a" * 160),
        ("ERROR_13", "0", "a" * 161),
        ("ERROR_8", "0", "5 €"),
        ("OK", "1", "5 €"),
        ("ERROR_8", "1", "café ó"),
        ("OK", "0", "ó" * 70),
        ("ERROR_13", "0", "ó" * 71),
        ("OK", "1", "€" * 80),
        ("ERROR_13", "1", "€" * 81),
        ("ERROR_8", "0", "你好"),
        ("OK", "8", "你" * 70),
        ("ERROR_13", "8", "你" * 71),
        ("OK", "8", "🎉" * 35),
        ("ERROR_13", "8", "🎉" * 36),
    ],
)
def test_a_text_is_judged_by_its_alphabet_and_what_it_takes(
    story: Story, answer: str, dcs: str, message: str
) -> None:
    assert story.send(dcs=dcs, message=message).partition("_t")[0].startswith(answer)
    assert len(story.messages) == (answer == "OK")


def test_a_long_text_goes_in_parts_that_the_client_makes(story: Story) -> None:
    assert story.send(udh="0500032A0201", message="a" * 154) == "ERROR_13"
    assert story.send(udh="0500032A0201", message="a" * 153, transactionId="part_1") == "OK_part_1"
    assert story.send(udh="0500032A0202", message="a" * 8, transactionId="part_2") == "OK_part_2"


@pytest.mark.parametrize("more", [{"dcs": "4", "message": "CAFE"}, {"udh": "0100"}])
def test_binary_and_flash_are_not_in_the_contract(story: Story, more: dict[str, str]) -> None:
    assert story.send(**more) == "ERROR_15"


def test_an_optional_parameter_that_is_empty_is_a_mistake(story: Story) -> None:
    assert story.send(senderId="") == "ERROR_4"


def test_a_network_without_ucs2_takes_it_and_does_not_deliver_it(story: Story) -> None:
    assert story.send(to="+919000000001", dcs="8", message="你好", transactionId="t") == "OK_t"
    story.advance(2)
    assert story.reported == [(2, "undeliverable")]
    assert story.receiver.reports[0]["errorCode"] == 8


@pytest.mark.parametrize("more", [{"to": "+919000000001"}, {"dcs": "8"}])
def test_other_texts_and_other_networks_are_fine(story: Story, more: dict[str, str]) -> None:
    story.send(**more)
    story.advance(1)
    assert story.receiver.statuses == ["delivered"]
