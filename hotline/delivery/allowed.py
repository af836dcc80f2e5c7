"""Where a push over the network may go: to hosts and networks an administrator named, and nowhere else.

A name that was typed into a form, or what a foreign name server answers, must never lead a request of ours inside.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

PORTS: Final = {"https": 443, "http": 80}
NOT_LISTED: Final = "不在允许推送的主机之列（HOTLINE_WEBHOOK_ALLOW）"


class NotAllowed(Exception):
    """A URL nothing is sent to; the text says why."""


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart. ``netloc`` is what the Host header says, ``path`` holds the query too."""

    secure: bool
    host: str
    port: int
    netloc: str
    path: str


def parse(url: str) -> Target:
    """Take a URL apart. Raises ``NotAllowed`` for one that is none, carries a password or is neither https nor http."""
    if not url.isascii() or any(char <= " " for char in url) or "\\" in url:
        raise NotAllowed("推送地址只能用英文字母、数字和符号，中间没有空格")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as fault:
        raise NotAllowed("推送地址不是网址") from fault
    host = parts.hostname or ""
    if parts.scheme not in PORTS or not host:
        raise NotAllowed("推送地址应以 https:// 开头")
    if "@" in parts.netloc:
        raise NotAllowed("推送地址里不能有用户名和口令")
    path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    return Target(parts.scheme == "https", host, port or PORTS[parts.scheme], parts.netloc, path)


@dataclass(frozen=True, slots=True)
class Allowed:
    """The list of ``HOTLINE_WEBHOOK_ALLOW``. Empty: nothing is sent anywhere."""

    hosts: frozenset[str]
    networks: tuple[Network, ...]

    @classmethod
    def of(cls, entries: Iterable[str]) -> Allowed:
        """Read host names, addresses and CIDRs."""
        hosts, networks = set(), []
        for entry in entries:
            if "/" in entry or _literal(entry) is not None:
                networks.append(ip_network(entry, strict=False))
            else:
                hosts.add(entry.lower())
        return cls(frozenset(hosts), tuple(networks))

    def fault(self, url: str) -> str:
        """Return why nothing can ever be sent there, as far as can be told without asking a name server; else ""."""
        try:
            target = parse(url)
            literal = _literal(target.host)
            if literal is not None:
                self.check(target, [target.host])
            elif not target.secure and not (target.host == "localhost" and self._inside()):
                raise NotAllowed("推送地址应以 https:// 开头")
            elif target.host not in self.hosts and not self.networks:
                raise NotAllowed(f"{target.host} {NOT_LISTED}")
        except NotAllowed as fault:
            return str(fault)
        return ""

    def check(self, target: Target, addresses: Iterable[str]) -> None:
        """Raise ``NotAllowed`` unless every one of the addresses a name stands for may be reached.

        A network named as CIDR may be any; a host named by name may stand for any address but this machine's and its
        link's. Without TLS only this machine, named as a CIDR, is reached.
        """
        for told in addresses:
            address = _plain(ip_address(told))
            listed = any(address in network for network in self.networks if network.version == address.version)
            if not listed and (target.host not in self.hosts or _of_this_machine(address)):
                shown = target.host if target.host == told else f"{target.host}（{address}）"
                raise NotAllowed(f"{shown} {NOT_LISTED}")
            if not target.secure and not (listed and address.is_loopback):
                raise NotAllowed("推送地址应以 https:// 开头")

    def _inside(self) -> bool:
        return any(network.is_loopback for network in self.networks)


def _of_this_machine(address: Address) -> bool:
    return address.is_loopback or address.is_link_local or address.is_unspecified or address.is_multicast


def _plain(address: Address) -> Address:
    """Return the address a packet really goes to: IPv6 has writings for those of IPv4."""
    if isinstance(address, IPv6Address):
        return address.ipv4_mapped or address.sixtofour or address
    return address


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
