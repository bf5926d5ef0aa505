"""An HTTP client with exact deadlines, in the place of requests.

    import waterclock as requests

    reply = requests.get("https://example.org/", timeout=0.5)
    print(reply.status_code, reply.explain())

Every name of requests is here and means the same. On top there are `Limits`, accepted wherever
`timeout=` is, `deadline(seconds)` for whatever runs inside a `with` block, `timeline` and
`explain()` on responses and exceptions, `capture()` for packets, and two ways in for programs that say
`import requests`: `install()` and `patch_requests()`.

Importing this costs next to nothing: a name is looked for when somebody asks for it.
"""

from __future__ import annotations

# Eager, because importing the module `__version__` later would put it in the string's place.
from .__version__ import __author__ as __author__
from .__version__ import __author_email__ as __author_email__
from .__version__ import __build__ as __build__
from .__version__ import __cake__ as __cake__
from .__version__ import __copyright__ as __copyright__
from .__version__ import __description__ as __description__
from .__version__ import __license__ as __license__
from .__version__ import __title__ as __title__
from .__version__ import __url__ as __url__
from .__version__ import __version__ as __version__
from .__version__ import __waterclock_version__ as __waterclock_version__
from ._lazy import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import _internal_utils as _internal_utils
    from . import _types as _types
    from . import adapters as adapters
    from . import api as api
    from . import auth as auth
    from . import certs as certs
    from . import compat as compat
    from . import cookies as cookies
    from . import exceptions as exceptions
    from . import help as help
    from . import hooks as hooks
    from . import models as models
    from . import packages as packages
    from . import sessions as sessions
    from . import status_codes as status_codes
    from . import structures as structures
    from . import utils as utils
    from ._capture import capture as capture
    from ._compatibility import chardet_version as chardet_version
    from ._compatibility import charset_normalizer_version as charset_normalizer_version
    from ._compatibility import check_compatibility as check_compatibility
    from ._deadline import deadline as deadline
    from ._engine import Limits as Limits
    from ._install import install as install
    from ._install import uninstall as uninstall
    from ._patch import patch_requests as patch_requests
    from ._patch import unpatch_requests as unpatch_requests
    from .api import delete, get, head, options, patch, post, put, request
    from .exceptions import (
        ConnectionError,
        ConnectTimeout,
        HTTPError,
        JSONDecodeError,
        ReadTimeout,
        RequestException,
        Timeout,
        TooManyRedirects,
        URLRequired,
    )
    from .exceptions import FileModeWarning as FileModeWarning
    from .exceptions import RequestsDependencyWarning as RequestsDependencyWarning
    from .models import PreparedRequest, Request, Response
    from .sessions import Session, session
    from .status_codes import codes

__all__ = (
    "ConnectTimeout",
    "ConnectionError",
    "HTTPError",
    "JSONDecodeError",
    "PreparedRequest",
    "ReadTimeout",
    "Request",
    "RequestException",
    "Response",
    "Session",
    "Timeout",
    "TooManyRedirects",
    "URLRequired",
    "codes",
    "delete",
    "get",
    "head",
    "options",
    "packages",
    "patch",
    "post",
    "put",
    "request",
    "session",
    "utils",
)

if not TYPE_CHECKING:
    __getattr__, __dir__ = attach(
        globals(),
        {
            "_internal_utils": "._internal_utils",
            "_types": "._types",
            "adapters": ".adapters",
            "api": ".api",
            "auth": ".auth",
            "certs": ".certs",
            "compat": ".compat",
            "cookies": ".cookies",
            "exceptions": ".exceptions",
            "help": ".help",
            "hooks": ".hooks",
            "logging": "logging",
            "models": ".models",
            "packages": ".packages",
            "sessions": ".sessions",
            "ssl": "ssl",
            "status_codes": ".status_codes",
            "structures": ".structures",
            "urllib3": "urllib3",
            "utils": ".utils",
            "warnings": "warnings",
        },
        {
            ".api": "delete get head options patch post put request",
            ".exceptions": "ConnectTimeout ConnectionError FileModeWarning HTTPError JSONDecodeError ReadTimeout"
            " RequestException RequestsDependencyWarning Timeout TooManyRedirects URLRequired",
            ".models": "PreparedRequest Request Response",
            ".sessions": "Session session",
            ".status_codes": "codes",
            "._capture": "capture",
            "._compatibility": "_check_cryptography chardet_version charset_normalizer_version check_compatibility",
            "._deadline": "deadline",
            "._engine": "Limits",
            "._install": "install uninstall",
            "._patch": "patch_requests unpatch_requests",
            "logging": "NullHandler",
            "urllib3.exceptions": "DependencyWarning",
        },
    )
