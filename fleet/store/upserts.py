"""One statement for "add it, or change what is there", on both engines.

SQLAlchemy has a construct for each dialect; SQLite's compiler renders PostgreSQL's too, word for word. A row that is
in the way is named by its columns (`index_elements`), which both understand.
"""

from sqlalchemy.dialects.postgresql import insert as upsert

__all__ = ["upsert"]
