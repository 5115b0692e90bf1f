"""Which addresses of the network may be called from inside: none that the public internet would not reach."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

_NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))


def is_public(address: str) -> bool:
    """Tell whether an IP address is on the public internet, whatever form of IPv6 it hides in; False for no address."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return found.is_global and not found.is_multicast and all(map(is_public, map(str, _within(found))))


def is_loopback(host: str) -> bool:
    """Tell whether a host's name or address is this machine itself."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _within(found: IPv4Address | IPv6Address) -> list[IPv4Address]:
    """Return the IPv4 addresses that an IPv6 address stands for."""
    if isinstance(found, IPv4Address):
        return []
    inner = [each for each in (found.ipv4_mapped, found.sixtofour, *(found.teredo or ())) if each is not None]
    if any(found in net for net in _NAT64):
        inner.append(IPv4Address(int(found) & 0xFFFFFFFF))
    return inner
