"""Files of PyTorch are told by what their pickle says of tensors, which runs nothing."""

from __future__ import annotations

import collections
import io
import pickle
import sys
import types
import zipfile

import pytest

from aios3_nb.pipeline.peek.contents import outline_contents
from aios3_nb.pipeline.peek.torch import tensors_in


class Stored(pickle.Pickler):
    """Writes as `torch.save` does: each tensor a call with where its bytes are, named by a persistent id."""

    def persistent_id(self, obj):
        return getattr(obj, "persistent", None)


def torch_file(content):
    """Return a file of PyTorch with `content`, in which `tensor` made the tensors."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writer:
        data = io.BytesIO()
        Stored(data, protocol=2).dump(content)
        writer.writestr("model/data.pkl", data.getvalue())
        writer.writestr("model/data/0", bytes(1000))
    return archive.getvalue()


@pytest.fixture
def tensor(monkeypatch):
    """Makes what pickles as a tensor does."""
    names = {"torch._utils": ["_rebuild_tensor_v2", "_rebuild_parameter"], "torch": ["FloatStorage", "LongStorage"]}
    for module, held in names.items():
        fake = types.ModuleType(module)
        for name in held:
            setattr(fake, name, type(name, (), {"__module__": module}))
        monkeypatch.setitem(sys.modules, module, fake)
    torch, utils = sys.modules["torch"], sys.modules["torch._utils"]

    def make(shape, kind="FloatStorage", *, is_parameter=False):
        storage = types.SimpleNamespace(persistent=("storage", getattr(torch, kind), "0", "cpu", 6))
        call = (utils._rebuild_tensor_v2, (storage, 0, shape, (1,), False, collections.OrderedDict()))
        made = type("Tensor", (), {"__reduce__": lambda self: call})()
        call_again = (utils._rebuild_parameter, (made, True, collections.OrderedDict()))
        return type("Parameter", (), {"__reduce__": lambda self: call_again})() if is_parameter else made

    return make


def torch_rows(data):
    outline = outline_contents("torch", lambda start, stop: data[start:stop], len(data), max_bytes=1_000_000)
    return outline.rows()


def test_a_file_of_pytorch_tells_its_tensors(tensor):
    state = collections.OrderedDict({"conv.weight": tensor((64, 3, 7, 7)), "conv.bias": tensor((64,))})
    inner = types.SimpleNamespace(_parameters={"w": tensor((2,), is_parameter=True)})
    module = types.SimpleNamespace(_modules={"fc": inner})
    content = {"model": state, "steps": tensor((), "LongStorage"), "epoch": 3, "whole": module}
    assert torch_rows(torch_file(content)) == [
        ("holds", "4 tensors"),
        ("model.conv.weight", "float32 of shape (64, 3, 7, 7)"),
        ("model.conv.bias", "float32 of shape (64,)"),
        ("steps", "int64 of shape ()"),
        ("whole.fc.w", "float32 of shape (2,)"),
    ]
    assert torch_rows(torch_file({"epoch": 3}))[0][1].startswith("2 files")


def test_a_hostile_file_of_pytorch_is_told_in_no_time_and_runs_nothing():
    shared = ()
    for _ in range(200):
        shared = (shared, shared)  # to hash it, or to walk it, would take for ever
    table = dict.fromkeys(range(2000), 1)
    bodies = [
        pickle.dumps({"a": shared, "b": [shared]}, 4),
        b"\x80\x02}" + pickle.dumps(shared, 2)[2:-1] + b"K\x01s.",
        b"\x80\x02cbuiltins\nobject\n)R" + (pickle.dumps(table, 2)[2:-1] + b"b") * 20 + b".",
        b"\x80\x02cos\nsystem\nX\x04\0\0\0exit\x85R.",
        b"\x80\x02" + b"N" * 100_000 + b"(t0" * 100_000 + b".",
        b"\x80\x02r\xff\xff\xff\x7f.",
    ]
    for body in bodies:
        assert tensors_in(body) == {}
    number = int("9" * 4000)
    call = b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n((X\x01\0\0\0stQK\0" + pickle.dumps((number,), 2)[2:-1] + b"tR."
    assert tensors_in(call) == {"tensor": ("?", ("?",))}
