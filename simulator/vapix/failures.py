"""How the REST framework says no."""


class Failure(Exception):
    """An error with its number."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status
