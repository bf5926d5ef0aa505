"""Mappings and lists of pairs, made of one another."""

from __future__ import annotations

from collections import OrderedDict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from http.cookiejar import CookieJar
    from typing import Any, TypeVar, overload

    from . import _types as _t

    _KT = TypeVar("_KT")
    _VT = TypeVar("_VT")


def dict_to_sequence(
    d: _t.SupportsItems[Any, Any] | Iterable[tuple[Any, Any]],
) -> Iterable[tuple[Any, Any]]:
    """Return the items of a mapping; anything else is taken to be items already."""
    items = getattr(d, "items", None)
    return items() if callable(items) else d  # type: ignore[return-value]


def _refuse_scalars(value: Any) -> None:
    if isinstance(value, (str, bytes, int)):
        raise ValueError("cannot encode objects that are not 2-tuples")  # noqa: TRY004


def from_key_val_list(
    value: Mapping[Any, Any] | Iterable[tuple[Any, Any]] | None,
) -> dict[Any, Any] | None:
    """Make an ordered mapping of a mapping or of pairs; None stays None."""
    if value is None:
        return None
    _refuse_scalars(value)
    return OrderedDict(value)


if TYPE_CHECKING:

    @overload
    def to_key_val_list(value: None) -> None: ...

    @overload
    def to_key_val_list(
        value: _t.SupportsItems[_KT, _VT] | Iterable[tuple[_KT, _VT]],
    ) -> list[tuple[_KT, _VT]]: ...


def to_key_val_list(
    value: _t.SupportsItems[_KT, _VT] | Iterable[tuple[_KT, _VT]] | None,
) -> list[tuple[_KT, _VT]] | None:
    """Make a list of pairs of a mapping or of pairs; None stays None."""
    if value is None:
        return None
    _refuse_scalars(value)
    return list(dict_to_sequence(value))


def dict_from_cookiejar(cj: CookieJar) -> dict[str, str | None]:
    """Return names and values of the cookies in a jar; of two with one name, the last one."""
    return {cookie.name: cookie.value for cookie in cj}


def add_dict_to_cookiejar(cj: CookieJar, cookie_dict: dict[str, str]) -> CookieJar:
    """Put cookies with these names and values into a jar, and return the jar."""
    from . import utils

    return utils.cookiejar_from_dict(cookie_dict, cj)
