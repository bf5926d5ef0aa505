//! What a session can be told once for all of its calls, and a call for itself.

use crate::support::{Alone, ms, trust};
use std::sync::Arc;
use waterclock::tls::{Roots, TlsSettings, TlsVersion as Version};
use waterclock::world::SocketOptions;
use waterclock::{
    Adapter, Call, Error, ErrorKind, Limit, Limits, PreparedRequest, Proxies, RedirectPolicy,
    Response, Retry, Session, SessionBuilder,
};
use waterclock_lab::{
    Authority, Identity, Proxy, Script, Server, Tls, TlsVersion, redirect, respond, respond_with,
};

fn builder() -> SessionBuilder {
    Session::builder().trust_env(false).limits(Limits::total(ms(20_000)))
}

fn plain() -> Server {
    Server::start(Script::default()).unwrap()
}

/// An adapter that gives its name.
struct Named(&'static str);

impl Adapter for Named {
    fn send(&self, request: &mut PreparedRequest, call: Call) -> Result<Response, Error> {
        Response::builder(request, call).body(self.0)
    }
}

#[test]
fn the_longest_prefix_in_any_case_serves() {
    let server = plain();
    let session = builder()
        .mount("https://api.test/", Arc::new(Named("api")))
        .mount("HTTPS://api.test/v2/", Arc::new(Named("v2")))
        .mount("https://", Arc::new(Named("first")))
        .mount("https://", Arc::new(Named("secure")))
        .mount("file:///srv/", Arc::new(Named("files")))
        .build()
        .unwrap();
    for (url, name) in [
        ("https://API.test/v2/x", "v2"),
        ("https://api.test/v3/x", "api"),
        ("https://api.test:444/", "secure"), // a mounted prefix takes the place of an earlier one
        ("file:///srv/x", "files"),
        (&*server.url("/"), "ok"), // HTTP is there from the beginning
    ] {
        assert_eq!(session.get(url).send().unwrap().text().unwrap(), name, "{url}");
    }
    for url in ["ftp://files.test/", "file:///etc/hosts"] {
        let error = session.get(url).send().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnsupportedScheme, "{error}");
    }
}

/// Two pools and two policies in one session, by prefix.
#[test]
fn the_adapter_for_http_may_be_mounted_with_settings_of_its_own() {
    let identity = Identity::new(&["localhost"]).unwrap();
    let server = Server::builder().tls(Tls::new(identity.clone())).start().unwrap();
    let url = |path: &str| server.url_for("localhost", path);
    let trusting = builder().tls(trust(identity.ca_pem())).build_adapter().unwrap();
    let session = builder().mount(&url("/own/"), trusting).build().unwrap();
    assert_eq!(session.get(url("/own/x")).send().unwrap().text().unwrap(), "ok");
    let error = session.get(url("/other")).send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Certificate, "{error}");
    assert!(builder().proxy("ftp://proxy.test").build_adapter().is_err());
}

#[test]
fn a_call_may_say_what_its_session_does_not() {
    let server = Server::start(Script::by_request(|request| match request.path() {
        "/moved" => redirect(302, "/to"),
        "/busy" if request.number == 0 => respond(503, "busy"),
        _ => respond(200, "there"),
    }))
    .unwrap();
    let session = builder().redirects(RedirectPolicy::none()).build().unwrap();
    let status = |request: waterclock::Request<'_>| request.send().unwrap().status();
    assert_eq!(status(session.get(server.url("/moved"))), 302);
    let follow = RedirectPolicy::default();
    assert_eq!(status(session.get(server.url("/moved")).redirects(follow)), 200);
    let error = session.get(server.url("/")).limits(Limits::total(ms(0))).send().unwrap_err();
    assert_eq!(error.limit(), Some(Limit::Total));
    assert_eq!(session.get(server.url("/")).total(ms(20_000)).send().unwrap().status(), 200);
}

