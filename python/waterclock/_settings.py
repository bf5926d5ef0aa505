"""What a request's settings and its session's come to."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

from . import sessions as _sessions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from . import _types as _t


def merge_setting(
    request_setting: Any, session_setting: Any, dict_class: type = OrderedDict
) -> Any:
    """Return the request's setting or, if it has none, the session's; of two mappings, both.

    Where both have a key the request's value counts, and None takes the key away.
    """
    if session_setting is None:
        return request_setting
    if request_setting is None:
        return session_setting
    if type(request_setting) is bool:
        # The most frequent one that is no mapping, which takes long to find out in general.
        return request_setting
    if type(request_setting) is dict and type(session_setting) is dict:
        if not request_setting and not session_setting:
            return dict_class()
    elif not (isinstance(session_setting, Mapping) and isinstance(request_setting, Mapping)):
        return request_setting
    fields = _sessions.CaseInsensitiveDict
    if dict_class is fields and type(session_setting) is fields:
        merged: Any = fields()
        # The items of the session's mapping, without folding each name again.
        merged._store.update(session_setting._store)
        if type(request_setting) is dict:
            for name, value in request_setting.items():
                merged[name] = value
            return _without_none(merged)
    else:
        merged = dict_class(_sessions.to_key_val_list(session_setting))
    if request_setting:
        merged.update(_sessions.to_key_val_list(request_setting))
    return _without_none(merged)


def _without_none(merged: Any) -> Any:
    is_ours = type(merged) is _sessions.CaseInsensitiveDict
    items = merged._store.values() if is_ours else merged.items()
    for key in [key for key, value in items if value is None]:
        del merged[key]
    return merged


def merge_hooks(
    request_hooks: _t.HooksType, session_hooks: _t.HooksType, dict_class: type = OrderedDict
) -> _t.HooksType:
    """Merge the hooks of request and session; a side without a response hook does not count."""
    if session_hooks is None or session_hooks.get("response") == []:
        return request_hooks
    if request_hooks is None or request_hooks.get("response") == []:
        return session_hooks
    merged: _t.HooksType = _sessions.merge_setting(request_hooks, session_hooks, dict_class)
    return merged
