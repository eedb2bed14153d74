"""The two-person rule: where the settings want it, whoever made a plan or a rollout does not approve it.

All that is known of an actor is a name. A token counts as itself and as the person who made it; where several tokens
have one name, as all who made them: too many names refuse once too often, too few would let one person through.
"""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from fleet.errors import Invalid
from fleet.people.accounts import name_key
from fleet.people.tokens import AT_THE_COMMAND_LINE, actor_of
from fleet.store import Store
from fleet.store.access_tables import ApiToken

ASK = "whoever made this cannot approve it, by a token of theirs neither: ask a second person to approve it"


async def is_the_same(store: Store, maker: str, who: str) -> bool:
    async with store.read() as connection:
        return await _is_the_same(connection, maker, who)


async def need(connection: AsyncConnection, maker: str, approver: str) -> None:
    """Raises Invalid where both are one person."""
    if await _is_the_same(connection, maker, approver):
        raise Invalid(ASK)


async def _is_the_same(connection: AsyncConnection, maker: str, who: str) -> bool:
    rows = (await connection.execute(select(ApiToken.name, ApiToken.created_by))).all()
    made_by = [(name_key(actor_of(row.name)), _name(row.created_by)) for row in rows]

    def persons(actor: str) -> set[str]:
        return {_name(actor)} | {person for token, person in made_by if token == name_key(actor)}

    return not persons(maker).isdisjoint(persons(who))


def _name(actor: str) -> str:
    return name_key(actor.removesuffix(AT_THE_COMMAND_LINE))