#[test]
fn statuses_are_retried_where_the_policy_says_so() {
    let busy = |times: usize| {
        Server::start(Script::by_request(move |request| match request.number {
            number if number < times => respond_with(503, &[("Retry-After", "0")], "busy"),
            _ => respond(200, "there"),
        }))
        .unwrap()
    };
    // None is the default.
    let server = busy(1);
    assert_eq!(builder().build().unwrap().get(server.url("/")).send().unwrap().status(), 503);
    // The session's policy, and a request's in its place.
    let server = busy(2);
    let session = builder().retry(Retry::new(2).status_forcelist([503])).build().unwrap();
    let mut response = session.get(server.url("/")).send().unwrap();
    assert_eq!((response.status(), response.retries().len()), (200, 2));
    assert_eq!(response.text().unwrap(), "there");
    assert_eq!((server.requests().len(), server.connections()), (3, 1));
    let server = busy(1);
    let response = session.get(server.url("/")).retry(Retry::none()).send().unwrap();
    assert_eq!((response.status(), server.requests().len()), (503, 1));
    // What is not idempotent is not repeated for a status either.
    let server = busy(1);
    let response = session.post(server.url("/")).body("pay").send().unwrap();
    assert_eq!((response.status(), server.requests().len()), (503, 1));
}

#[test]
fn proxies_of_the_environment_are_used_if_it_is_trusted() {
    const NAME: &str = "knobs::proxies_of_the_environment_are_used_if_it_is_trusted";
    let Ok(origin) = std::env::var("WATERCLOCK_TEST_ORIGIN") else {
        let origin = plain();
        let proxy = Proxy::builder().route("there.test:80", origin.address()).start().unwrap();
        Alone::test(NAME)
            .env("WATERCLOCK_TEST_ORIGIN", origin.url("/"))
            .env("http_proxy", proxy.url())
            .env("no_proxy", "127.0.0.0/8")
            .run();
        assert_eq!(proxy.requests().len(), 1);
        return;
    };
    let session = |trust| Session::builder().trust_env(trust).build().unwrap();
    let get = |session: Session, url: &str| session.get(url).total(ms(20_000)).send();
    let response = get(session(true), "http://there.test/").unwrap();
    assert!(response.connection().unwrap().proxy.is_some());
    assert!(get(session(true), &origin).unwrap().connection().unwrap().proxy.is_none());
    let error = get(session(false), "http://there.test/").unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Resolve | ErrorKind::Timeout), "{error}");
    // Proxies that were given replace those of the environment.
    let session = Session::builder().proxies(Proxies::direct()).build().unwrap();
    let error = get(session, "http://there.test/").unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Resolve | ErrorKind::Timeout), "{error}");
}

#[test]
fn headers_for_the_proxy_are_not_for_the_origin() {
    let (origin, identity) = (plain(), Identity::new(&["there.test"]).unwrap());
    let trusted = trust(identity.ca_pem());
    let secure = Server::builder().tls(identity).start().unwrap();
    let proxy = Proxy::builder()
        .route("there.test:80", origin.address())
        .route("there.test:443", secure.address())
        .start()
        .unwrap();
    let session = builder()
        .proxy(&proxy.url())
        .proxy_header("X-Team", "blue")
        .proxy_header("Proxy-Authorization", "Bearer t")
        .header("X-Team", "for origins")
        .tls(trusted)
        .build()
        .unwrap();
    for url in ["http://there.test/", "https://there.test/"] {
        assert_eq!(session.get(url).send().unwrap().text().unwrap(), "ok");
    }
    for (got, method) in proxy.requests().iter().zip(["GET", "CONNECT"]) {
        assert_eq!(got.method, method);
        assert_eq!(got.header("x-team"), Some("blue"));
        assert_eq!(got.header("proxy-authorization"), Some("Bearer t"));
        let names: Vec<_> = got.headers.iter().map(|(name, _)| name.to_lowercase()).collect();
        assert_eq!(names.iter().filter(|name| *name == "x-team").count(), 1, "{names:?}");
    }
    assert_eq!(secure.requests()[0].header("x-team"), Some("for origins"));
    assert_eq!(secure.requests()[0].header("proxy-authorization"), None);
    // The credentials of the proxy's URL go first; without a proxy nothing of it is said.
    let named = proxy.url().replace("://", "://user:pass@");
    let session = builder().proxy_header("Proxy-Authorization", "Bearer t").proxy(&named);
    session.build().unwrap().get("http://there.test/").send().unwrap();
    let last = proxy.requests().pop().unwrap();
    assert_eq!(last.header("proxy-authorization"), Some("Basic dXNlcjpwYXNz"));
    builder().proxy_header("X-Team", "blue").build().unwrap().get(origin.url("/")).send().unwrap();
    assert_eq!(origin.requests().pop().unwrap().header("x-team"), None);
    let error = builder().proxy_header("X", "a\r\nb").build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
}

