"""What the tests of the transit engine share: a login to a real one, and the settings that name it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fleet.settings import Settings, load_settings
from tests.frame.openbao import Bao


@dataclass
class Guard:
    """A transit key of its own at a real OpenBao, and files to log in with. `secrets` must not be seen anywhere."""

    bao: Bao
    folder: Path
    namespace: str = ""
    key: str = ""
    secrets: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.key = self.key or self.bao.new_key(namespace=self.namespace)
        self.folder.mkdir(exist_ok=True)

    def token(self, *calls: str) -> dict[str, Any]:
        policy = self.bao.policy(self.key, *calls, namespace=self.namespace)
        return {"transit_token_file": self.file("token", self.bao.token(policy, namespace=self.namespace))}

    def role(self) -> dict[str, Any]:
        role, secret = self.bao.role(self.bao.policy(self.key, namespace=self.namespace), namespace=self.namespace)
        return {
            "transit_role_id_file": self.file("role-id", role),
            "transit_secret_id_file": self.file("secret-id", secret),
        }

    def file(self, name: str, content: str) -> Path:
        """Named twice, the later content counts."""
        path = self.folder / name
        path.write_text(f"{content}\n")
        path.chmod(0o600)
        self.secrets.add(content)
        return path

    def named(self, **more: object) -> dict[str, Any]:
        engine = {
            "transit_url": self.bao.url,
            "transit_ca_file": self.bao.ca_file,
            "transit_key": self.key,
            "transit_namespace": self.namespace or None,
        }
        return engine | more

    def settings(self, home: Path, **more: object) -> Settings:
        return load_settings(None, home=home, **self.named(**more))
