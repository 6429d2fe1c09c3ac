"""The tensors in a file of PyTorch, by their names: read from its ``data.pkl``, of which nothing is imported or called.

The opcodes are walked with stand-ins on the stack. What `torch.save` writes takes these few; a file with any other is
told as far as it was understood.

See: https://github.com/pytorch/pytorch/blob/main/torch/serialization.py (`_save`),
https://github.com/pytorch/pytorch/blob/main/torch/_utils.py (`_rebuild_tensor_v2`)
"""

from __future__ import annotations

import pickletools
import zipfile
from dataclasses import dataclass, field
from typing import Any, BinaryIO, NamedTuple

_LONGEST = 1_000_000
"""Bytes of the pickle that are walked; what stands for it in memory is larger."""
_MOST_OPCODES = 500_000
_MOST_TENSORS = 10_000
_DEEPEST = 20
_LONGEST_KEY = 100
_LARGEST = 1 << 63
_DTYPES = {
    "FloatStorage": "float32",
    "DoubleStorage": "float64",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
    "ComplexFloatStorage": "complex64",
    "ComplexDoubleStorage": "complex128",
}
_INNER = ("_modules", "_parameters", "_buffers")
"""Attributes of a module that `state_dict` does not name either."""


class Tensor(NamedTuple):
    """What a file says of a tensor."""

    dtype: str
    shape: tuple[Any, ...]


@dataclass(slots=True)
class _Name:
    """Stands for what would be imported."""

    text: str


@dataclass(slots=True)
class _Object:
    """Stands for what a call would make, with the states that it would get."""

    items: dict[Any, Any] = field(default_factory=dict)
    states: list[dict[Any, Any]] = field(default_factory=list)


