"""What ``%config S3Magics`` sets, and how a user's mistake is shown."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import traitlets
from IPython.core.magic import Magics

from aios3_nb import settings
from aios3_nb.errors import OptionError, S3Error
from aios3_nb.notebook.shown import shorten


def _settings_traits() -> dict[str, traitlets.TraitType[Any, Any]]:
    """Return one trait for each setting; None leaves it to the environment and the defaults."""
    return {
        name: traitlets.Any(None, allow_none=True, help=f"See {name} in aios3_nb.Settings.").tag(config=True)
        for name in settings.NAMES
    }


class Configurable(Magics):  # type: ignore[misc]  # IPython is not typed
    """The settings as traits, for ``%config S3Magics.profile = "prod"`` and configuration files."""

    short_errors = traitlets.Bool(True, help="A user's mistake is one line, without a traceback.").tag(config=True)
    locals().update(_settings_traits())

    @traitlets.validate(*settings.NAMES)
    def _set(self, proposal: Any) -> Any:
        try:
            settings.set_session(**{proposal["trait"].name: proposal["value"]})
        except OptionError as exc:
            raise traitlets.TraitError(str(exc)) from None
        return proposal["value"]

    @contextmanager
    def _short_errors(self) -> Iterator[None]:
        """Show a user's mistake as one line: IPython asks the exception itself how it wants to be shown."""
        try:
            yield
        except S3Error as exc:
            if self.short_errors:
                shorten(exc, f"{type(exc).__name__}: {exc}")
            raise
