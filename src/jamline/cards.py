"""What a value looks like in a notebook: a small table, in HTML that needs no style of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape


def card(title: str, rows: Iterable[tuple[str, object]]) -> str:
    """Return a table of names and values under a title.

    Parameters
    ----------
    title : str
        What it is.
    rows : iterable of (str, object)
        Names and what stands beside them; whatever they hold stays text.

    Examples
    --------
    >>> card("Road <1>", [("length", "2 km")])
    '<table><caption>Road &lt;1&gt;</caption><tr><th>length</th><td>2 km</td></tr></table>'
    """
    body = "".join(f"<tr><th>{escape(name)}</th><td>{escape(str(value))}</td></tr>" for name, value in rows)
    return f"<table><caption>{escape(title)}</caption>{body}</table>"


def grid(title: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table with a head under a title.

    Parameters
    ----------
    title : str
        What it is.
    head : sequence of str
        Names of the columns.
    rows : iterable of sequence
        What stands in them.
    """
    names = "".join(f"<th>{escape(name)}</th>" for name in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(str(each))}</td>" for each in row) + "</tr>" for row in rows)
    return f"<table><caption>{escape(title)}</caption><tr>{names}</tr>{body}</table>"
