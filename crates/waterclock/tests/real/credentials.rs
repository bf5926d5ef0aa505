//! Credentials: which of them count, what they look like on the wire, and a server that checks them.

use crate::redirects::named;
use crate::support::{Alone, ms};
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use waterclock::{
    Auth, Authenticate, Error, ErrorKind, Limits, PreparedRequest, Session, SessionBuilder,
};
use waterclock_lab::{ReceivedRequest, Script, Server, Step, redirect, respond, respond_with};

/// `user:password` in Basic.
const BASIC: &str = "Basic dXNlcjpwYXNzd29yZA==";

fn builder() -> SessionBuilder {
    Session::builder().limits(Limits::total(ms(20_000))).trust_env(false)
}

fn server() -> Server {
    Server::start(Script::by_request(|request| match request.path() {
        "/from" => redirect(302, "/to"),
        _ => respond(200, ""),
    }))
    .unwrap()
}

fn last(server: &Server) -> Option<String> {
    server.requests().pop().unwrap().header("authorization").map(str::to_owned)
}

fn basic() -> Auth {
    Auth::basic("user", "password").unwrap()
}

#[test]
fn the_nearest_credentials_count() {
    let server = server();
    let url = server.url("/");
    let with_userinfo = url.replace("//", "//of%20url:p%40ss@");
    let plain = builder().build().unwrap();
    let session = builder().auth(Auth::bearer("of-session").unwrap()).build().unwrap();
    let send = |request: waterclock::Request<'_>| {
        request.send().unwrap();
        last(&server)
    };
    assert_eq!(send(plain.get(&url)), None);
    assert_eq!(send(plain.get(&url).auth(basic())), Some(BASIC.into()));
    assert_eq!(send(plain.get(&url).auth(Auth::bearer("t").unwrap())), Some("Bearer t".into()));
    // `of url:p@ss`: userinfo is decoded.
    let of_url = Some("Basic b2YgdXJsOnBAc3M=".to_owned());
    assert_eq!(send(plain.get(&with_userinfo)), of_url);
    assert_eq!(send(session.get(&with_userinfo)), Some("Bearer of-session".into()));
    assert_eq!(send(session.get(&with_userinfo).auth(basic())), Some(BASIC.into()));
    assert_eq!(send(session.get(&with_userinfo).auth(Auth::none())), None);
    assert_eq!(send(session.get(&url).auth(Auth::none())), None);
    // Each of them replaces a header; none leaves it as it is.
    let by_hand = || session.get(&url).header("Authorization", "By hand");
    assert_eq!(send(by_hand()), Some("Bearer of-session".into()));
    assert_eq!(send(by_hand().auth(basic())), Some(BASIC.into()));
    assert_eq!(send(by_hand().auth(Auth::none())), Some("By hand".into()));
    assert_eq!(send(plain.get(&url).header("Authorization", "By hand")), Some("By hand".into()));
    // One field, whatever there was.
    let got = server.requests().pop().unwrap();
    assert_eq!(got.headers.iter().filter(|(name, _)| name == "Authorization").count(), 1);
    // And through redirects in the origin.
    assert_eq!(send(plain.get(server.url("/from")).auth(basic())), Some(BASIC.into()));
}

#[test]
fn what_cannot_be_sent_is_refused_and_not_shown() {
    for result in [
        Auth::basic("us:er", "password"),
        Auth::basic("user", "pass\nword"),
        Auth::bearer("to ken"),
        Auth::bearer("token\r\nX: y"),
        Auth::bearer(""),
    ] {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        for secret in ["pass", "ken"] {
            assert!(!error.to_string().contains(&format!("{secret}\n")), "{error}");
        }
    }
    assert_eq!(format!("{:?}", basic()), "Auth(***)");
    let session = builder().build().unwrap();
    let request = session.get("http://127.0.0.1:9/").auth(basic()).cookie("id", "secret-cookie");
    let shown = format!("{:?}", request.prepare().unwrap());
    assert!(!shown.contains("secret-cookie") && !shown.contains("dXNlcjpwYXNzd29yZA"), "{shown}");
}

