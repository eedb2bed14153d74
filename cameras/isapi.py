"""One conversation with one camera in ISAPI: XML documents that are read, and written back whole."""

from cameras import isapi_documents as documents
from cameras.http import DeviceHttp, HttpLogin, Reply
from cameras.isapi_documents import Node
from cameras.upload import FileBody

XML = "application/xml"
BINARY = "application/octet-stream"


class Isapi:
    """Asks with the login that was proved, or as a stranger. Raises `cameras.errors`. Paths are below `/ISAPI/`."""

    def __init__(self, http: DeviceHttp, login: HttpLogin | None) -> None:
        self.http = http
        self.login = login

    @property
    def account(self) -> str | None:
        return self.login.credential.username if self.login else None

    async def get(self, path: str, name: str) -> Node:
        """The document of that name."""
        return documents.document(await self.send("GET", path), name, path)

    async def tell(self, method: str, path: str, root: Node | None = None) -> bool:
        """A change; whether it counts only after a restart. It goes out once."""
        content = b"" if root is None else documents.written(root)
        return documents.told(await self.send(method, path, content, XML, once=True), f"{method} {path}")

    async def ask(self, path: str, root: Node, name: str) -> Node:
        """A question that is a document itself; the document of that name."""
        return documents.document(await self.send("POST", path, documents.written(root), XML), name, path)

    async def send_file(self, path: str, body: FileBody | bytes) -> bool:
        """As it is, once; whether it counts only after a restart."""
        return documents.told(await self.send("PUT", path, body, BINARY, once=True), path)

    async def send(
        self,
        method: str,
        path: str,
        content: bytes | FileBody | None = None,
        content_type: str | None = None,
        *,
        once: bool = False,
        http: DeviceHttp | None = None,
    ) -> Reply:
        over = http or self.http
        url = over.base.copy_with(raw_path=f"/ISAPI/{path}".encode())
        headers = {"Content-Type": content_type} if content_type else None
        return await over.request(method, url, content=content, headers=headers, login=self.login, once=once)
