//! What belongs to an origin stays there when a redirect leads to another, and does not come back.

use crate::redirects::{named, redirecting};
use crate::support::trust_authority;
use waterclock::tls::ClientIdentity;
use waterclock::{Auth, ErrorKind, RedirectPolicy, Retry, Session, SessionBuilder};
use waterclock_lab::{
    Authority, ReceivedRequest, Script, Server, Tls, redirect, respond, respond_with,
};

/// What is not to be told to another origin. The last one is for proxies, and no origin gets it
/// (CVE-2024-37891).
const SECRETS: [&str; 3] = ["authorization", "cookie", "proxy-authorization"];

/// A secure origin, a plain one that it redirects to, which redirects back.
struct ThereAndBack {
    ca: Authority,
    secure: Server,
    plain: Server,
}

impl ThereAndBack {
    fn new(wants_certificate: bool) -> Self {
        let ca = Authority::new().unwrap();
        // Each has to know the other's port.
        let back = std::sync::Arc::new(std::sync::OnceLock::<String>::new());
        let target = back.clone();
        let plain = Script::by_request(move |request| match request.path() {
            "/there" => redirect(302, target.get().unwrap()),
            _ => respond(200, ""),
        });
        let plain = Server::start(plain).unwrap();
        let there = plain.url_for("one.test", "/there");
        let tls = Tls::new(ca.issue(&["one.test"]).unwrap());
        let tls = if wants_certificate { tls.require_client_certificate(&ca) } else { tls };
        let script = Script::by_request(move |request| match request.path() {
            "/start" => {
                respond_with(302, &[("Location", &there), ("Set-Cookie", "jar=1; Secure")], "")
            }
            "/within" => redirect(302, "/end"),
            _ => respond(200, ""),
        });
        let secure = Server::builder().tls(tls).script(script).start().unwrap();
        back.set(secure.url_for("one.test", "/back")).unwrap();
        ThereAndBack { ca, secure, plain }
    }

    fn builder(&self) -> SessionBuilder {
        let builder = Session::builder().tls(trust_authority(&self.ca));
        named(builder, [("one.test", &self.secure), ("one.test", &self.plain)])
    }

    fn url(&self, path: &str) -> String {
        self.secure.url_for("one.test", path)
    }
}

fn secrets(request: &ReceivedRequest) -> Vec<&str> {
    SECRETS.into_iter().filter(|name| request.header(name).is_some()).collect()
}

#[test]
fn credentials_stay_at_their_origin_and_do_not_come_back() {
    let world = ThereAndBack::new(false);
    let session = world.builder().build().unwrap();
    let request = session
        .get(world.url("/start"))
        .header("Authorization", "Bearer secret")
        .header("Cookie", "own=secret")
        .header("Proxy-Authorization", "Basic secret")
        .header("Host", "virtual.test")
        .header("X-Kept", "yes");
    request.send().unwrap();
    let (secure, plain) = (world.secure.requests(), world.plain.requests());
    // Proxy-Authorization is for proxies, and no origin gets it (CVE-2024-37891).
    assert_eq!(secrets(&secure[0]), ["authorization", "cookie"]);
    assert_eq!(secrets(&plain[0]), [""; 0]);
    // The session's own cookie is another matter: its jar decides about each hop.
    assert_eq!(secrets(&secure[1]), ["cookie"]);
    assert_eq!(secure[1].header("cookie"), Some("jar=1"));
    assert_eq!(secure[0].header("host"), Some("virtual.test"));
    assert!(plain[0].header("host").unwrap().starts_with("one.test:"));
    assert!(secure[1].header("host").unwrap().starts_with("one.test:"));
    for got in [&secure[0], &secure[1], &plain[0]] {
        assert_eq!(got.header("x-kept"), Some("yes"));
    }
    // Within the origin they stay, but for a Cookie that was set by hand: the jar decides.
    let request = session
        .get(world.url("/within"))
        .header("Authorization", "Bearer secret")
        .cookie("own", "secret");
    request.send().unwrap();
    let end = world.secure.requests().pop().unwrap();
    assert_eq!((&*end.target, end.header("authorization")), ("/end", Some("Bearer secret")));
    assert_eq!(end.header("cookie"), Some("jar=1; own=secret"));
}

#[test]
fn credentials_of_the_session_stay_at_their_origin_too() {
    let world = ThereAndBack::new(false);
    let builder = world
        .builder()
        .header("Authorization", "Bearer default")
        .header("Cookie", "default=secret")
        .header("X-Api-Key", "secret")
        .retry(Retry::none().remove_headers_on_redirect(["X-Api-Key"]));
    let session = builder.build().unwrap();
    session.get(world.url("/start")).send().unwrap();
    let (secure, plain) = (world.secure.requests(), world.plain.requests());
    assert_eq!(secrets(&secure[0]), ["authorization", "cookie"]);
    assert_eq!(secure[0].header("x-api-key"), Some("secret"));
    for got in [&plain[0], &secure[1]] {
        assert_eq!(got.header("authorization"), None);
        assert_eq!(got.header("x-api-key"), None);
    }
    assert_eq!(plain[0].header("cookie"), None);
    // The next call has them again: what was left out was that call's.
    session.get(world.url("/")).send().unwrap();
    assert_eq!(world.secure.requests()[2].header("authorization"), Some("Bearer default"));
}

