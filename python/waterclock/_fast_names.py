"""Names of all that is on the way of an ordinary request, for `_fast_guard` to look at."""

from __future__ import annotations

# What the long way calls for each request, and the short way does not. Methods that only a redirect, a proxy or a URL
# that is not ASCII needs are called on both ways, and `request` itself has been called already.
SESSION_METHODS = (
    "send",
    "prepare_request",
    "merge_environment_settings",
    "get_adapter",
    "resolve_redirects",
    "get_redirect_target",
)
# Attributes that the short way reads from the instance: a class must not have anything of that name.
SESSION_ATTRIBUTES = (
    "headers",
    "auth",
    "proxies",
    "hooks",
    "params",
    "stream",
    "verify",
    "cert",
    "max_redirects",
    "trust_env",
    "cookies",
    "adapters",
)
PREPARED_METHODS = (
    "__init__",
    "prepare",
    "prepare_method",
    "prepare_url",
    "prepare_headers",
    "prepare_cookies",
    "prepare_body",
    "prepare_content_length",
    "prepare_auth",
    "prepare_hooks",
    "_encode_params",
)
ADAPTER_METHODS = (
    "send",
    "build_response",
    "init_poolmanager",
    "cert_verify",
    "get_connection_with_tls_context",
    "build_connection_pool_key_attributes",
    "request_url",
    "add_headers",
)
# Names that the long way looks up in modules for each request.
GLOBALS: dict[str, tuple[str, ...]] = {
    "sessions": (
        "PreparedRequest",
        "Request",
        "Session",
        "HTTPAdapter",
        "CaseInsensitiveDict",
        "RequestsCookieJar",
        "cookielib",
        "merge_setting",
        "merge_hooks",
        "merge_cookies",
        "cookiejar_from_dict",
        "get_netrc_auth",
        "get_environ_proxies",
        "should_bypass_proxies",
        "resolve_proxies",
        "dispatch_hook",
        "extract_cookies_to_jar",
        "to_key_val_list",
        "preferred_clock",
        "timedelta",
    ),
    "models": (
        "CaseInsensitiveDict",
        "HTTPBasicAuth",
        "PreparedRequest",
        "RequestEncodingMixin",
        "Response",
        "check_header_validity",
        "complexjson",
        "cookiejar_from_dict",
        "cookielib",
        "default_hooks",
        "get_auth_from_url",
        "get_cookie_header",
        "parse_url",
        "requote_uri",
        "super_len",
        "to_key_val_list",
        "to_native_string",
        "unicode_is_ascii",
        "urlencode",
        "urlunparse",
    ),
    "utils": (
        "get_netrc_auth",
        "get_environ_proxies",
        "getproxies",
        "getproxies_environment",
        "proxy_bypass",
        "proxy_bypass_environment",
        "select_proxy",
        "should_bypass_proxies",
    ),
    "adapters": (
        "HTTPAdapter",
        "PoolManager",
        "Response",
        "TimeoutSauce",
        "select_proxy",
    ),
    "_prepared": (),
    "auth": ("HTTPBasicAuth", "_basic_auth_str", "b64encode"),
    "cookies": ("MockRequest", "RequestsCookieJar", "cookielib", "create_cookie"),
}
# Methods of classes that are looked at once their modules are there; none of them comes from requests alone.
LATER_METHODS = {
    ("waterclock._prepared", "PreparedRequest"): PREPARED_METHODS,
    ("waterclock._prepared", "Request"): ("__init__",),
    ("waterclock.cookies", "RequestsCookieJar"): ("update", "add_cookie_header"),
}
# The same, of what is called only if there are cookies or credentials.
EXTRA_METHODS = {
    ("waterclock.auth", "HTTPBasicAuth"): ("__init__", "__call__"),
    ("waterclock.cookies", "RequestsCookieJar"): ("set_cookie",),
    ("http.cookiejar", "DefaultCookiePolicy"): ("domain_return_ok", "path_return_ok", "return_ok"),
    ("http.cookiejar", "Cookie"): ("is_expired",),
}
LATER = ("waterclock._prepared", "waterclock.auth", "waterclock.cookies", "http.cookiejar")
