"""What looks around is shown wherever it stands in a cell; by itself Python shows only what comes last.

``%s3ls`` as a line of its own is a look, ``entries = %s3ls`` a value to work with. Which of the two it is stands in the
syntax tree, after IPython has made calls of the magics.

See: https://ipython.readthedocs.io/en/stable/config/inputtransforms.html#ast-transformations
"""

from __future__ import annotations

import ast
from collections.abc import Collection
from typing import Any


class Shows(ast.NodeTransformer):
    """Hands what the line magics `names` return to `show`, where they are statements but not the last.

    `show` is an expression whose value is a function.
    The last one is the result of its cell, as ever: it is shown as such, and is ``_`` in the next.
    """

    def __init__(self, names: Collection[str], show: str) -> None:
        self._names = names
        self._show = show

    def visit_Module(self, node: ast.Module) -> ast.Module:
        node.body = [*map(self.visit, node.body[:-1]), *node.body[-1:]]
        if node.body and not isinstance(node.body[-1], ast.Expr):
            node.body[-1] = self.visit(node.body[-1])
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.Expr:
        if _magic(node.value) in self._names:
            node.value = ast.Call(ast.parse(self._show, mode="eval").body, [node.value], [])
        return node


def _magic(call: ast.expr) -> Any:
    """Return the name of the line magic that `call` runs; None if it is no such call."""
    match call:
        case ast.Call(ast.Attribute(ast.Call(ast.Name("get_ipython")), "run_line_magic"), [ast.Constant(name), *_]):
            return name
    return None


_LOOKS = frozenset({"s3ls", "s3peek", "s3browse", "s3cache"})
"""Magics that are typed to see what they return."""


def begin_showing(shell: Any, show: str) -> None:
    """Show what the looks in the cells of `shell` return, by the function that the expression `show` gives."""
    end_showing(shell)
    shell.ast_transformers.append(Shows(_LOOKS, show))


def end_showing(shell: Any) -> None:
    """Take that back."""
    shell.ast_transformers[:] = [each for each in shell.ast_transformers if not isinstance(each, Shows)]
