"""What the page asks for -> what the desk does: the protocol from the page to the kernel, message by message.

From the page, each with its fields (see `Message`):

``hello``                             the page has made the panel
``rows edition from to``              rows to be shown
``find edition text from``            which row begins with this
``choose edition ranges lead``        these rows are chosen
``open edition row``                  a row was opened
``go text`` ``crumb place at`` ``up`` ``back`` ``refresh``   another place, or the same again
``filter text contains`` ``sort column``   fewer rows, another order
``more`` ``all`` ``stop``             the next page, all pages, no more of them
``look by_itself`` ``load name`` ``file name`` ``download`` ``copy`` ``sign`` ``code name`` ``delete``   do so with what
is chosen
``answer card yes`` ``cancel card`` ``dismiss card``   on a card
``upload place file name size`` ``piece file at`` ``path place text``   bring something in; a piece has its bytes
beside it
``connect profile endpoint``          reach S3 in another way
``height pixels``                     of the panel, by its grip

A page acts on what it shows, and the kernel may be further, or not so far yet: so rows are named with the edition of
the listing, and a place by its number.

To the page go the panel's state (``_place _listing _chosen _cards _connection _note height``) and messages:
``heard n``, ``rows edition from rows``, ``found edition row answers``, ``looking name``, ``preview preview|error`` with
a picture's bytes beside it, ``copied text answers``, ``code text answers``, ``piece file at size``, ``taken file``.
Every page that shows the panel hears them all; what ``answers`` the number of an act is for the page that it is from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from aios3_nb.browser.desk import Desk
from aios3_nb.browser.messages import Message, MessageError

Hand = Callable[[Desk, Message], None]

_HANDS: Mapping[str, Hand] = MappingProxyType(
    {
        "hello": lambda desk, _: desk.show_again(),
        "rows": lambda desk, m: desk.lists.send_rows(m.whole("edition"), m.whole("from"), m.whole("to")),
        "find": lambda desk, m: desk.lists.find(m.whole("edition"), m.text("text"), m.whole("from"), m.number),
        "choose": lambda desk, m: desk.choose(m.whole("edition"), m.ranges("ranges"), m.whole("lead"), m.number),
        "open": lambda desk, m: desk.open(m.whole("edition"), m.whole("row")),
        "go": lambda desk, m: desk.lists.go(m.text("text")),
        "crumb": lambda desk, m: desk.lists.crumb(m.whole("place"), m.whole("at")),
        "up": lambda desk, _: desk.lists.up(),
        "back": lambda desk, _: desk.lists.back(),
        "refresh": lambda desk, _: desk.lists.refresh(),
        "filter": lambda desk, m: desk.lists.filter(m.text("text"), contains=m.flag("contains")),
        "sort": lambda desk, m: desk.lists.sort(m.text("column")),
        "more": lambda desk, _: desk.lists.go_on(),
        "all": lambda desk, _: desk.lists.go_on(all=True),
        "stop": lambda desk, _: desk.lists.stop(),
        "look": lambda desk, m: desk.look(by_itself=m.flag("by_itself")),
        "load": lambda desk, m: desk.load(m.text("name")),
        "file": lambda desk, m: desk.open_file(m.text("name")),
        "download": lambda desk, _: desk.download(),
        "copy": lambda desk, m: desk.copy(m.number),
        "sign": lambda desk, m: desk.sign(m.number),
        "code": lambda desk, m: desk.code(m.text("name"), m.number),
        "delete": lambda desk, _: desk.delete(),
        "answer": lambda desk, m: desk.activity.answer(m.whole("card"), yes=m.flag("yes")),
        "cancel": lambda desk, m: desk.activity.cancel(m.whole("card")),
        "dismiss": lambda desk, m: desk.activity.dismiss(m.whole("card")),
        "upload": lambda desk, m: desk.upload(m.whole("place"), m.whole("file"), m.text("name"), m.whole("size")),
        "piece": lambda desk, m: desk.take_piece(m.whole("file"), m.whole("at"), _bytes(m)),
        "path": lambda desk, m: desk.upload_path(m.whole("place"), m.text("text")),
        "connect": lambda desk, m: desk.connect(m.text("profile"), m.text("endpoint")),
    }
)


def handle(desk: Desk, message: Message) -> None:
    """Do what the page asks for.

    Raises:
        MessageError: It is nothing that a page of ours asks for.
        S3Error: What was typed does not fit.
    """
    hand = _HANDS.get(message.do)
    if hand is None:
        raise MessageError(message.do)
    hand(desk, message)


def _bytes(message: Message) -> bytes:
    return b"".join(map(bytes, message.buffers))
