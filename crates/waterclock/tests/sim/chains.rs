//! Whose a secret is, over whole chains of redirects: an origin is scheme, host and port, and what one
//! has left behind does not come back, not even to where it was meant for.

use crate::bench::trusting;
use std::sync::{Arc, Mutex, OnceLock};
use waterclock::{Auth, Limits, PastResponse, Request, Response, SessionBuilder};
use waterclock_sim::{Script, SimWorld, TlsServer};

/// Origins under short names.
const A: &str = "http://a.test";
const A_SECURE: &str = "https://a.test";
const A_8080: &str = "http://a.test:8080";
const B: &str = "http://b.test";
const B_SECURE: &str = "https://b.test";

/// Each chain, and how many of its hops are the origin's that the secret was meant for.
const CHAINS: &[(&[&str], usize)] = &[
    (&[A, A], 2),
    (&[A, "http://A.Test:80"], 2),
    (&[A, B, B], 1),
    (&[A, B, A], 1),
    (&[A, A, B, A, A], 2),
    (&[A, A_8080, A], 1),
    (&[A_8080, A_8080, A], 2),
    // The one exception, which is that of requests; not from any other port, and not back.
    (&[A, A_SECURE], 2),
    (&[A, A_SECURE, A, A_SECURE], 2),
    (&[A_8080, A_SECURE], 1),
    (&[A_SECURE, A, A_SECURE], 1),
    (&[A_SECURE, A_SECURE, B_SECURE, A_SECURE], 2),
    // A server does not choose who its client is, nor hide another host behind a name.
    (&[A, "http://admin:planted@a.test", A], 3),
    (&[A, "http://a.test@b.test", A], 1),
    (&[A, "http://a.test\\@b.test", A], 3),
];

fn tls_server() -> &'static TlsServer {
    static SERVER: OnceLock<TlsServer> = OnceLock::new();
    SERVER.get_or_init(|| TlsServer::new(["a.test", "b.test"]))
}

/// Servers that redirect along a chain, and what each of them was told, in order.
struct Chain {
    world: Arc<SimWorld>,
    told: Arc<Mutex<Vec<String>>>,
    first: String,
}

impl Chain {
    /// The `guarded` address asks for Digest first.
    fn new(origins: &[&str], guarded: Option<&str>) -> Self {
        let (world, told) = (SimWorld::new(), Arc::new(Mutex::new(Vec::new())));
        let urls: Vec<String> =
            origins.iter().enumerate().map(|(index, origin)| format!("{origin}/{index}")).collect();
        for (host, ip) in [("a.test", "192.0.2.1"), ("b.test", "192.0.2.2")] {
            world.host(host).resolves_to([ip]);
            for port in [80, 8080, 443] {
                let (urls, told) = (urls.clone(), Arc::clone(&told));
                let address = format!("{ip}:{port}");
                let asks = guarded == Some(&address);
                let answer = move |head: &[u8]| {
                    let head = String::from_utf8(head.to_vec()).unwrap();
                    let reply = reply(&urls, &head, asks);
                    told.lock().unwrap().push(head);
                    reply.into_bytes()
                };
                let script = Script::new().repeat(Script::new().expect_head().respond(answer));
                let script = Mutex::new(script);
                let listener = world.listen(&address);
                let peer = move |_| script.lock().unwrap().clone();
                match port {
                    443 => listener.serve_with(move |number| tls_server().wrap(peer(number))),
                    _ => listener.serve_with(peer),
                };
            }
        }
        Chain { world, told, first: urls[0].clone() }
    }

    fn builder(&self) -> SessionBuilder {
        let roots = trusting([&*tls_server().root()]);
        SessionBuilder::in_world(self.world.clone()).limits(Limits::none()).tls(roots)
    }

    /// Which of the hops were told a text.
    fn heard(&self, text: &str) -> Vec<usize> {
        let told = self.told.lock().unwrap();
        let heard = told.iter().enumerate().filter(|(_, head)| head.contains(text));
        heard.map(|(hop, _)| hop).collect()
    }
}

fn reply(urls: &[String], head: &str, asks: bool) -> String {
    let empty = "Content-Length: 0\r\n\r\n";
    if asks && !head.contains("Authorization: Digest") {
        let challenge = "Digest realm=\"lab\", qop=\"auth\", algorithm=SHA-256, nonce=\"n\"";
        return format!("HTTP/1.1 401 Who\r\nWWW-Authenticate: {challenge}\r\n{empty}");
    }
    let target = head.split(' ').nth(1).unwrap();
    let hop: usize = target.rsplit('/').next().unwrap().parse().unwrap();
    match urls.get(hop + 1) {
        Some(url) => format!("HTTP/1.1 307 Elsewhere\r\nLocation: {url}\r\n{empty}"),
        None => format!("HTTP/1.1 200 OK\r\n{empty}"),
    }
}

