"""Reach: which addresses may be connected to. PURE: standard library only.

A client may name any receiver, so without a word of the operator's only addresses of the public Internet are reached:
nothing inside a private network that the server stands in, and no metadata service of a cloud. Rules:
- What counts is the address that is connected to, not the name: names resolve to whatever their owner likes.
- IPv6 is public only inside 2000::/3; an IPv4 address inside an IPv6 one is judged as itself.
- Networks that the operator names are reached, whatever they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_KINDS = {
    "an address of this host": ("0.0.0.0/8", "::/128"),
    "a loopback address": ("127.0.0.0/8", "::1/128"),
    "a private address": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"),
    "a link-local address": ("169.254.0.0/16", "fe80::/10", "fec0::/10"),
    "an address shared by a provider's customers": ("100.64.0.0/10",),
    "a service of the cloud's own for its machines": ("168.63.129.16/32",),  # Azure's: public by its number alone
    "a multicast address": ("224.0.0.0/4", "ff00::/8"),
    "an address for documentation and tests": (
        "192.0.2.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "2001:db8::/32",
        "3fff::/20",
    ),
    "a reserved address": ("192.0.0.0/24", "192.88.99.0/24", "240.0.0.0/4", "2001::/23", "2002::/16"),
}
_NOT_PUBLIC = [(kind, ip_network(text)) for kind, texts in _KINDS.items() for text in texts]
"""The special-purpose registries of IANA, those whose addresses are not globally reachable, and old tunnels."""

_PUBLIC_IPV6 = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")


class Reach:
    """`allowed`: networks that are reached although they are not public."""

    def __init__(self, allowed: Sequence[Network] = ()) -> None:
        self._allowed = tuple(allowed)

    def refusal(self, address: Address) -> str | None:
        """Why an address isn't reached: what kind of address it is; None when it is reached."""
        plain = _plain(address)
        if any(candidate in network for network in self._allowed for candidate in (address, plain)):
            return None
        for kind, network in _NOT_PUBLIC:
            if plain in network:
                return kind
        return "a reserved address" if isinstance(plain, IPv6Address) and plain not in _PUBLIC_IPV6 else None

    def host_refusal(self, host: str) -> str | None:
        """The same for a host as an address names it, as far as it tells: a name tells only when it is looked up."""
        if host.lower().removesuffix(".").rpartition(".")[2] == "localhost":
            reasons = [self.refusal(ip_address(text)) for text in ("127.0.0.1", "::1")]
            return None if None in reasons else reasons[0]
        try:
            return self.refusal(ip_address(host.removesuffix(".")))
        except ValueError:
            return None


EVERYWHERE = Reach((ip_network("0.0.0.0/0"), ip_network("::/0")))
"""For an address that the operator gave."""


def _plain(address: Address) -> Address:
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address