/// A server that checks Digest (RFC 7616) with SHA-256: the answer to each of its nonces, each use of
/// them once.
#[derive(Default)]
struct Guard {
    password: &'static str,
    qop: &'static str,
    /// How many uses each nonce has left, and which were seen.
    nonces: Mutex<HashMap<String, (u32, Vec<String>)>>,
}

impl Guard {
    fn server(qop: &'static str, password: &'static str) -> Server {
        let guard = Guard { qop, password, ..Guard::default() };
        Server::start(Script::by_request(move |request| guard.answer(request))).unwrap()
    }

    fn answer(&self, request: &ReceivedRequest) -> Vec<Step> {
        match self.check(request) {
            Ok(()) => respond(200, &request.body),
            Err(stale) => {
                let mut nonces = self.nonces.lock().unwrap();
                let nonce = format!("nonce-{}", nonces.len());
                nonces.insert(nonce.clone(), (3, Vec::new()));
                let challenge = format!(
                    "Digest realm=\"the \\\"lab\\\"\", nonce=\"{nonce}\", qop=\"{}\", \
                     algorithm=SHA-256, opaque=\"0p\", stale={stale}",
                    self.qop
                );
                // Basic is offered too, and would give the password away.
                let fields =
                    [("WWW-Authenticate", "Basic realm=\"lab\""), ("WWW-Authenticate", &challenge)];
                respond_with(401, &fields, "who?")
            }
        }
    }

    /// `Err` says whether the nonce was too old.
    fn check(&self, request: &ReceivedRequest) -> Result<(), bool> {
        let given = request.header("authorization").ok_or(false)?;
        let given = given.strip_prefix("Digest ").ok_or(false)?;
        let params: HashMap<&str, String> = given
            .split(", ")
            .filter_map(|param| param.split_once('='))
            .map(|(name, value)| (name, value.trim_matches('"').replace('\\', "")))
            .collect();
        let get = |name: &str| params.get(name).map_or("", String::as_str);
        let ha1 = hash(&format!("{}:the \"lab\":{}", get("username"), self.password));
        let mut a2 = format!("{}:{}", request.method, get("uri"));
        if self.qop == "auth-int" {
            a2 = format!("{a2}:{}", hex(&Sha256::digest(&request.body)));
        }
        let (nonce, nc, cnonce) = (get("nonce"), get("nc"), get("cnonce"));
        let expected = hash(&format!("{ha1}:{nonce}:{nc}:{cnonce}:{}:{}", self.qop, hash(&a2)));
        let right = get("response") == expected
            && get("uri") == request.target
            && get("opaque") == "0p"
            && get("qop") == self.qop
            && cnonce.len() >= 16;
        if !right {
            return Err(false);
        }
        let mut nonces = self.nonces.lock().unwrap();
        let (left, seen) = nonces.get_mut(nonce).ok_or(true)?;
        if *left == 0 {
            return Err(true);
        }
        *left -= 1;
        assert!(!seen.contains(&nc.to_owned()), "the same count twice: {given}");
        seen.push(nc.to_owned());
        Ok(())
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hash(text: &str) -> String {
    hex(&Sha256::digest(text))
}

#[test]
fn digest_answers_are_right_and_ahead() {
    for qop in ["auth", "auth-int"] {
        let server = Guard::server(qop, "Circle of Life");
        let session = builder().auth(Auth::digest("Mufasa", "Circle of Life")).build().unwrap();
        let mut histories = Vec::new();
        for number in 0..8 {
            let url = server.url(&format!("/dir/index.html?number={number}&a=%20b"));
            let mut response = session.post(url).body("content").send().unwrap();
            assert_eq!((response.status(), response.text().unwrap().as_str()), (200, "content"));
            histories.push(response.history().len());
        }
        // A nonce is good for three; then it is stale.
        assert_eq!(histories, [1, 0, 0, 1, 0, 0, 1, 0], "{qop}");
        assert_eq!(server.connections(), 1);
        let sent = server.requests();
        assert!(sent.iter().all(|got| !String::from_utf8_lossy(&got.raw_head).contains("Circle")));
        assert!(sent.iter().all(|got| got.body == b"content"));
    }
}

#[test]
fn threads_share_a_nonce_and_use_no_count_twice() {
    let server = Guard::server("auth", "secret");
    let session = builder().auth(Auth::digest("user", "secret")).build().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..6 {
            let (session, server) = (&session, &server);
            scope.spawn(move || {
                for _ in 0..5 {
                    // A thread may lose its nonce to the others twice running, as any client may.
                    let status = session.get(server.url("/")).send().unwrap().status();
                    assert!(status == 200 || status == 401);
                }
            });
        }
    });
}

