"""What people see of the vault: which passwords it holds, how old they are, and never one of them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, or_, select

from fleet.paging import AnyRow, Query, number, read_page, two
from fleet.people.scope import EVERYWHERE, Scope
from fleet.store import Store
from fleet.store.tables import Camera
from fleet.store.vault_tables import CameraLogin, SealedPassword
from fleet.vault.passwords import PasswordState
from fleet.views import Page


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account of a camera, and its password without the password. `login`: it is the one we log in with."""

    camera: str
    place: str
    account: str
    login: bool
    version: int
    state: PasswordState
    made_at: datetime
    made_by: str
    since: datetime


async def accounts(
    store: Store, *, after: str | None = None, limit: int = 50, scope: Scope = EVERYWHERE
) -> Page[AccountView]:
    """Each with its present password, by camera. Raises Invalid for a cursor that no page gave."""
    query = _query(scope).where(SealedPassword.state == PasswordState.CURRENT.value)
    total = await number(store, ("vault", scope), query)
    async with store.read() as connection:
        if after is not None:
            camera, account = two(after)
            later = and_(SealedPassword.camera == camera, SealedPassword.account > account)
            query = query.where(or_(SealedPassword.camera > camera, later))
        rows, more = await read_page(connection, query.order_by(SealedPassword.camera, SealedPassword.account), limit)
    found = tuple(_view(row) for row in rows)
    return Page(found, f"{found[-1].camera}~{found[-1].account}" if more else None, total)


async def versions(store: Store, camera: str) -> tuple[AccountView, ...]:
    """All that are kept of one camera, by account, the newest first."""
    query = _query(EVERYWHERE).where(SealedPassword.camera == camera)
    order = (SealedPassword.account, SealedPassword.version.desc())
    async with store.read() as connection:
        return tuple(_view(row) for row in (await connection.execute(query.order_by(*order))).all())


def _query(scope: Scope) -> Query:
    """A camera that is gone since belongs to no site."""
    return (
        select(
            *(SealedPassword.camera, SealedPassword.account, SealedPassword.version, SealedPassword.state),
            *(SealedPassword.made_at, SealedPassword.made_by, SealedPassword.since),
            *(Camera.address, Camera.port, CameraLogin.account.label("login")),
        )
        .outerjoin(Camera, Camera.id == SealedPassword.camera)
        .outerjoin(
            CameraLogin,
            and_(CameraLogin.camera == SealedPassword.camera, CameraLogin.account == SealedPassword.account),
        )
        .where(scope.at(Camera.site))
    )


def _view(row: AnyRow) -> AccountView:
    place = f"{row.address}:{row.port}" if row.address else ""
    about = (row.version, PasswordState(row.state), row.made_at, row.made_by, row.since)
    return AccountView(row.camera, place, row.account, row.login is not None, *about)
