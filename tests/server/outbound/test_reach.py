"""Only the public Internet is reached, unless the operator says otherwise."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tympan.server.outbound.reach import EVERYWHERE, Reach

PUBLIC = Reach()


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("0.0.0.0", "an address of this host"),
        ("::", "an address of this host"),
        ("127.0.0.1", "a loopback address"),
        ("127.255.255.254", "a loopback address"),
        ("::1", "a loopback address"),
        ("::ffff:127.0.0.1", "a loopback address"),
        ("64:ff9b::7f00:1", "a loopback address"),
        ("10.0.0.1", "a private address"),
        ("172.31.255.255", "a private address"),
        ("192.168.1.1", "a private address"),
        ("fd00::1", "a private address"),
        ("::ffff:192.168.1.1", "a private address"),
        ("169.254.169.254", "a link-local address"),
        ("fe80::1", "a link-local address"),
        ("fec0::1", "a link-local address"),
        ("100.100.100.200", "an address shared by a provider's customers"),
        ("168.63.129.16", "a service of the cloud's own for its machines"),
        ("64:ff9b::a83f:8110", "a service of the cloud's own for its machines"),
        ("224.0.0.1", "a multicast address"),
        ("ff02::1", "a multicast address"),
        ("192.0.2.7", "an address for documentation and tests"),
        ("2001:db8::1", "an address for documentation and tests"),
        ("198.18.0.1", "an address for documentation and tests"),
        ("255.255.255.255", "a reserved address"),
        ("192.0.0.192", "a reserved address"),
        ("2002:7f00:1::", "a reserved address"),
        ("2001::7f00:1", "a reserved address"),
        ("::127.0.0.1", "a reserved address"),
        ("64:ff9b:1::1", "a reserved address"),
        ("4000::1", "a reserved address"),
    ],
)
def test_an_address_that_is_not_public_is_refused_by_its_kind(address: str, kind: str) -> None:
    assert PUBLIC.refusal(ip_address(address)) == kind


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "8.8.8.8", "100.128.0.1", "2606:2800:220:1::1", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_a_public_address_is_reached(address: str) -> None:
    assert PUBLIC.refusal(ip_address(address)) is None


@given(st.ip_addresses())
def test_what_the_standard_library_holds_for_private_is_never_reached(address: IPv4Address | IPv6Address) -> None:
    if PUBLIC.refusal(address) is None:
        inner = getattr(address, "ipv4_mapped", None) or address
        assert inner.is_global
        assert not inner.is_multicast
        assert not inner.is_loopback
        assert not inner.is_link_local
        assert not inner.is_unspecified


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_judged_alike_however_it_is_wrapped(address: IPv4Address) -> None:
    mapped, translated = (
        ip_address(f"::ffff:{address}"),
        ip_address(f"64:ff9b::{int(address) >> 16:x}:{int(address) & 65535:x}"),
    )
    assert PUBLIC.refusal(mapped) == PUBLIC.refusal(translated) == PUBLIC.refusal(address)


@given(st.ip_addresses())
def test_an_operator_may_allow_everything(address: IPv4Address | IPv6Address) -> None:
    assert EVERYWHERE.refusal(address) is None


def test_an_operator_allows_networks_and_no_more() -> None:
    reach = Reach((ip_network("10.1.0.0/16"), ip_network("fd00::/8")))
    assert reach.refusal(ip_address("10.1.2.3")) is None
    assert reach.refusal(ip_address("::ffff:10.1.2.3")) is None
    assert reach.refusal(ip_address("fd12::1")) is None
    assert reach.refusal(ip_address("10.2.0.1")) == "a private address"
    assert reach.refusal(ip_address("127.0.0.1")) == "a loopback address"
    assert reach.refusal(ip_address("8.8.8.8")) is None


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST", "localhost.", "a.localhost", "127.0.0.1", "127.0.0.1.", "::1"]
)
def test_a_host_on_this_machine_is_refused_by_its_name(host: str) -> None:
    assert PUBLIC.host_refusal(host) == "a loopback address"
    assert Reach((ip_network("127.0.0.0/8"), ip_network("::1"))).host_refusal(host) is None


@pytest.mark.parametrize("host", ["example.com", "localhost.example.com", "93.184.216.34"])
def test_other_names_tell_nothing_before_they_are_looked_up(host: str) -> None:
    assert PUBLIC.host_refusal(host) is None
