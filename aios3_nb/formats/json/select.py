"""What is at a path of a JSON text that is still arriving; what lies beside it is passed over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aios3_nb.formats.json.path import Step
from aios3_nb.formats.json.scan import JsonScanner, OddError

_SHOWN = 8
"""Names that are told of where one was not found."""


class Selection:
    """Walks from the place of `scanner` to what is at a path.

    Attributes:
        in_array: Whether it went into every element of an array, so that there may be more than one match.
        in_empty: Whether one of these arrays was empty, so that there may be none.
        beside: Names that are there where a name of the path first was not.
    """

    def __init__(self, scanner: JsonScanner) -> None:
        self.in_array = False
        self.in_empty = False
        self.beside: tuple[str, ...] = ()
        self._scanner = scanner

    def values_at(self, path: Sequence[Step], *, in_array: bool = False) -> Iterator[object]:
        """Yield each value at `path` below the one that begins here.

        Outside of arrays of which every element is meant the first match is the only one, and nothing behind it is
        read: of members with the same name the first counts, where a whole document would have the last.
        """
        if not path:
            yield self._scanner.value()
            return
        char, step = self._scanner.peek(), path[0]
        if char == "[" and step.every:
            yield from self._values_in_elements(path)
        elif char == "[" and step.number >= 0:
            yield from self._values_in_element_number(path, in_array=in_array)
        elif char == "{":
            yield from self._values_in_members(path, in_array=in_array)
        else:
            self._scanner.skip()

    def _values_in_elements(self, path: Sequence[Step]) -> Iterator[object]:
        self.in_array = True
        is_empty = True
        for value in self._scanner.values() if len(path) == 1 else ():
            is_empty = False
            yield value
        for _ in self._scanner.elements() if len(path) > 1 else ():
            is_empty = False
            yield from self._values_in_element(path[1:])
        self.in_empty |= is_empty

    def _values_in_element(self, path: Sequence[Step]) -> Iterator[object]:
        if self._scanner.peek() in "[{":
            # Walking through a small element takes far longer than building it.
            try:
                element = self._scanner.value_at_once()
            except OddError:
                pass  # it is cut, or large, or odd: walk
            else:
                yield from self._select(element, path)
                return
        yield from self.values_at(path, in_array=True)

    def _values_in_element_number(self, path: Sequence[Step], *, in_array: bool) -> Iterator[object]:
        for number, _ in enumerate(self._scanner.elements()):
            if number != path[0].number:
                self._scanner.skip()
                continue
            yield from self.values_at(path[1:], in_array=in_array)
            if not in_array:
                return

    def _values_in_members(self, path: Sequence[Step], *, in_array: bool) -> Iterator[object]:
        found = False
        beside: list[str] = []
        for name in self._scanner.members():
            if found or name != path[0].name:
                beside += [name] if len(beside) < _SHOWN else []
                self._scanner.skip()
                continue
            found = True
            yield from self.values_at(path[1:], in_array=in_array)
            if not in_array:
                return
        if not found:
            self._miss(beside)

    def _select(self, value: object, path: Sequence[Step]) -> Iterator[object]:
        """Yield what is at `path` in `value`, as `values_at` does."""
        if not path:
            yield value
            return
        step = path[0]
        if isinstance(value, list) and step.every:
            self.in_empty |= not value
            for element in value:
                yield from self._select(element, path[1:])
        elif isinstance(value, list) and 0 <= step.number < len(value):
            yield from self._select(value[step.number], path[1:])
        elif isinstance(value, dict):
            if step.name in value:
                yield from self._select(value[step.name], path[1:])
            else:
                self._miss(list(value)[:_SHOWN])

    def _miss(self, beside: Sequence[str]) -> None:
        self.beside = self.beside or tuple(beside)
