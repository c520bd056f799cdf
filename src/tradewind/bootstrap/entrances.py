"""From settings to the door's certificates and addresses.

127.0.0.1 is always among the private addresses: the service's own clients on this machine, and `up` itself, ask there.
What is wrong with a given certificate is an error here, before anything is started.
"""

from datetime import UTC, datetime

from tradewind.domain.errors import CannotStart
from tradewind.routes.door import storage_folder
from tradewind.routes.given import Given, Source, take_roots
from tradewind.routes.hosts import is_wildcard
from tradewind.routes.tls import LETS_ENCRYPT, Acme, Internal, Tls
from tradewind.settings import Settings

_LOOPBACK = "127.0.0.1"


def now() -> datetime:
    """The clock by which certificates are judged."""
    return datetime.now(UTC)


def private_addresses(settings: Settings) -> tuple[str, ...]:
    """Where the door listens for this machine and the private network."""
    address = settings.private_address
    return (address,) if address == _LOOPBACK or is_wildcard(address) else (_LOOPBACK, address)


def problem(settings: Settings) -> str | None:
    """What is wrong with a given certificate, for who only looks; None when it is good or none is given."""
    source = _source(settings)
    if source is None:
        return None
    try:
        source.check(source.read(), now())
    except CannotStart as error:
        return error.sentence
    return None


def _source(settings: Settings) -> Source | None:
    asked = settings.tls
    if asked.kind != "files" or asked.certificate is None or asked.key is None:
        return None
    return Source(asked.certificate, asked.key, (f"*.{settings.region}.{settings.domain}", *settings.public_names))


def certificates(settings: Settings, web_port: int) -> tuple[Tls, Given | None]:
    """Whose certificates are shown, and what to look at again where somebody gave them. Raises CannotStart."""
    asked, folder = settings.tls, storage_folder(settings.layout.ca)
    roots = take_roots(asked.roots, folder) if asked.roots else None
    match asked.kind:
        case "files":
            source = _source(settings)
            if source is None:
                raise CannotStart("cannot use tls = files: tls_certificate and tls_key are needed")
            given = Given(source, folder, now, roots)
            return given.take(), given
        case "acme":
            where = settings.public_address or settings.private_address
            bind = "" if is_wildcard(where) else where
            return Acme(asked.acme_directory or LETS_ENCRYPT, asked.acme_email, roots, web_port, bind), None
        case _:
            return Internal(), None
