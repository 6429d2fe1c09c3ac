"""The widgets of the bucket browser: how they look, and how they show a `Contents`. They ask for nothing.

Names from S3 go into widgets that show plain text (Select, Button, Text), or through `_browser_html`; in both
cases through `visible` first.
"""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets

from aios3_nb.address import S3Uri
from aios3_nb.browser.html import STYLE, pairs_html, pre_html, table_html, text_html, title_html
from aios3_nb.browser.model import SORTS, Contents, crumbs
from aios3_nb.browser.preview import Preview
from aios3_nb.browser.route import route_freely
from aios3_nb.browser.text import place_text, row_texts, status_text
from aios3_nb.text import visible

BEGINS, CONTAINS = "begins with", "contains"
_DEFAULT_PROFILE = ("(default)", "")  # None as a value would show as nothing chosen
_MOST_CRUMBS = 8
_ROWS = 12
_LABELLED = {"description_width": "auto"}


def _button(description: str, icon: str = "", tooltip: str = "", style: str = "", **options: Any) -> Any:
    layout = widgets.Layout(width="auto", flex="0 0 auto", **options)
    return widgets.Button(
        description=description, icon=icon, tooltip=tooltip or description, button_style=style, layout=layout
    )


def _text(placeholder: str, *, width: str = "auto", flex: str = "1 1 160px", tooltip: str = "", name: str = "") -> Any:
    return widgets.Text(
        description=name,
        style=_LABELLED,
        placeholder=placeholder,
        continuous_update=False,  # Enter, or leaving the field
        tooltip=tooltip or placeholder,
        layout=widgets.Layout(width=width, flex=flex),
    )


def _html(**options: Any) -> Any:
    return widgets.HTML(layout=widgets.Layout(margin="0 2px", **options))


def _row(*children: Any, **options: Any) -> Any:
    layout = {"flex_flow": "row wrap", "align_items": "center", "width": "100%", "overflow": "hidden"}
    return widgets.HBox(children, layout=widgets.Layout(**layout | options))


def show(widget: Any, visible: bool) -> None:
    """Show or hide a widget."""
    widget.layout.display = None if visible else "none"


def discard(widget: Any) -> None:
    """Close a widget with all that is in it, and with its layout and style, which ipywidgets would keep for ever."""
    for part in (*getattr(widget, "children", ()), widget.layout, getattr(widget, "style", None)):
        if isinstance(part, widgets.DOMWidget):
            discard(part)
        elif part is not None:
            part.close()
    widget.close()