#[test]
fn a_wrong_password_is_the_servers_answer() {
    let server = Guard::server("auth", "right");
    let session = builder().build().unwrap();
    let request = session.get(server.url("/")).auth(Auth::digest("user", "wrong"));
    let mut response = request.send().unwrap();
    assert_eq!((response.status(), response.text().unwrap().as_str()), (401, "who?"));
    assert_eq!((server.requests().len(), response.history().len()), (2, 1));
    // Without Digest nothing is answered.
    let request = session.get(server.url("/")).auth(basic());
    assert_eq!((request.send().unwrap().status(), server.requests().len()), (401, 3));
}

/// What one origin has asked for is not told to another, which may choose the nonce and try
/// passwords at home.
#[test]
fn a_digest_is_for_its_origin() {
    let one = Guard::server("auth", "secret");
    let two = Guard::server("auth", "secret");
    let session = builder().auth(Auth::digest("user", "secret")).build().unwrap();
    for _ in 0..2 {
        session.get(one.url("/")).send().unwrap();
    }
    let response = session.get(two.url("/")).send().unwrap();
    assert_eq!((response.status(), response.history().len()), (200, 1));
    assert_eq!(two.requests()[0].header("authorization"), None);
    // Nor is the challenge of a place that a redirect led to answered.
    let location = two.url("/");
    let from = Server::start(Script::every_request(redirect(302, &location))).unwrap();
    let before = two.requests().len();
    let response = session.get(from.url("/")).send().unwrap();
    assert_eq!((response.status(), response.history().len()), (401, 1));
    assert_eq!(two.requests().len(), before + 1);
    assert_eq!(two.requests()[before].header("authorization"), None);
}

struct Counting(Arc<Mutex<u32>>);

impl Authenticate for Counting {
    fn authorize(&self, request: &mut PreparedRequest) -> Result<(), Error> {
        let mut count = self.0.lock().unwrap();
        *count += 1;
        let what = format!("Own {} {} {count}", request.method(), request.target());
        request.set_for_hop("Authorization", what)
    }
}

#[test]
fn a_way_of_the_callers_own() {
    let server = server();
    let count = Arc::new(Mutex::new(0));
    let session = builder().auth(Auth::custom(Counting(count.clone()))).build().unwrap();
    session.post(server.url("/from?a=b")).send().unwrap();
    let seen: Vec<_> = server
        .requests()
        .iter()
        .map(|got| got.header("authorization").unwrap().to_owned())
        .collect();
    assert_eq!(seen, ["Own POST /from?a=b 1", "Own GET /to 2"]);
    // It is not asked where a redirect has left the origin.
    let location = server.url("/");
    let from = Server::start(Script::every_request(redirect(302, &location))).unwrap();
    session.get(from.url("/")).send().unwrap();
    assert_eq!((last(&server), *count.lock().unwrap()), (None, 3));
}

