"""The encoding of a message laid open: what each character costs, what each octet of the header says."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.core import gsm7
from sandbox.core.coding import Coding, Encoded, code_units, encode_text, room
from sandbox.core.udh import Udh, parse_hex
from sandbox.web.inbox import anatomy
from tests.worlds import READINGS


def encoded(text: str, dcs: int) -> Encoded:
    made = encode_text(text, dcs, READINGS)
    assert isinstance(made, Encoded)
    return made


def header(text: str) -> Udh:
    made = parse_hex(text)
    assert isinstance(made, Udh)
    return made


def costs(text: str, dcs: int) -> list[tuple[str, int, str]]:
    glyphs = anatomy.glyphs(encoded(text, dcs), 160)
    return [(glyph.shown, glyph.cost, glyph.octets) for glyph in glyphs]


@pytest.mark.parametrize(
    ("text", "dcs", "expected"),
    [
        ("a€", 1, [("a", 1, "61"), ("€", 2, "1B 65")]),
        ("a b\n", 1, [("a", 1, "61"), ("␣", 1, "20"), ("b", 1, "62"), ("↵", 1, "0A")]),
        ("é", 8, [("é", 1, "00E9")]),
        ("📦", 8, [("📦", 2, "D83D DCE6")]),
        ("👩‍👧", 8, [("👩‍👧", 5, "D83D DC69 200D D83D DC67")]),
        ("🇪🇸🇵🇹", 8, [("🇪🇸", 4, "D83C DDEA D83C DDF8"), ("🇵🇹", 4, "D83C DDF5 D83C DDF9")]),
        ("❤️", 8, [("❤️", 2, "2764 FE0F")]),
        ("e\u0301", 8, [("e\u0301", 2, "0065 0301")]),
        ("\u0301", 8, [("◌\u0301", 1, "0301")]),
        ("\u200f", 8, [("·", 1, "200F")]),
        ("رم", 8, [("ر", 1, "0631"), ("م", 1, "0645")]),
    ],
)
def test_each_character_shows_what_it_costs(
    text: str, dcs: int, expected: list[tuple[str, int, str]]
) -> None:
    assert costs(text, dcs) == expected


def test_characters_of_latin_1_cost_an_octet_each() -> None:
    glyphs = anatomy.glyphs(Encoded(Coding.OCTETS, 2, "é!"), 140)
    assert [(glyph.cost, glyph.octets, glyph.points) for glyph in glyphs] == [
        (1, "E9", "U+00E9"),
        (1, "21", "U+0021"),
    ]


def test_characters_without_room_are_marked() -> None:
    glyphs = anatomy.glyphs(encoded("ab€", 1), 3)
    assert [glyph.is_over for glyph in glyphs] == [False, False, True]


@given(
    st.text(
        st.sampled_from(sorted(set(gsm7.DEFAULT_ALPHABET) - {"\x1b"} | set(gsm7.EXTENSION))), max_size=160
    )
)
def test_costs_of_septets_add_up(text: str) -> None:
    made = encoded(text, 1)
    assert sum(glyph.cost for glyph in anatomy.glyphs(made, 160)) == made.used


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=50))
def test_costs_of_code_units_add_up_whatever_joins(text: str) -> None:
    glyphs = anatomy.glyphs(encoded(text, 8), 70)
    assert sum(glyph.cost for glyph in glyphs) == code_units(text)
    assert "".join(anatomy.clusters(text)) == text
    assert all(unicodedata.category(glyph.shown[0]) not in {"Cc", "Zl", "Zp"} for glyph in glyphs)


@pytest.mark.parametrize(
    ("udh", "rows"),
    [
        ("0100", [("01 00", "flash", "this provider's own flash header")]),
        ("00", [("00", "UDHL", "0 octets of header follow")]),
        (
            "050003CC0201",
            [
                ("05", "UDHL", "5 octets of header follow"),
                ("00", "IEI", "concatenated message, reference of 8 bits"),
                ("03", "IEDL", "3 octets of data follow"),
                ("CC", "reference", "204: "),
                ("02", "total", "2: "),
                ("01", "sequence", "1: "),
            ],
        ),
        (
            "0605040B8423F0",
            [
                ("06", "UDHL", "6 octets"),
                ("05", "IEI", "application ports of 16 bits"),
                ("04", "IEDL", "4 octets"),
                ("0B 84", "destination port", "2948: "),
                ("23 F0", "originator port", "9200: "),
            ],
        ),
        (
            "03EE01AB",
            [
                ("03", "UDHL", ""),
                ("EE", "IEI", "carried as it is"),
                ("01", "IEDL", "1 octet of"),
                ("AB", "data", ""),
            ],
        ),
    ],
)
def test_the_header_is_told_octet_by_octet(udh: str, rows: list[tuple[str, str, str]]) -> None:
    fields = anatomy.fields(header(udh))
    assert [(field.octets, field.name) for field in fields] == [(octets, name) for octets, name, _ in rows]
    for field, (_, _, said) in zip(fields, rows, strict=True):
        assert said in field.meaning


@pytest.mark.parametrize(
    "udh", ["0100", "00", "050003CC0201", "06080412340302", "0605040B8423F0", "03EE01AB"]
)
def test_no_octet_of_the_header_is_left_out(udh: str) -> None:
    assert "".join(field.octets for field in anatomy.fields(header(udh))).replace(" ", "") == udh


def test_the_shares_fill_the_whole_short_message() -> None:
    shares = anatomy.shares(encoded("a" * 62, 1), header("050003CC0302"), 153)
    assert [(share.kind, share.start, share.width) for share in shares] == [
        ("header", 0, 48),
        ("fill", 48, 1),
        ("content", 49, 434),
        ("free", 483, 637),
    ]


@pytest.mark.parametrize(("dcs", "most"), [(1, 160), (8, 70)])
def test_a_full_message_leaves_nothing_free(dcs: int, most: int) -> None:
    shares = anatomy.shares(encoded("a" * most, dcs), None, most)
    assert [(share.kind, share.width) for share in shares] == [("content", 1120)]


def test_a_flash_header_that_takes_no_room_has_no_share() -> None:
    shares = anatomy.shares(encoded("a" * 160, 1), header("0100"), 160)
    assert [share.kind for share in shares] == ["content"]


def test_a_message_that_is_too_long_says_by_how_much() -> None:
    it = anatomy.laid_open(encoded("Ω" * 71, 8), None, dcs=8, room=70)
    assert (it.over, it.dump, it.glyphs[-1].is_over, it.glyphs[-2].is_over) == (1, (), True, False)


def test_of_a_message_that_is_much_too_long_the_beginning_is_shown() -> None:
    it = anatomy.laid_open(encoded("a" * 50_000, 1), None, dcs=1, room=160)
    assert len(it.glyphs) == anatomy.GLYPHS_SHOWN


def test_the_dump_tells_the_header_apart() -> None:
    rows = anatomy.dump(Encoded(Coding.OCTETS, 5, None, b"Hi!\x00\xff"), header("050003CC0302"))
    assert [(row.offset, row.header, row.content, row.text) for row in rows] == [
        ("0000", "05 00 03 CC 03 02", "48 69", "······Hi"),
        ("0008", "", "21 00 FF", "!··"),
    ]


def test_septets_are_no_characters_of_their_octets() -> None:
    (row,) = anatomy.dump(encoded("Hello", 1), None)
    assert (row.content, row.text) == ("C8 32 9B FD 06", "")


@pytest.mark.parametrize(
    ("text", "dcs", "name", "why"),
    [
        ("a", 0, "GSM", "every character is in the GSM"),
        ("ó", 0, "UCS", "not every character is in the GSM"),
        ("a", 1, "GSM", "is the GSM"),
        ("a", 8, "UCS", "two octets for each code unit"),
    ],
)
def test_it_says_why_a_text_travels_as_it_does(text: str, dcs: int, name: str, why: str) -> None:
    made = encoded(text, dcs)
    it = anatomy.laid_open(made, None, dcs=dcs, room=room(made.coding, 0))
    assert it.name.startswith(name)
    assert why in it.why


def test_a_binary_message_has_octets_and_no_characters() -> None:
    it = anatomy.laid_open(Encoded(Coding.OCTETS, 2, None, b"\x01\x02"), None, dcs=4, room=140)
    assert (it.name, it.glyphs, it.octets, it.unit, it.one) == ("Binary", (), 2, "octets", "octet")
