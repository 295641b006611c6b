"""Which addresses a report may be carried to. Pure: an address in, a reason against it out.

Nothing leaves for a public address unless it is allowed; link-local and cloud metadata addresses are never reached.
Source: RFC 1918, RFC 4193, RFC 3927, RFC 4291 §2.5.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection

PUBLIC: Final = "public"
"""The word that allows every public address."""

LOCAL: Final = tuple(
    ip_network(network)
    for network in (
        "127.0.0.0/8",
        "0.0.0.0/32",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "::1/128",
        "::/128",
        "fc00::/7",
    )
)
"""Loopback (and the unspecified address, which is this host), private and unique-local addresses."""

NEVER: Final = tuple(
    ip_network(network)
    for network in (
        "169.254.0.0/16",
        "fe80::/10",
        "fd00:ec2::254/128",
        "fd20:ce::254/128",
        "100.100.100.200/32",
        "168.63.129.16/32",
        "192.0.0.192/32",
    )
)
"""Link-local addresses, and the metadata services of clouds that stand elsewhere."""

_NAT64: Final = IPv6Network("64:ff9b::/96")


def objection(address: str, host: str, allowed: Collection[str]) -> str | None:
    """Say why no report may be carried to *address*, None when it may.

    Args:
        address: the IP address that is about to be connected to, such as ``93.184.215.14`` or ``fe80::1%eth0``.
        host: the name that led there, or the address itself.
        allowed: host names and addresses that may be reached although they are public, or the word ``public``.
    """
    ip = _unwrap(ip_address(address.partition("%")[0]))
    shown = host if host == str(ip) else f"{host} ({ip})"
    if any(ip in network for network in NEVER):
        return f"{shown} is a link-local or cloud metadata address: reports never go there"
    if any(ip in network for network in LOCAL):
        return None
    if PUBLIC in allowed or host.lower() in allowed or str(ip) in allowed:
        return None
    return f"{shown} is not a loopback or private address: allow it with --allow-callback {host}"


def _unwrap(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address that an IPv6 address carries, for the kinds that lead to it; else the address."""
    if isinstance(ip, IPv6Address):
        if ip in _NAT64:
            return IPv4Address(ip.packed[-4:])
        return ip.ipv4_mapped or ip.sixtofour or ip
    return ip