/// A way to give a secret to a request, or to a session.
type Gives = (&'static str, fn(SessionBuilder) -> SessionBuilder, fn(Request<'_>) -> Request<'_>);

fn basic() -> Auth {
    Auth::basic("hush", "hush").unwrap()
}

/// "hush:hush"
const BASIC: &str = "aHVzaDpodXNo";

const GIVES: &[Gives] = &[
    ("Bearer hush", |s| s, |r| r.header("Authorization", "Bearer hush")),
    (BASIC, |s| s, |r| r.auth(basic())),
    ("id=hush", |s| s, |r| r.cookie("id", "hush")),
    ("Bearer hush", |s| s.header("Authorization", "Bearer hush"), |r| r),
    (BASIC, |s| s.auth(basic()), |r| r),
];

#[test]
fn what_was_left_behind_does_not_come_back() {
    for (origins, stays) in CHAINS {
        let own: Vec<usize> = (0..*stays).collect();
        for (number, (secret, of_session, of_request)) in GIVES.iter().enumerate() {
            let chain = Chain::new(origins, None);
            let session = of_session(chain.builder()).build().unwrap();
            let response = of_request(session.get(&chain.first)).send().unwrap();
            assert_eq!(response.status(), 200, "{origins:?}");
            let hops = chain.told.lock().unwrap().len();
            assert_eq!(hops, origins.len());
            assert_eq!(chain.heard(secret), own, "{origins:?}, way {number}");
            assert!(chain.heard("planted").is_empty() && chain.heard("Referer").is_empty());
            assert!(chain.heard("YWRtaW46cGxhbnRlZA==").is_empty(), "admin:planted");
        }
    }
}

/// Userinfo of the URL is the first origin's, and no part of any URL that is sent.
#[test]
fn userinfo_goes_with_its_origin() {
    for (origins, stays) in CHAINS {
        let chain = Chain::new(origins, None);
        let session = chain.builder().build().unwrap();
        session.get(chain.first.replacen("//", "//hush:hush@", 1)).send().unwrap();
        assert_eq!(chain.heard(BASIC), (0..*stays).collect::<Vec<_>>(), "{origins:?}");
        assert!(chain.heard("hush").is_empty());
    }
}

/// The jar decides afresh for each hop, so a header set by hand is for the first one alone; and what
/// is for a proxy is no origin's business.
#[test]
fn fields_set_by_hand_that_go_no_further() {
    for (origins, _) in CHAINS {
        let chain = Chain::new(origins, None);
        let session = chain.builder().build().unwrap();
        let request = session.get(&chain.first).header("Cookie", "id=hush");
        request.header("Proxy-Authorization", "Basic hidden").send().unwrap();
        assert_eq!(chain.heard("id=hush"), [0], "{origins:?}");
        assert!(chain.heard("hidden").is_empty(), "{origins:?}");
    }
}

fn statuses(response: &Response) -> Vec<u16> {
    let past = response.history().iter().map(PastResponse::status);
    past.chain([response.status()]).collect()
}

/// Nobody on the way gets an answer to a challenge, nor the first one, once it was left.
#[test]
fn a_challenge_is_answered_at_its_origin_alone() {
    let (a, b) = (Some("192.0.2.1:80"), Some("192.0.2.2:80"));
    for (origins, guarded, expected, answers) in [
        (&[A, A][..], a, vec![401, 307, 200], vec![1, 2]),
        (&[A, B], a, vec![401, 307, 200], vec![1]),
        (&[A, B], b, vec![307, 401], vec![]),
        (&[A, B, A], b, vec![307, 401], vec![]),
        (&[B, A], a, vec![307, 401], vec![]),
        (&[A, B, A], a, vec![401, 307, 307, 401], vec![1]),
    ] {
        let chain = Chain::new(origins, guarded);
        let session = chain.builder().auth(Auth::digest("user", "hush")).build().unwrap();
        let response = session.get(&chain.first).send().unwrap();
        assert_eq!(statuses(&response), expected, "{origins:?}, {guarded:?} asks");
        assert_eq!(chain.heard("Authorization: Digest"), answers, "{origins:?}, {guarded:?} asks");
    }
}
