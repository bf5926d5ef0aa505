"""Types of arguments. Private: programs should not import them.

Nothing of the package imports this module when it runs, because typing is slow to import.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar, runtime_checkable

_T_co = TypeVar("_T_co", covariant=True)
_KT_co = TypeVar("_KT_co", covariant=True)
_VT_co = TypeVar("_VT_co", covariant=True)


@runtime_checkable
class SupportsRead(Protocol[_T_co]):
    """A file, or what can be read like one."""

    def read(self, length: int = ..., /) -> _T_co: ...


@runtime_checkable
class SupportsItems(Protocol[_KT_co, _VT_co]):
    """A mapping, or what gives its items like one."""

    def items(self) -> Iterable[tuple[_KT_co, _VT_co]]: ...


HookType: TypeAlias = Callable[["Response"], Any]
HooksInputType: TypeAlias = Mapping[str, Iterable[HookType] | HookType]


def is_prepared(request: PreparedRequest) -> TypeIs[_ValidatedRequest]:
    """Tell a type checker that method and URL are there; true whenever the program runs."""
    if TYPE_CHECKING:
        return request.method is not None and request.url is not None
    return True


if TYPE_CHECKING:
    from http.cookiejar import CookieJar
    from typing import TypedDict

    from typing_extensions import Buffer, TypeIs
    from urllib3.util import Timeout as Urllib3Timeout

    from ._engine import Limits
    from .auth import AuthBase
    from .cookies import RequestsCookieJar
    from .models import PreparedRequest, Response
    from .structures import CaseInsensitiveDict

    class _ValidatedRequest(PreparedRequest):
        """A prepared request that has a method and a URL."""

        method: str  # pyright: ignore[reportIncompatibleVariableOverride]
        url: str  # pyright: ignore[reportIncompatibleVariableOverride]

    UriType: TypeAlias = str | bytes

    _Scalar: TypeAlias = str | bytes | int | float
    _ParamsMappingKeyType: TypeAlias = _Scalar
    _ParamsMappingValueType: TypeAlias = _Scalar | Iterable[_Scalar] | None
    _ParamsPair: TypeAlias = tuple[_ParamsMappingKeyType, _ParamsMappingValueType]
    ParamsType: TypeAlias = (
        SupportsItems[_ParamsMappingKeyType, _ParamsMappingValueType]
        | tuple[_ParamsPair, ...]
        | Iterable[_ParamsPair]
        | str
        | bytes
        | None
    )

    KVDataType: TypeAlias = Iterable[tuple[Any, Any]] | SupportsItems[Any, Any]
    RawDataType: TypeAlias = KVDataType | str | bytes
    StreamDataType: TypeAlias = SupportsRead[str | bytes]
    EncodableDataType: TypeAlias = RawDataType | StreamDataType
    BodyType: TypeAlias = bytes | str | Iterable[bytes | str] | SupportsRead[bytes | str] | None
    DataType: TypeAlias = KVDataType | BodyType | Buffer

    HeadersType: TypeAlias = Mapping[str, str | bytes] | None
    CookiesType: TypeAlias = RequestsCookieJar | Mapping[str, str]

    _FileName: TypeAlias = str | None
    _FileContent: TypeAlias = SupportsRead[str | bytes] | str | bytes
    _FileSpecBasic: TypeAlias = tuple[_FileName, _FileContent]
    _FileSpecWithContentType: TypeAlias = tuple[_FileName, _FileContent, str]
    _FileSpecWithHeaders: TypeAlias = tuple[
        _FileName, _FileContent, str, CaseInsensitiveDict[str] | Mapping[str, str]
    ]
    _FileSpec: TypeAlias = (
        _FileContent | _FileSpecBasic | _FileSpecWithContentType | _FileSpecWithHeaders
    )
    FilesType: TypeAlias = Mapping[str, _FileSpec] | Iterable[tuple[str, _FileSpec]] | None

    AuthType: TypeAlias = (
        tuple[str, str] | AuthBase | Callable[[PreparedRequest], PreparedRequest] | None
    )
    TimeoutType: TypeAlias = (
        float | tuple[float | None, float | None] | Urllib3Timeout | Limits | None
    )
    ProxiesType: TypeAlias = MutableMapping[str, str]
    HooksType: TypeAlias = dict[str, list[HookType]] | None
    VerifyType: TypeAlias = bool | str
    CertType: TypeAlias = str | tuple[str, str] | None
    JsonType: TypeAlias = (
        None | bool | int | float | str | Sequence["JsonType"] | Mapping[str, "JsonType"]
    )

    class BaseRequestKwargs(TypedDict, total=False):
        """What every function of `api` takes."""

        headers: HeadersType
        cookies: RequestsCookieJar | CookieJar | dict[str, str] | None
        files: FilesType
        auth: AuthType
        timeout: TimeoutType
        allow_redirects: bool
        proxies: dict[str, str] | None
        hooks: HooksInputType | None
        stream: bool | None
        verify: VerifyType | None
        cert: CertType

    class RequestKwargs(BaseRequestKwargs, total=False):
        """For request, options, head and delete."""

        params: ParamsType
        data: DataType
        json: JsonType

    class GetKwargs(BaseRequestKwargs, total=False):
        """For get, which names params."""

        data: DataType
        json: JsonType

    class PostKwargs(BaseRequestKwargs, total=False):
        """For post, which names data and json."""

        params: ParamsType

    class DataKwargs(BaseRequestKwargs, total=False):
        """For put and patch, which name data."""

        params: ParamsType
        json: JsonType
