"""Text records of domains, from the name servers of this machine or from given ones."""

from collections.abc import Sequence
from typing import Protocol

import dns.asyncresolver
import dns.exception
import dns.name
import dns.rdatatype
import dns.resolver

from shared.problems import Unavailable

ANSWER_SECONDS = 3.0
MAX_RECORDS = 50


class DnsUnavailable(Unavailable):
    """The name servers give no answer."""

    code = "dns-unavailable"
    detail = "The name servers of the domain do not answer. Try again in a moment."


class Texts(Protocol):
    """Looks text records up."""

    async def of(self, name: str) -> frozenset[str]:
        """Return the text records of a name; none if there is no such name.

        Raises:
            DnsUnavailable: that is not known now.
        """
        ...


class DnsTexts:
    """Asks name servers; without any given, those that this machine is configured with."""

    def __init__(
        self,
        nameservers: Sequence[str] = (),
        *,
        port: int = 53,
        seconds: float = ANSWER_SECONDS,
    ) -> None:
        self._nameservers = nameservers
        self._port = port
        self._seconds = seconds

    async def of(self, name: str) -> frozenset[str]:
        """Return the text records of a name, as `Texts` says."""
        try:
            resolver = dns.asyncresolver.Resolver(configure=not self._nameservers)
            if self._nameservers:
                resolver.port = self._port  # before the servers, which take it
                resolver.nameservers = list(self._nameservers)
            answer = await resolver.resolve(
                dns.name.from_text(f"{name}."),
                dns.rdatatype.TXT,
                search=False,
                lifetime=self._seconds,
            )
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return frozenset()
        except (dns.exception.DNSException, OSError) as fault:
            raise DnsUnavailable from fault
        rows = [b"".join(record.strings) for record in list(answer)[:MAX_RECORDS]]
        return frozenset(row.decode("ascii", "replace") for row in rows)
