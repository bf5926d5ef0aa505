"""How parameters, forms and files become text, and how hooks are registered."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from . import models as _models

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, overload

    from . import _types as _t


class RequestEncodingMixin:
    """Encodes what a caller gives as `params=`, `data=` and `files=`."""

    __module__ = "waterclock.models"

    url: str | None

    @property
    def path_url(self) -> str:
        """Path and query of the URL: what stands in the request line when no proxy is asked."""
        url: Any = self.url
        parts = _models.urlsplit(url)
        path: str = parts.path or "/"
        return f"{path}?{parts.query}" if parts.query else path

    if TYPE_CHECKING:

        @overload
        @staticmethod
        def _encode_params(data: str) -> str: ...

        @overload
        @staticmethod
        def _encode_params(data: bytes) -> bytes: ...

        @overload
        @staticmethod
        def _encode_params(
            data: _t.SupportsRead[str | bytes],
        ) -> _t.SupportsRead[str | bytes]: ...

        @overload
        @staticmethod
        def _encode_params(data: _t.KVDataType) -> str: ...

    @staticmethod
    def _encode_params(data: _t.EncodableDataType) -> str | bytes | _t.SupportsRead[str | bytes]:
        """Encode a mapping or pairs as a form; what is text, bytes or a file stays as it is.

        A value that is a list gives its name once for each item; items that are None give nothing.
        """
        if isinstance(data, (str, bytes)) or hasattr(data, "read"):
            return data  # type: ignore[return-value]
        if not hasattr(data, "__iter__"):
            return data  # type: ignore[return-value]
        given: Any = data
        pairs: list[tuple[Any, Any]] = []
        for name, values in _models.to_key_val_list(given):
            if isinstance(values, (str, bytes)) or not hasattr(values, "__iter__"):
                values = (values,)
            for value in values:
                if value is not None:
                    pairs.append((_utf8(name), _utf8(value)))
        encoded: str = _models.urlencode(pairs, doseq=True)
        return encoded

    @staticmethod
    def _encode_files(files: _t.FilesType, data: _t.RawDataType | None) -> tuple[bytes, str]:
        """Build a multipart/form-data body: the fields of `data`, then the files.

        Each file is a pair of field name and either contents or `(filename, contents)`,
        `(filename, contents, type)`, `(filename, contents, type, headers)`.
        """
        if not files:
            raise ValueError("Files must be provided.")
        if isinstance(data, (str, bytes)):
            raise ValueError("Data must not be a string.")  # noqa: TRY004 - as in requests

        fields: list[Any] = []
        for name, values in _models.to_key_val_list(data or {}):
            if isinstance(values, (str, bytes)) or not hasattr(values, "__iter__"):
                values = (values,)
            for value in values:
                if value is not None:
                    if not isinstance(value, bytes):
                        value = str(value).encode("utf-8")
                    fields.append(
                        (name.decode("utf-8") if isinstance(name, bytes) else name, value)
                    )

        for name, given in _models.to_key_val_list(files):
            content_type = headers = None
            if isinstance(given, (tuple, list)):
                if len(given) == 2:
                    filename, source = given
                elif len(given) == 3:
                    filename, source, content_type = given
                else:
                    filename, source, content_type, headers = given
            else:
                source = given
                filename = _models.guess_filename(given) or name
            if source is None:
                continue
            contents: Any = source
            if not isinstance(source, (str, bytes, bytearray)) and hasattr(source, "read"):
                contents = contents.read()
            field = _models.RequestField(
                name=name, data=contents, filename=filename, headers=headers
            )
            field.make_multipart(content_type=content_type)
            fields.append(field)

        body: bytes
        body, content_type = _models.encode_multipart_formdata(fields)
        return body, content_type


def _utf8(value: Any) -> Any:
    return value.encode("utf-8") if isinstance(value, str) else value


class RequestHooksMixin:
    """Keeps the functions that are to see the response."""

    __module__ = "waterclock.models"

    hooks: dict[str, list[_t.HookType]]

    def register_hook(self, event: str, hook: Iterable[_t.HookType] | _t.HookType) -> None:
        """Add a hook, or several, to those that are called on `event`."""
        if event not in self.hooks:
            raise ValueError(f'Unsupported event specified, with event name "{event}"')
        if isinstance(hook, Callable):  # type: ignore[arg-type]
            self.hooks[event].append(hook)  # type: ignore[arg-type]
        elif hasattr(hook, "__iter__"):
            self.hooks[event].extend(one for one in hook if isinstance(one, Callable))  # type: ignore[arg-type]

    def deregister_hook(self, event: str, hook: _t.HookType) -> bool:
        """Take a hook away again; False if it was not there."""
        try:
            self.hooks[event].remove(hook)
        except ValueError:
            return False
        return True
