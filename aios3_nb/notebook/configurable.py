"""What ``%config S3Magics`` sets, and how a user's mistake is shown."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import traitlets
from IPython.core.magic import Magics

from aios3_nb import settings
from aios3_nb.errors import OptionError, S3Error
from aios3_nb.notebook.errors import is_short, shorten
from aios3_nb.settings import Settings

_SAID = re.compile(r"^    (\w+): ((?:.*\n?)(?:     .*\n?)*)", re.MULTILINE)
_KINDS: Mapping[Any, str] = {bool: "Bool", int: "Int", float: "Float", str: "Unicode"}
"""What `%config` calls the types; traitlets' own names."""


class _Setting(traitlets.TraitType):  # type: ignore[misc]  # mypy is not shown traitlets
    """One setting of the session: what is in force when it is read; None leaves it to environment and default."""

    def get(self, obj: Any, cls: Any = None) -> Any:
        return getattr(settings.current(), self.name or "")

    def set(self, obj: Any, value: Any) -> None:
        try:
            settings.set_session(**{self.name or "": value})
        except OptionError as exc:
            raise traitlets.TraitError(str(exc)) from None


def _settings_traits() -> dict[str, _Setting]:
    """Return one trait for each setting."""
    said = {
        name: " ".join(text.replace("`", "").split()) for name, text in _SAID.findall(inspect.getdoc(Settings) or "")
    }
    return {name: _trait(settings.kind_of(name), said[name]) for name in settings.NAMES}


def _trait(kind: type | tuple[str, ...], said: str) -> _Setting:
    # Their class is all that %config shows of their type, and "Enum" in its name has it list the choices.
    info = {"info_text": " or ".join(kind)} if isinstance(kind, tuple) else {}
    made: _Setting = type(_KINDS.get(kind, "Enum"), (_Setting,), info)(help=said)
    made.tag(config=True)
    return made


class Configurable(Magics):  # type: ignore[misc]  # IPython is not typed
    """The settings as traits, for ``%config S3Magics.profile = "prod"`` and configuration files."""

    short_errors = traitlets.Bool(True, help="A user's mistake is one line, without a traceback.").tag(config=True)
    locals().update(_settings_traits())

    @contextmanager
    def _short_errors(self) -> Iterator[None]:
        """Show a user's mistake, or an interrupt, as one line.

        An interrupt is taken from the first import on: in a cell with a top-level await ipykernel's own handler has
        to wait for the loop, which turns when all of that is over.
        """
        from aios3_nb.loop import interruptible  # a first line imports it, not %load_ext

        with interruptible():
            try:
                yield
            except S3Error as exc:
                exc.in_line = True
                if self.short_errors:
                    shorten(exc, f"{type(exc).__name__}: {exc}")
                raise
            except KeyboardInterrupt as exc:
                if not is_short(exc):
                    shorten(exc, "Stopped.")
                raise
