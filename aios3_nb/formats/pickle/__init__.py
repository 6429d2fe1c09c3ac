"""Pickles, running nothing that is not on the safe list.

In come a file and the names that the user allows. Out comes the object, or one after another. The room must not know
where the file comes from, and trusts nothing that is in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aios3_nb.faces import face

if TYPE_CHECKING:
    from aios3_nb.formats.pickle.between import (
        begins_with_several as begins_with_several,
        load_pickles_between as load_pickles_between,
        may_begin as may_begin,
    )
    from aios3_nb.formats.pickle.find import (
        Names as Names,
        missing_package as missing_package,
        python3_name as python3_name,
    )
    from aios3_nb.formats.pickle.kinds import (
        is_joblib as is_joblib,
        joblib_text as joblib_text,
        other_kind as other_kind,
    )
    from aios3_nb.formats.pickle.load import iterate_pickles as iterate_pickles, load_pickle as load_pickle
    from aios3_nb.formats.pickle.names import pip_name as pip_name
    from aios3_nb.formats.pickle.opcodes import (
        COUNTED as COUNTED,
        EXTENSION as EXTENSION,
        FIXED as FIXED,
        LINES as LINES,
        NEWEST_PROTOCOL as NEWEST_PROTOCOL,
        OUT_OF_BAND as OUT_OF_BAND,
        PERSISTENT as PERSISTENT,
        STOP as STOP,
        TEXT as TEXT,
    )
    from aios3_nb.formats.pickle.outlook import refused_call as refused_call, refused_state as refused_state
else:
    __getattr__, __dir__, __all__ = face(
        __name__,
        between="begins_with_several load_pickles_between may_begin",
        find="Names missing_package python3_name",
        kinds="is_joblib joblib_text other_kind",
        load="iterate_pickles load_pickle",
        names="pip_name",
        opcodes="COUNTED EXTENSION FIXED LINES NEWEST_PROTOCOL OUT_OF_BAND PERSISTENT STOP TEXT",
        outlook="refused_call refused_state",
    )
