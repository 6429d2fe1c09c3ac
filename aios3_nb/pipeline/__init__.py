"""An order becomes a file, and that a value, items, or a look.

In comes an `Order`: an object, how to fetch it, how to read it. Out comes what it holds, with what was found out on the
way (`Loaded`). `aios3_nb.pipeline.load` composes the whole way of a byte. The room must not know lines, cells and
widgets: whoever watches hands in a `Monitor`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aios3_nb.faces import face

if TYPE_CHECKING:
    from aios3_nb.pipeline.background import BackgroundLoad as BackgroundLoad
    from aios3_nb.pipeline.each import (
        items_of as items_of,
        iterate_async as iterate_async,
        via_running_loop as via_running_loop,
        warn_of_left_out as warn_of_left_out,
    )
    from aios3_nb.pipeline.items import Items as Items
    from aios3_nb.pipeline.load import (
        Loaded as Loaded,
        aload_one as aload_one,
        load_one as load_one,
        open_file as open_file,
    )
    from aios3_nb.pipeline.look import alook_into as alook_into, look_into as look_into
    from aios3_nb.pipeline.order import (
        Order as Order,
        locate as locate,
        locate_folder as locate_folder,
        locate_object as locate_object,
        make_order as make_order,
        pattern_in as pattern_in,
        place as place,
        set_place as set_place,
    )
    from aios3_nb.pipeline.pieces import (
        Guess as Guess,
        Piece as Piece,
        guessed_pickles as guessed_pickles,
        holds_several as holds_several,
        lines_of as lines_of,
        pickles_from as pickles_from,
        pieces_of as pieces_of,
    )
    from aios3_nb.pipeline.several import (
        Results as Results,
        aload_each as aload_each,
        aload_in_turn as aload_in_turn,
        amatching_each as amatching_each,
        gathered as gathered,
    )
    from aios3_nb.pipeline.store import (
        Stored as Stored,
        StoreOrder as StoreOrder,
        make_store_order as make_store_order,
        store_value as store_value,
    )
else:
    __getattr__, __dir__, __all__ = face(
        __name__,
        background="BackgroundLoad",
        each="items_of iterate_async via_running_loop warn_of_left_out",
        items="Items",
        load="Loaded aload_one load_one open_file",
        look="alook_into look_into",
        order="Order locate locate_folder locate_object make_order pattern_in place set_place",
        pieces="Guess Piece guessed_pickles holds_several lines_of pickles_from pieces_of",
        several="Results aload_each aload_in_turn amatching_each gathered",
        store="Stored StoreOrder make_store_order store_value",
    )