/// Writes a netrc file, and runs the test of this name again with it as `variables` say.
fn with_netrc(test: &str, text: &str, variables: impl Fn(Alone, PathBuf) -> Alone) {
    let name = test.replace("::", "-");
    let home = std::env::temp_dir().join(format!("waterclock-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&home).unwrap();
    std::fs::write(home.join(".netrc"), text).unwrap();
    variables(Alone::test(test), home.clone()).run();
    std::fs::remove_dir_all(home).unwrap();
}

/// `one.test` and no other, and a default.
const NETRC: &str = "machine one.test login of password netrc\ndefault login any password body\n";
const OF_NETRC: &str = "Basic b2Y6bmV0cmM=";
const OF_DEFAULT: &str = "Basic YW55OmJvZHk=";

#[test]
fn netrc_is_for_its_hosts_and_for_requests_without_credentials() {
    if !Alone::is_here() {
        let name = "credentials::netrc_is_for_its_hosts_and_for_requests_without_credentials";
        // Both ways to find it.
        with_netrc(name, NETRC, |alone, home| alone.env("NETRC", home.join(".netrc")));
        with_netrc(name, NETRC, |alone, home| alone.without_env("NETRC").env("HOME", home));
        return;
    }
    let server = Server::start(Script::by_request(|request| match request.path() {
        "/within" => redirect(302, "/"),
        _ => respond(200, ""),
    }))
    .unwrap();
    let names = || [("one.test", &server), ("two.test", &server)];
    let session = named(builder().trust_env(true), names()).build().unwrap();
    let (one, two) = (server.url_for("one.test", "/"), server.url_for("two.test", "/"));
    let send = |request: waterclock::Request<'_>| {
        request.send().unwrap();
        last(&server)
    };
    assert_eq!(send(session.get(&one)), Some(OF_NETRC.into()));
    assert_eq!(
        send(session.get(one.to_uppercase().replace("HTTP", "http"))),
        Some(OF_NETRC.into())
    );
    assert_eq!(send(session.get(&two)), Some(OF_DEFAULT.into()));
    assert_eq!(send(session.get(server.url_for("one.test", "/within"))), Some(OF_NETRC.into()));
    // Before the userinfo of the URL, as in requests; after everything else, and never in the place
    // of a header set by hand.
    let userinfo = one.replace("//", "//user:password@");
    assert_eq!(send(session.get(&userinfo)), Some(OF_NETRC.into()));
    assert_eq!(send(session.get(&one).auth(basic())), Some(BASIC.into()));
    assert_eq!(send(session.get(&one).auth(Auth::none())), None);
    assert_eq!(send(session.get(&one).header("Authorization", "By hand")), Some("By hand".into()));
    let of_session = named(builder().trust_env(true).auth(basic()), names()).build().unwrap();
    assert_eq!(send(of_session.get(&one)), Some(BASIC.into()));
    let default = builder().trust_env(true).header("Authorization", "Default");
    let default = named(default, names()).build().unwrap();
    assert_eq!(send(default.get(&one)), Some("Default".into()));
    // Only for those who trust the environment.
    let distrusts = named(builder(), names()).build().unwrap();
    assert_eq!(send(distrusts.get(&one)), None);
    // A redirect to another host is asked about anew; what was of the first one stays there.
    let to_two = Server::start(Script::every_request(redirect(302, &two))).unwrap();
    let session = builder().trust_env(true);
    let session = named(named(session, names()), [("one.test", &to_two)]).build().unwrap();
    assert_eq!(send(session.get(to_two.url_for("one.test", "/"))), Some(OF_DEFAULT.into()));
    assert_eq!(last(&to_two), Some(OF_NETRC.into()));
    let request = session.get(to_two.url_for("one.test", "/")).auth(Auth::none());
    assert_eq!(send(request), None, "none is none, wherever it leads");
}

#[test]
fn a_netrc_file_that_cannot_be_read_fails_no_call() {
    if !Alone::is_here() {
        let name = "credentials::a_netrc_file_that_cannot_be_read_fails_no_call";
        let text = "machine 127.0.0.1 login a password two words\n";
        with_netrc(name, text, |alone, home| alone.env("NETRC", home.join(".netrc")));
        with_netrc(name, text, |alone, home| alone.env("NETRC", home.join("missing")));
        with_netrc(name, text, |alone, home| alone.env("NETRC", home));
        let latin = "machine 127.0.0.1 login \u{1} password x\n";
        with_netrc(name, latin, |alone, home| alone.env("NETRC", home.join(".netrc")));
        return;
    }
    let server = server();
    let session = builder().trust_env(true).build().unwrap();
    session.get(server.url("/")).send().unwrap();
    assert_eq!(last(&server), None);
}