#[test]
fn ways_to_authenticate_stay_at_their_origin_too() {
    for of_session in [true, false] {
        let world = ThereAndBack::new(false);
        let auth = Auth::basic("user", "password").unwrap();
        let builder = world.builder();
        let builder = if of_session { builder.auth(auth.clone()) } else { builder };
        let session = builder.build().unwrap();
        let request = session.get(world.url("/start")).cookie("own", "secret");
        let request = if of_session { request } else { request.auth(auth) };
        request.send().unwrap();
        let (secure, plain) = (world.secure.requests(), world.plain.requests());
        assert_eq!(secrets(&secure[0]), ["authorization", "cookie"]);
        assert_eq!(secrets(&plain[0]), [""; 0]);
        assert_eq!(
            (secure[1].header("authorization"), secure[1].header("cookie")),
            (None, Some("jar=1"))
        );
    }
    // Those of the URL as well.
    let world = ThereAndBack::new(false);
    let url = world.url("/start").replace("//", "//user:password@");
    let session = world.builder().build().unwrap();
    session.get(url).send().unwrap();
    assert!(world.secure.requests()[0].header("authorization").is_some());
    assert_eq!(world.plain.requests()[0].header("authorization"), None);
    assert_eq!(world.secure.requests()[1].header("authorization"), None);
}

#[test]
fn a_client_certificate_stays_at_its_origin_and_does_not_come_back() {
    let world = ThereAndBack::new(true);
    let client = world.ca.client("somebody").unwrap();
    let identity =
        ClientIdentity::pem(client.certificate_pem().as_bytes(), client.key_pem().as_bytes());
    let known = trust_authority(&world.ca).to_builder().identity(identity.unwrap());
    let known = known.build().unwrap();
    // A stranger that wants to see it.
    let stranger = Tls::new(world.ca.issue(&["two.test"]).unwrap());
    let stranger = stranger.require_client_certificate(&world.ca);
    let stranger = Server::builder().tls(stranger).start().unwrap();
    let to_stranger = redirecting(302, &stranger.url_for("two.test", "/"));
    for of_session in [true, false] {
        let builder = named(world.builder(), [("two.test", &stranger), ("two.test", &to_stranger)]);
        let builder = if of_session { builder.tls(known.clone()) } else { builder };
        let session = builder.build().unwrap();
        let get = |url: &str| {
            let request = session.get(url);
            let request = if of_session { request } else { request.tls(known.clone()) };
            request.send()
        };
        let before = stranger.requests().len();
        assert_eq!(get(&world.url("/within")).unwrap().status(), 200);
        let error = get(&world.url("/start")).unwrap_err();
        assert_eq!((error.kind(), error.history().len()), (ErrorKind::Tls, 2), "{error:#}");
        let error = get(&to_stranger.url_for("two.test", "/from")).unwrap_err();
        assert_eq!((error.kind(), error.history().len()), (ErrorKind::Tls, 1), "{error:#}");
        assert_eq!(stranger.requests().len(), before);
        // It is wanted, though: asked for by itself it gets it.
        assert!(get(&stranger.url_for("two.test", "/ask")).is_ok());
        assert_eq!(stranger.requests().len(), before + 1);
    }
}

#[test]
fn by_hand_credentials_stay_at_their_origin_too() {
    let world = ThereAndBack::new(false);
    let auth = || Auth::basic("user", "password").unwrap();
    for of_session in [true, false] {
        let before = (world.secure.requests().len(), world.plain.requests().len());
        let builder = world.builder().redirects(RedirectPolicy::none());
        let builder = if of_session { builder.auth(auth()) } else { builder };
        let session = builder.build().unwrap();
        let request = session.get(world.url("/start")).cookie("own", "secret");
        let request = if of_session { request } else { request.auth(auth()) };
        let mut response = request.header("Proxy-Authorization", "Basic secret").send().unwrap();
        while let Some(mut next) = response.take_next() {
            response = session.send(&mut next).unwrap();
        }
        let (secure, plain) = (world.secure.requests(), world.plain.requests());
        assert_eq!(secrets(&secure[before.0]), ["authorization", "cookie"]);
        assert_eq!(secrets(&plain[before.1]), [""; 0]);
        assert_eq!(secrets(&secure[before.0 + 1]), ["cookie"]);
        assert_eq!(secure[before.0 + 1].header("cookie"), Some("jar=1"));
    }
    // Within the origin they go on, those of the URL too.
    let session = world.builder().redirects(RedirectPolicy::none()).build().unwrap();
    let url = world.url("/within").replace("//", "//user:password@");
    let mut response = session.get(url).send().unwrap();
    session.send(&mut response.take_next().unwrap()).unwrap();
    let end = world.secure.requests().pop().unwrap();
    assert_eq!(
        (&*end.target, end.header("authorization")),
        ("/end", Some("Basic dXNlcjpwYXNzd29yZA=="))
    );
}
