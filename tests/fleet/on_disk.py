"""Everything that a store keeps, as bytes in which a test can look for what must not be there."""

from collections.abc import Iterator

from sqlalchemy import MetaData, select

from fleet.settings import Settings
from fleet.store.migrating import blocking_engine


def on_disk(settings: Settings) -> bytes:
    """SQLite's files as they are, or all values of all rows where a server has the files. Blocks."""
    if settings.database_url is None:
        return b"".join(path.read_bytes() for path in settings.home.glob(f"{settings.database.name}*"))
    return b"\n".join(_values(settings))


def _values(settings: Settings) -> Iterator[bytes]:
    engine, metadata = blocking_engine(settings), MetaData()
    with engine.connect() as connection:
        metadata.reflect(connection)
        for table in metadata.sorted_tables:
            for row in connection.execute(select(table)):
                yield from (value if isinstance(value, bytes) else str(value).encode() for value in row)