_MARK = object()
_SHORT_TUPLES = {"EMPTY_TUPLE": 0, "TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_LITERALS = ("UNICODE", "INT", "LONG", "FLOAT", "STRING", "BINBYTES")


def torch_tensors(file: BinaryIO) -> dict[str, Tensor]:
    """Return the tensors of a file of PyTorch, each with its name; none where it does not say, or says too much."""
    with zipfile.ZipFile(file) as archive:
        told = next((each for each in archive.infolist() if each.filename.endswith("/data.pkl")), None)
        if told is None or told.file_size > _LONGEST:
            return {}
        with archive.open(told) as member:
            return tensors_in(member.read())


def tensors_in(data: bytes) -> dict[str, Tensor]:
    """Return the tensors of the pickle `data`, each with the keys and attributes that lead to it, joined by dots."""
    stack: list[Any] = []
    memo: dict[int, Any] = {}
    try:
        for number, (opcode, argument, _) in enumerate(pickletools.genops(data)):
            if number > _MOST_OPCODES or opcode.name == "STOP" or not _step(opcode.name, argument, stack, memo):
                break
    except (ValueError, LookupError, TypeError, AttributeError, StopIteration):
        pass  # it is no such pickle from here on
    found: dict[str, Tensor] = {}
    if stack:
        _note(stack[0], "", 0, found, set())
    return found


def _step(name: str, argument: Any, stack: list[Any], memo: dict[int, Any]) -> bool:
    """Do what one opcode does; return whether it is one that is known."""
    if name in _CONSTANTS:
        stack.append(_CONSTANTS[name])
    elif name in _SHORT_TUPLES:
        count = _SHORT_TUPLES[name]
        stack[len(stack) - count :] = [tuple(stack[len(stack) - count :])]
    elif name.endswith("PUT"):
        memo[argument] = stack[-1]
    elif name == "MEMOIZE":
        memo[len(memo)] = stack[-1]
    elif name.endswith("GET"):
        stack.append(memo[argument])
    elif name in _ACTIONS:
        _ACTIONS[name](stack, argument)  # type: ignore[no-untyped-call]
    elif any(kind in name for kind in _LITERALS):
        stack.append(argument)
    else:
        return name in ("PROTO", "FRAME")
    return True


def _from_mark(stack: list[Any]) -> list[Any]:
    at = next(at for at in range(len(stack) - 1, -1, -1) if stack[at] is _MARK)
    taken = stack[at + 1 :]
    del stack[at:]
    return taken


def _set_items(stack: list[Any], pairs: list[Any]) -> None:
    target = stack[-1]
    items = target.items if isinstance(target, _Object) else target
    for key, value in zip(pairs[::2], pairs[1::2], strict=True):
        if isinstance(key, (str, int)):  # to hash a tuple of tuples may take for ever
            items[key] = value


def _set_item(stack: list[Any], _: Any) -> None:
    value, key = stack.pop(), stack.pop()
    _set_items(stack, [key, value])


def _tuple(stack: list[Any], _: Any) -> None:
    taken = _from_mark(stack)
    stack.append(tuple(taken))


def _call(stack: list[Any], _: Any) -> None:
    arguments, function = stack.pop(), stack.pop()
    stack.append(_made(function, arguments))


def _made(function: Any, arguments: tuple[Any, ...]) -> Any:
    name = function.text if isinstance(function, _Name) else ""
    if name.startswith("torch._utils _rebuild_parameter"):
        return arguments[0]
    if name.startswith("torch._utils _rebuild_tensor"):
        told = (*arguments[0][:5], *arguments[4:8])
        kinds = [each.text.rpartition(" ")[2] for each in told if isinstance(each, _Name)]
        dtype = next((_DTYPES.get(kind, kind) for kind in kinds[::-1] if kind != "UntypedStorage"), "?")
        shape = tuple(
            each if isinstance(each, int) and abs(each) < _LARGEST else "?" for each in arguments[2][:_DEEPEST]
        )
        return Tensor(dtype, shape)
    return _Object()


def _build(stack: list[Any], _: Any) -> None:
    state = stack.pop()
    if isinstance(state, dict) and isinstance(stack[-1], _Object):
        stack[-1].states.append(state)


def _append(stack: list[Any], values: list[Any]) -> None:
    stack[-1].extend(values)


def _stack_global(stack: list[Any], _: Any) -> None:
    name, module = stack.pop(), stack.pop()
    stack.append(_Name(f"{module} {name}"))


_ACTIONS = {
    "MARK": lambda stack, _: stack.append(_MARK),
    "EMPTY_DICT": lambda stack, _: stack.append({}),
    "EMPTY_LIST": lambda stack, _: stack.append([]),
    "GLOBAL": lambda stack, name: stack.append(_Name(name)),
    "STACK_GLOBAL": _stack_global,
    "TUPLE": _tuple,
    "BINPERSID": lambda stack, _: None,  # the tuple that says where the bytes are stays for them
    "REDUCE": _call,
    "NEWOBJ": _call,
    "BUILD": _build,
    "SETITEM": _set_item,
    "SETITEMS": lambda stack, _: _set_items(stack, _from_mark(stack)) if stack else None,
    "APPEND": lambda stack, _: _append(stack, [stack.pop()]),
    "APPENDS": lambda stack, _: _append(stack, _from_mark(stack)),
}


def _note(value: Any, name: str, depth: int, found: dict[str, Tensor], seen: set[int]) -> None:
    """Note the tensors in `value`, each with its name; what occurs twice is looked into once."""
    if isinstance(value, Tensor):
        found.setdefault(name or "tensor", value)
    elif isinstance(value, _Object):
        for each in (value.items, *value.states):
            _note(each, name, depth, found, seen)
    elif isinstance(value, (dict, list, tuple)) and id(value) not in seen and depth <= _DEEPEST:
        seen.add(id(value))
        for key, each in value.items() if isinstance(value, dict) else enumerate(value):
            if len(found) < _MOST_TENSORS:
                _note(each, _joined(name, key), depth + 1, found, seen)


def _joined(name: str, key: str | int) -> str:
    if key in _INNER or (isinstance(key, int) and abs(key) > _LARGEST):
        return name
    short = str(key)[:_LONGEST_KEY]
    return f"{name}.{short}" if name else short
