"""A few ranges of an object become what is said about it.

In comes a function that reads ranges. Out comes an outline: rows of headings and texts. The room must not run or import
anything that the object names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aios3_nb.faces import face

if TYPE_CHECKING:
    from aios3_nb.pipeline.peek.contents import outline_contents as outline_contents
    from aios3_nb.pipeline.peek.members import (
        Array as Array,
        npy_array as npy_array,
        npz_arrays as npz_arrays,
        safetensors_arrays as safetensors_arrays,
        tar_members as tar_members,
        zip_members as zip_members,
    )
    from aios3_nb.pipeline.peek.path import outline_path as outline_path
    from aios3_nb.pipeline.peek.peek import (
        Outline as Outline,
        Peek as Peek,
        outline_json as outline_json,
        outline_other as outline_other,
        outline_pickle as outline_pickle,
        outline_problem as outline_problem,
    )
    from aios3_nb.pipeline.peek.pickle import MAX_BYTES as MAX_BYTES, PickleOutline as PickleOutline
    from aios3_nb.pipeline.peek.ranged import RangedFile as RangedFile, TooMuchError as TooMuchError
else:
    __getattr__, __dir__, __all__ = face(
        __name__,
        contents="outline_contents",
        members="Array npy_array npz_arrays safetensors_arrays tar_members zip_members",
        path="outline_path",
        peek="Outline Peek outline_json outline_other outline_pickle outline_problem",
        pickle="MAX_BYTES PickleOutline",
        ranged="RangedFile TooMuchError",
    )
