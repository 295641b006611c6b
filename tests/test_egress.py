import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.egress import PUBLIC, objection

EVERYTHING = frozenset({PUBLIC})
NOTHING: frozenset[str] = frozenset()


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.255.255.254",
        "0.0.0.0",
        "10.0.0.1",
        "10.255.255.255",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "::1",
        "::",
        "fc00::1",
        "fd12:3456:789a::1",
        "::ffff:127.0.0.1",
        "::ffff:10.1.2.3",
        "64:ff9b::c0a8:101",
    ],
)
def test_loopback_private_and_unique_local_addresses_may_be_reached(address: str) -> None:
    assert objection(address, address, NOTHING) is None


@pytest.mark.parametrize(
    "address",
    [
        "93.184.215.14",
        "8.8.8.8",
        "1.0.0.1",
        "0.0.0.1",
        "9.255.255.255",
        "11.0.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.167.255.255",
        "192.169.0.0",
        "100.64.0.1",
        "128.0.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "2606:2800:21f:cb07:6820:80da:af6b:8b2c",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
        "2002:808:808::1",
        "fec0::1",
        "ff02::1",
        "fe00::1",
        "::2",
    ],
)
def test_any_other_address_has_to_be_allowed(address: str) -> None:
    assert objection(address, "a.test", NOTHING) is not None
    assert objection(address, "a.test", frozenset({"b.test"})) is not None
    assert objection(address, "a.test", frozenset({"a.test"})) is None
    assert objection(address, "A.Test", frozenset({"a.test"})) is None
    assert objection(address, "a.test", EVERYTHING) is None


@pytest.mark.parametrize(
    "address",
    [
        "169.254.0.1",
        "169.254.169.254",
        "169.254.170.2",
        "fe80::1",
        "fe80::1%eth0",
        "febf::1",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        "fd00:ec2::254",
        "fd20:ce::254",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
    ],
)
def test_link_local_and_metadata_addresses_are_never_reached(address: str) -> None:
    for allowed in (NOTHING, EVERYTHING, frozenset({"a.test", address, "169.254.169.254"})):
        why = objection(address, "a.test", allowed)
        assert why is not None
        assert why.endswith("is a link-local or cloud metadata address: reports never go there")


def test_an_address_can_be_allowed_by_itself() -> None:
    assert objection("8.8.8.8", "8.8.8.8", frozenset({"8.8.8.8"})) is None
    assert objection("8.8.8.8", "dns.test", frozenset({"8.8.8.8"})) is None
    assert objection("8.8.4.4", "8.8.4.4", frozenset({"8.8.8.8"})) is not None


def test_the_sentence_says_what_leads_where_and_what_to_do() -> None:
    assert objection("8.8.8.8", "dns.test", NOTHING) == (
        "dns.test (8.8.8.8) is not a loopback or private address: allow it with --allow-callback dns.test"
    )
    assert objection("8.8.8.8", "8.8.8.8", NOTHING) == (
        "8.8.8.8 is not a loopback or private address: allow it with --allow-callback 8.8.8.8"
    )


@given(st.ip_addresses(v=4))
def test_an_address_mapped_into_ipv6_is_judged_as_itself(address: object) -> None:
    plain = objection(str(address), "a.test", NOTHING)
    assert objection(f"::ffff:{address}", "a.test", NOTHING) == plain


@given(st.ip_addresses())
def test_every_address_is_judged(address: object) -> None:
    open_to_all = objection(str(address), "a.test", EVERYTHING)
    closed = objection(str(address), "a.test", NOTHING)
    assert open_to_all is None or open_to_all == closed
