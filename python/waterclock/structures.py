"""Two kinds of mapping: header fields, and names of status codes."""

from __future__ import annotations

from ._lazy import Lazy, missing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections import OrderedDict as OrderedDict
    from collections.abc import Iterable, Iterator, Mapping, MutableMapping
    from typing import Any, TypeVar, overload

    from ._engine import Reply

    _VT = TypeVar("_VT")
    _D = TypeVar("_D")
else:
    # The same classes from where collections has them: importing that takes longer than a request.
    from _collections import OrderedDict
    from _collections_abc import Iterable, Iterator, Mapping, MutableMapping

    # Importing typing takes longer than everything else here. At run time a subscript only has to
    # yield an alias of the same class.
    _VT = object()


class CaseInsensitiveDict(MutableMapping[str, _VT]):
    """A mapping whose keys are strings compared without regard to case.

    Iterating gives each key as it was last set:

    >>> fields = CaseInsensitiveDict({"Accept": "text/html"})
    >>> fields["aCCEPT"] = "*/*"
    >>> list(fields.items())
    [('aCCEPT', '*/*')]

    Keys of one argument that differ only in case are the caller's mistake; one of them wins.
    """

    #: The reply that has the fields, until somebody wants all of them.
    _source: Reply | None = None

    if TYPE_CHECKING:
        # lower-case name -> (name as set, value). The engine reads it without asking us.
        _store: dict[str, tuple[str, _VT]]
    else:

        @Lazy
        def _store(self) -> dict[str, tuple[str, _VT]]:
            own = self.__dict__
            source = self._source
            if source is not None:
                own.setdefault("_store", source.header_store())
                # Not before: another thread needs one or the other.
                own.pop("_source", None)
            elif "_store" not in own:
                raise missing(self, "_store")
            return own["_store"]

    def __init__(
        self,
        data: Mapping[str, _VT] | Iterable[tuple[str, _VT]] | None = None,
        **kwargs: _VT,
    ) -> None:
        self._store = OrderedDict()
        if kwargs or type(self) is not CaseInsensitiveDict:
            self.update({} if data is None else data, **kwargs)
        elif type(data) is dict:
            # The ordinary case, without a call for each item.
            store = self._store
            for key, value in data.items():
                store[key.lower()] = (key, value)
        elif data is not None:
            self.update(data)

    def __getstate__(self) -> dict[str, Any]:
        state = {**self.__dict__, "_store": self._store}
        state.pop("_source", None)
        return state

    def __setitem__(self, key: str, value: _VT) -> None:
        self._store[key.lower()] = (key, value)

    def __getitem__(self, key: str) -> _VT:
        source = self._source
        # The engine compares names without regard to case; what is no string has no `lower`.
        value: Any = None if source is None else source.header(key)
        return self._store[key.lower()][1] if value is None else value

    def __delitem__(self, key: str) -> None:
        del self._store[key.lower()]

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._store.values())

    def __len__(self) -> int:
        return len(self._store)

    def lower_items(self) -> Iterator[tuple[str, _VT]]:
        """Like `items()`, with the keys in lower case."""
        return ((lowered, value) for lowered, (_, value) in self._store.items())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mapping):
            return NotImplemented
        theirs: CaseInsensitiveDict[Any] = CaseInsensitiveDict(other)
        return dict(self.lower_items()) == dict(theirs.lower_items())

    def copy(self) -> CaseInsensitiveDict[_VT]:
        """Return a new mapping with the same items."""
        return CaseInsensitiveDict(self._store.values())

    def __repr__(self) -> str:
        return str(dict(self.items()))


def of_reply(reply: Reply) -> CaseInsensitiveDict[str]:
    """Make the header fields of a response; most are never looked at but for one or two."""
    made: CaseInsensitiveDict[str] = object.__new__(CaseInsensitiveDict)
    made._source = reply
    return made


class LookupDict(dict[str, _VT]):
    """A dictionary over its own attributes; what is missing is None.

    `codes["ok"]` and `codes.ok` are the same, `codes["nothing"]` is None, and `codes.nothing` is an
    AttributeError. The dictionary proper stays empty.
    """

    name: Any

    def __init__(self, name: Any = None) -> None:
        self.name = name
        super().__init__()

    def __repr__(self) -> str:
        return f"<lookup '{self.name}'>"

    def __getattr__(self, key: str) -> _VT:
        # Only asked for what is not there; written down for type checkers.
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {key!r}")

    def __getitem__(self, key: str) -> _VT | None:  # type: ignore[override]
        return self.__dict__.get(key)

    if TYPE_CHECKING:

        @overload
        def get(self, key: str, default: None = None) -> _VT | None: ...

        @overload
        def get(self, key: str, default: _D | _VT) -> _D | _VT: ...

    def get(self, key: str, default: _D | _VT | None = None) -> _VT | _D | None:
        return self.__dict__.get(key, default)
