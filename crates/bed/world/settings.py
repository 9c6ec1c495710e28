"""The bed's facts, and what follows from them."""

import functools
import ipaddress
import json
import pathlib


class Settings:
    def __init__(self, directory: pathlib.Path) -> None:
        self.directory = directory
        self.facts = json.loads((directory / "bed.json").read_text())
        self.services: dict[str, list[str]] = self.facts["services"]
        self.ports: dict[str, int] = self.facts["ports"]
        self.authority = pathlib.Path(self.facts["authority"])
        self.certificate = directory / "servers.pem"
        self._service_at = {
            ipaddress.ip_address(address): service
            for service, addresses in self.services.items()
            for address in addresses
        }

    def service_at(self, address: str) -> str:
        """Which service an address of the world belongs to."""
        found = ipaddress.ip_address(address)
        if found.version == 6 and found.ipv4_mapped:
            found = found.ipv4_mapped
        return self._service_at.get(found, "nothing")

    @functools.cached_property
    def names(self) -> dict[str, dict]:
        """Every name of the world with its records, by type."""
        return {name: self._records(what) for name, what in self.facts["names"].items()}

    def _records(self, what: str | dict) -> dict:
        if isinstance(what, dict):
            # More than fits into a datagram.
            return {"A": [f"93.184.217.{last + 1}" for last in range(what["many"])]} if "many" in what else what
        addresses = self.services[what]
        return {
            "A": [address for address in addresses if ":" not in address],
            "AAAA": [address for address in addresses if ":" in address],
        }