#[test]
fn tls_versions_can_be_bounded_from_both_sides() {
    for (spoken, name) in [(TlsVersion::V1_2, "TLS 1.2"), (TlsVersion::V1_3, "TLS 1.3")] {
        let identity = Identity::new(&["127.0.0.1"]).unwrap();
        let settings = trust(identity.ca_pem());
        let server = Server::builder().tls(Tls::new(identity).version(spoken)).start().unwrap();
        for (newest, fits) in [(Version::Tls12, spoken == TlsVersion::V1_2), (Version::Tls13, true)]
        {
            let settings = settings.to_builder().maximum_version(newest).build().unwrap();
            match builder().tls(settings).build().unwrap().get(server.url("/")).send() {
                Ok(response) => {
                    let version = &response.connection().unwrap().tls.as_ref().unwrap().version;
                    assert_eq!((&**version, fits), (name, true));
                }
                Err(error) => assert_eq!((error.kind(), fits), (ErrorKind::Tls, false), "{error}"),
            }
        }
    }
    let none =
        TlsSettings::builder().minimum_version(Version::Tls13).maximum_version(Version::Tls12);
    let error = none.build().unwrap_err();
    assert!(error.to_string().contains("older than the oldest") && error.hint().is_some());
}

#[test]
fn roots_come_from_a_file_a_directory_or_text() {
    let ca = Authority::new().unwrap();
    let server = Server::builder().tls(ca.issue(&["127.0.0.1"]).unwrap()).start().unwrap();
    let folder = std::env::temp_dir().join(format!("waterclock-knobs-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("root.pem");
    std::fs::write(&file, ca.pem()).unwrap();
    for roots in [
        Roots::pem_file(&file).unwrap(),
        Roots::pem_dir(&folder).unwrap(),
        Roots::pem(ca.pem().as_bytes()).unwrap(),
    ] {
        let tls = TlsSettings::builder().roots(roots).build().unwrap();
        let session = builder().tls(tls).build().unwrap();
        assert_eq!(session.get(server.url("/")).send().unwrap().text().unwrap(), "ok");
    }
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(Roots::pem_file(&file).unwrap_err().to_string().contains("root.pem"));
}

#[test]
fn sockets_are_set_up_as_the_session_says() {
    let server = plain();
    let local = "127.0.0.77".parse().unwrap();
    let socket =
        SocketOptions { nodelay: false, keepalive: Some(ms(60_000)), local_address: Some(local) };
    let session = builder().socket(socket).build().unwrap();
    let response = session.get(server.url("/")).send().unwrap();
    let from = response.connection().unwrap().local_address.unwrap();
    // Keepalive shows in the kernel's list as a timer of kind 2; elsewhere there is no such list.
    if cfg!(target_os = "linux") {
        assert_eq!(from.ip(), local);
        let sockets = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let name = format!("4D00007F:{:04X}", from.port());
        let columns =
            |line: &str| -> Vec<_> { line.split_ascii_whitespace().map(str::to_owned).collect() };
        let ours = sockets.lines().map(columns).find(|columns| columns[1] == name).unwrap();
        assert!(ours[5].starts_with("02:"), "{ours:?}");
    }
}

#[test]
fn a_session_is_shared_by_its_clones() {
    let server =
        Server::start(Script::every_request(respond_with(200, &[("Set-Cookie", "id=7")], "there")))
            .unwrap();
    let session = builder().header("X-Mine", "1").build().unwrap();
    let copy = session.clone();
    session.get(server.url("/")).send().unwrap().text().unwrap();
    let url = server.url("/");
    std::thread::spawn(move || copy.get(url).send().unwrap().text().unwrap()).join().unwrap();
    let second = server.requests().pop().unwrap();
    assert_eq!((second.header("x-mine"), second.header("cookie")), (Some("1"), Some("id=7")));
    // The connection too, until the session is told to close what is idle; it can be used on.
    assert_eq!(server.connections(), 1);
    session.close();
    session.get(server.url("/")).send().unwrap();
    assert_eq!(server.connections(), 2);
}