class Panel:
    """All widgets, by what they are for; `box` holds them."""

    def __init__(self, box: Any) -> None:
        self.box = box
        self._crumbs: tuple[tuple[str, S3Uri | None], ...] = ()
        self._labels: list[str] = []
        self._make_place()
        self._make_listing()
        self._make_object()
        box.children = (
            widgets.HTML(STYLE),
            _row(self.profile, self.endpoint, self.upload_toggle, self.refresh),
            self.crumbs,
            _row(self.address),
            _row(self.filter, self.mode, self.sort),
            self.header,
            self.rows,
            _row(self.status, self.stop, self.back, self.more),
            self.details,
            self.actions,
            self.confirmation,
            self.copying,
            self.uploading,
            self.jobs,
            self.message,
            self.note,
            self.preview,
        )
        box.add_class("aios3-nb-browser")

    def _make_place(self) -> None:
        self.profile = widgets.Dropdown(
            options=[_DEFAULT_PROFILE],
            description="Profile",
            tooltip="Profile of the AWS configuration files",
            layout=widgets.Layout(width="auto", flex="1 1 180px"),
            style=_LABELLED,
        )
        self.endpoint = _text(
            "AWS", flex="2 1 220px", tooltip="S3 endpoint; empty for AWS. Press Enter", name="Endpoint"
        )
        self.refresh = _button("Refresh", "refresh", "List this again")
        self.upload_toggle = widgets.ToggleButton(
            description="Upload", icon="upload", layout=widgets.Layout(width="auto", flex="0 0 auto")
        )
        self.crumbs = _row()
        self.crumbs.add_class("aios3-nb-crumbs")
        self.address = _text("s3://bucket/folder/ and Enter", tooltip="A bucket or folder to go to. Press Enter")

    def _make_listing(self) -> None:
        self.filter = _text("Filter, and Enter", tooltip="Looked for in all of this folder, not only in the rows below")
        self.mode = widgets.Dropdown(
            options=[BEGINS, CONTAINS],
            tooltip="'begins with' looks in this folder, 'contains' in all keys below it",
            layout=widgets.Layout(width="auto", flex="0 0 auto"),
        )
        self.sort = widgets.Dropdown(
            options=SORTS,
            description="Sort",
            layout=widgets.Layout(width="auto", flex="0 0 auto"),
            style=_LABELLED,
        )
        self.header = _html(width="100%")
        self.rows = widgets.Select(rows=_ROWS, layout=widgets.Layout(width="auto", height="auto"))
        self.rows.add_class("aios3-nb-rows")
        self.status = _html(flex="1 1 200px")
        self.stop = _button("Stop", "stop", "Stop searching; what was found stays", display="none")
        self.back = _button("Earlier", "angle-left", "The rows before")
        self.more = _button("More", "angle-right", "The next rows")

    def _make_object(self) -> None:
        self.details = _html(width="auto")
        self.open = _button("Preview", "eye", "Look inside; nothing is executed")
        self.load = _button("Load as", "download", "Load into this variable, in the background", "primary")
        self.name = _text("variable", width="150px", flex="0 1 150px", tooltip="Name of the variable")
        self.open_file = _button("Open as file", "file-o", "Bind a file to the variable; nothing is fetched yet")
        self.copy_uri = _button("Copy URI", "copy", "Show the address, ready to copy")
        self.code = _button("Insert code", "code", "Show the line that loads it, for the notebook")
        self.download = _button("Download", "save", "Into the notebook's folder")
        self.delete = _button("Delete", "trash", "Delete this object; you are asked first")
        self.actions = _row(
            self.open, self.load, self.name, self.open_file, self.copy_uri, self.code, self.download, self.delete
        )
        self.question = _html(flex="1 1 auto")
        self.confirm = _button("Delete it", "", style="danger")
        self.keep = _button("Keep it")
        self.confirmation = _row(self.question, self.confirm, self.keep, display="none")
        self.copied = _text("", tooltip="Select all and copy")
        self.insert = _html(flex="0 0 auto")
        self.copying = _row(self.copied, self.insert, display="none")
        self.files = widgets.FileUpload(multiple=True, layout=widgets.Layout(width="auto"))
        self.path = _text("or the path of a file beside the notebook, and Enter: for more than some 10 MB")
        self.uploading = _row(self.files, self.path, display="none")
        self.jobs = widgets.VBox()
        self.message = _html(width="auto")
        self.note = _html(width="auto")
        self.preview = widgets.VBox()
        self.preview.add_class("aios3-nb-preview")

    # ---- the place and its contents

    def draw_profiles(self, names: list[str], chosen: str | None) -> None:
        """Show the profiles that there are, and the one in use."""
        known = [*names, *([chosen] if chosen and chosen not in names else [])]
        self.profile.options = [_DEFAULT_PROFILE, *((visible(name), name) for name in known)]
        self.profile.value = chosen or ""

    def draw(self, contents: Contents) -> None:
        """Show `contents`: rows, status and what can be done next."""
        self._draw_place(contents)
        self._draw_rows(contents)
        kind = "error" if contents.state in ("denied", "error") else "text"
        listed = "" if contents.listed_at is None else f" Listed at {contents.listed_at.astimezone():%H:%M:%S}."
        self.status.value = text_html(status_text(contents) + listed, kind)
        searching = contents.question.is_search
        self.more.description = "Search on" if searching and contents.needs_request else "More"
        show(self.stop, contents.busy)
        show(self.back, contents.can_go_back)
        show(self.more, contents.can_go_forward and not contents.busy)

    def _draw_place(self, contents: Contents) -> None:
        question = contents.question
        self.address.value = place_text(question.where)
        self.filter.value = visible(question.needle or question.prefix)
        if question.is_filtered:
            self.mode.value = CONTAINS if question.needle else BEGINS
        self.files.disabled = self.path.disabled = question.where is None
        way = tuple(crumbs(question.where))
        if way == self._crumbs:
            return
        self._crumbs = way
        gone, self.crumbs.children = self.crumbs.children, tuple(map(self._crumb, _shortened(way)))
        route_freely(self.crumbs)
        for button in gone:
            discard(button)

    def _crumb(self, step: tuple[str, S3Uri | None]) -> Any:
        name, where = step
        button = _button(visible(name, most=40), tooltip=place_text(where) or "All buckets")
        button.on_click(lambda _: self.on_crumb(where))
        return button

    def on_crumb(self, where: S3Uri | None) -> None:
        """Go to a place; whoever uses the panel puts something here."""

    def _draw_rows(self, contents: Contents) -> None:
        header, labels = row_texts(contents.rows, contents.question.where)
        self.header.value = text_html(header, "header")
        if labels == self._labels:
            return
        # A search only adds rows: the one that is chosen stays chosen.
        kept = self.rows.index if labels[: len(self._labels)] == self._labels else None
        self._labels = labels
        with self.rows.hold_sync():
            self.rows.index = None  # or ipywidgets would choose the first row
            self.rows.options = [(label, number) for number, label in enumerate(labels)]
            if kept is not None and self.rows.index is None:
                self.rows.index = kept

    # ---- one object

    def draw_details(self, pairs: list[tuple[str, str]]) -> None:
        """Show what is known of the chosen row."""
        self.details.value = pairs_html(pairs) if pairs else ""

    def draw_preview(self, preview: Preview | None) -> None:
        """Show what an object begins with; None takes it away."""
        gone = self.preview.children
        self.preview.children = () if preview is None else tuple(self._looks(preview))
        for widget in gone:
            discard(widget)

    def _looks(self, preview: Preview) -> list[Any]:
        looks = [widgets.HTML(title_html(preview.title))]
        if preview.picture:
            looks.append(widgets.Image(value=preview.picture, format=preview.picture_format))
        if preview.pairs:
            looks.append(widgets.HTML(pairs_html(preview.pairs)))
        if preview.table:
            looks.append(widgets.HTML(table_html(preview.table)))
        if preview.text:
            looks.append(widgets.HTML(pre_html(preview.text)))
        return looks

    def offer(self, text: str, insert: str = "") -> None:
        """Show `text` to be copied, and `insert` beside it."""
        self.copied.value = text
        self.insert.value = insert
        show(self.copying, bool(text))

    # ---- what happens

    def say(self, text: str, kind: str = "done") -> None:
        """Show what came of the last action; ``error`` and ``note`` are other kinds."""
        self.message.value = text_html(text, kind)

    def show_job(self, row: Any) -> _Job:
        """Show the progress of something; for `WidgetDisplay`."""
        route_freely(row)
        self.jobs.children = (*self.jobs.children, row)
        return _Job(self.jobs, row)


class _Job:
    """What takes a row of progress away again."""

    def __init__(self, jobs: Any, row: Any) -> None:
        self._jobs = jobs
        self._row = row

    def update(self, bundle: Any, *, raw: bool) -> None:
        self._jobs.children = tuple(child for child in self._jobs.children if child is not self._row)


def _shortened(way: tuple[tuple[str, S3Uri | None], ...]) -> tuple[tuple[str, S3Uri | None], ...]:
    """Return `way`; the middle of a long one is one step, to the deepest place in it."""
    if len(way) <= _MOST_CRUMBS:
        return way
    left = 2
    right = _MOST_CRUMBS - left - 1
    return (*way[:left], ("…", way[-right - 1][1]), *way[-right:])
