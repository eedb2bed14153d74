"""The address of a PostgreSQL database, as the operator writes it."""

from urllib.parse import parse_qsl, urlsplit

_SCHEMES = frozenset({"postgresql", "postgres"})
# What may follow the question mark: how the server is reached and trusted. Secrets have files of their own.
_OPTIONS = frozenset(
    {
        *("host", "port", "user", "dbname", "connect_timeout", "options", "passfile", "target_session_attrs"),
        *("sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl", "gssencmode", "channel_binding", "require_auth"),
    }
)


def usable_url(url: str) -> str:
    """The same address. Raises ValueError, whose text quotes nothing of it: it may hold a password."""
    try:
        parts = urlsplit(url)
        port, options = parts.port, dict(parse_qsl(parts.query, strict_parsing=True) if parts.query else [])
    except ValueError:
        raise ValueError("no address; write postgresql://user@host:5432/name") from None
    if parts.scheme not in _SCHEMES:
        raise ValueError("write postgresql://user@host:5432/name, or leave it out for SQLite")
    if parts.password is not None or "password" in options or "sslpassword" in options:
        raise ValueError(
            "it holds a password, which would be seen by others; put it into a file and name that in "
            "database_password_file, or into ~/.pgpass (PGPASSFILE)"
        )
    if unknown := sorted(options.keys() - _OPTIONS):
        raise ValueError(f"{len(unknown)} of its options cannot be used; known are {', '.join(sorted(_OPTIONS))}")
    if port == 0 or not (parts.path.strip("/") or options.get("dbname")):
        raise ValueError("it names no database; write postgresql://user@host:5432/name")
    return url
