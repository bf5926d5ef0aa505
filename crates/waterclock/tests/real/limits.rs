//! Each limit fires in its phase, on real sockets: named, never early, hardly late.

use crate::support::{PATIENCE, PROMPT, expect_fired, ms, resolver, session, timed, trusting};
use std::sync::Arc;
use std::time::Duration;
use waterclock::{Limit, Limits, Phase, PoolSettings, RequestSent, Session};
use waterclock_lab::{
    Blackhole, Identity, Proxy, ProxyAction, Script, Server, Step, Tls, TlsScript, Zone, drip_body,
    head, head_then_stall, respond,
};

/// More than fits into the buffers between two sockets.
const UPLOAD: usize = 16 << 20;
const LIMIT: Duration = ms(80);

fn only(limit: Limit) -> Limits {
    Limits::none().with(limit, Some(LIMIT))
}

fn scripted(steps: impl Into<Vec<Step>>) -> Server {
    Server::start(Script::steps(steps)).unwrap()
}

fn silent() -> Server {
    scripted([Step::ReadHead, Step::Stall])
}

#[test]
fn resolve() {
    let (_server, lookup) = resolver(Zone::new().silent("never.test"));
    let builder = Session::builder().limits(only(Limit::Resolve)).resolver(Arc::new(lookup));
    let session = builder.build().unwrap();
    let error = expect_fired(|| session.get("http://never.test/"), Limit::Resolve, Phase::Resolve);
    assert_eq!(error.request_sent(), RequestSent::No);
    assert!(error.retry_safe());
}

#[test]
fn address_and_connect() {
    let hole = Blackhole::start().unwrap();
    let url = format!("http://{}/", hole.address());
    for limit in [Limit::Address, Limit::Connect, Limit::Attempt] {
        let session = session(only(limit));
        let error = expect_fired(|| session.post(&url), limit, Phase::Connect);
        assert!(error.retry_safe());
        assert_eq!(error.timeline().unwrap().attempts().len(), 1);
    }
}

#[test]
fn tls_and_connect_around_it() {
    let identity = Identity::new(&["127.0.0.1"]).unwrap();
    let pem = identity.ca_pem().to_owned();
    let tls = Tls::new(identity).script(TlsScript::new().stall_after(100));
    let server = Server::builder().tls(tls).start().unwrap();
    for limit in [Limit::Tls, Limit::Connect] {
        let session = trusting(&pem).limits(only(limit)).build().unwrap();
        let error = expect_fired(|| session.get(server.url("/")), limit, Phase::Tls);
        assert_eq!(error.request_sent(), RequestSent::No);
    }
    // The connections were closed, not forgotten.
    server.wait_for_open_connections(0, PATIENCE).unwrap();
}

#[test]
fn tunnel() {
    let proxy = Proxy::builder().script(|_| ProxyAction::silence()).start().unwrap();
    let session =
        Session::builder().proxy(&proxy.url()).limits(only(Limit::Tunnel)).build().unwrap();
    let error = expect_fired(|| session.get("https://shop.test/"), Limit::Tunnel, Phase::Tunnel);
    assert_eq!(error.request_sent(), RequestSent::No);
    assert_eq!(proxy.requests()[0].target, "shop.test:443");
}

#[test]
fn a_dripping_proxy_does_not_outlive_the_tunnel_limit() {
    let proxy = Proxy::builder().script(|_| ProxyAction::drip(1, ms(10))).start().unwrap();
    let origin = Server::builder().start().unwrap();
    let session =
        Session::builder().proxy(&proxy.url()).limits(only(Limit::Tunnel)).build().unwrap();
    let url = format!("https://{}/", origin.address());
    expect_fired(|| session.get(&url), Limit::Tunnel, Phase::Tunnel);
}

#[test]
fn write_counts_silence() {
    let script = Script::steps([Step::ReadHead, Step::Stall]);
    let server = Server::builder().script(script).receive_buffer(65_536).start().unwrap();
    let session = session(only(Limit::Write));
    let request = || session.post(server.url("/")).body(vec![0; UPLOAD]);
    let error = expect_fired(request, Limit::Write, Phase::Upload);
    assert_eq!(error.request_sent(), RequestSent::Partly);
    assert!(!error.retry_safe());
}

#[test]
fn upload_counts_everything() {
    let slowly = Step::ReadSlowly { bytes: 16_384, every: ms(5) };
    let script = Script::steps([Step::ReadHead, slowly]);
    let server = Server::builder().script(script).receive_buffer(65_536).start().unwrap();
    let session = session(only(Limit::Upload));
    let request = || session.post(server.url("/")).body(vec![0; UPLOAD]);
    expect_fired(request, Limit::Upload, Phase::Upload);
    let request = || session.post(server.url("/")).body_reader(std::io::repeat(1), None);
    expect_fired(request, Limit::Upload, Phase::Upload);
}

#[test]
fn first_byte_and_others_on_a_silent_server() {
    let server = silent();
    for limit in [Limit::Total, Limit::Attempt, Limit::Head, Limit::FirstByte, Limit::Read] {
        let session = session(only(limit));
        let error = expect_fired(|| session.get(server.url("/")), limit, Phase::FirstByte);
        assert_eq!(error.request_sent(), RequestSent::Yes);
    }
}

#[test]
fn interim_responses_do_not_move_first_byte_and_head() {
    let mut steps = vec![Step::ReadHead];
    for _ in 0..30 {
        steps.extend([Step::send(head(103, &[])), Step::sleep_ms(10)]);
    }
    steps.extend(respond(200, "late"));
    let server = scripted(steps);
    for limit in [Limit::FirstByte, Limit::Head] {
        let session = session(only(limit));
        expect_fired(|| session.get(server.url("/")), limit, Phase::FirstByte);
    }
    // They do tell that somebody is there.
    let session = session(Limits::builder().read(ms(2_000)).build());
    assert_eq!(session.get(server.url("/")).send().unwrap().status(), 200);
}

#[test]
fn head_bounds_a_head_that_drips() {
    let drip = Step::drip(head(200, &[("X-Long", &"x".repeat(1000))]), 1, ms(5));
    let server = scripted([Step::ReadHead, drip]);
    let session = session(only(Limit::Head));
    expect_fired(|| session.get(server.url("/")), Limit::Head, Phase::Head);
}

#[test]
fn a_drip_faster_than_the_read_limit_is_let_through() {
    let mut steps = vec![Step::ReadHead];
    steps.extend(drip_body(200, "abcdefgh", 1, ms(20)));
    let server = scripted(steps);
    let session = session(Limits::none().with(Limit::Read, Some(ms(2000))));
    let (body, elapsed) = timed(|| session.get(server.url("/")).send().unwrap().content().unwrap());
    assert_eq!(body, b"abcdefgh");
    assert!(elapsed >= ms(140), "{elapsed:?}");
}

#[test]
fn body_and_others_on_a_body_that_stalls() {
    let server = scripted([vec![Step::ReadHead], head_then_stall(200, 10)].concat());
    for limit in [Limit::Body, Limit::Read, Limit::Total, Limit::Attempt] {
        let session = session(only(limit));
        let error = expect_fired(|| session.get(server.url("/")), limit, Phase::Body);
        assert_eq!(error.status(), Some(200));
    }
}

#[test]
fn body_bounds_a_body_that_drips() {
    let mut steps = vec![Step::ReadHead];
    steps.extend(drip_body(200, vec![b'x'; 1000], 1, ms(5)));
    let server = scripted(steps);
    let session = session(only(Limit::Body));
    expect_fired(|| session.get(server.url("/")), Limit::Body, Phase::Body);
}

#[test]
fn pool() {
    let server = scripted([vec![Step::ReadHead], head_then_stall(200, 10)].concat());
    let settings = PoolSettings { max_per_host: Some(1), ..PoolSettings::default() };
    let builder = Session::builder().limits(only(Limit::Pool)).pool(settings);
    let session = builder.build().unwrap();
    let held = session.get(server.url("/")).send().unwrap();
    let error = expect_fired(|| session.get(server.url("/")), Limit::Pool, Phase::Pool);
    assert_eq!(error.request_sent(), RequestSent::No);
    drop(held);
    assert_eq!(session.get(server.url("/")).send().unwrap().status(), 200);
}

#[test]
fn continue_ends_in_the_body_being_sent() {
    let script = Script::steps(
        [vec![Step::ReadHead, Step::ReadBodyInSilence], respond(200, "thanks")].concat(),
    );
    let server = Server::start(script).unwrap();
    let session = session(only(Limit::Continue));
    let request = session.post(server.url("/")).expect_continue(true).body("content");
    let (response, elapsed) = timed(|| request.send().unwrap());
    assert_eq!(response.status(), 200);
    assert!(elapsed >= LIMIT && elapsed < PROMPT, "{elapsed:?}");
    let requests = server.requests();
    assert_eq!(requests[0].header("expect"), Some("100-continue"));
    assert_eq!(requests[0].body, b"content");
}

#[test]
fn a_limit_of_zero_sends_nothing() {
    let server = silent();
    let error = session(Limits::total(Duration::ZERO)).get(server.url("/")).send().unwrap_err();
    assert_eq!(error.limit(), Some(Limit::Total));
    assert_eq!(server.connections(), 0);
}

#[test]
fn the_callers_pause_counts_for_total_only() {
    let server = Server::start(Script::every_request(respond(200, [b'x'; 100]))).unwrap();
    let read = |limits: Limits| {
        let session = session(limits);
        let mut response = session.get(server.url("/")).send().unwrap();
        std::thread::sleep(ms(600));
        let result = response.content();
        (result, response.timeline().caller())
    };
    let (result, paused) = read(Limits::none().with(Limit::Read, Some(ms(500))));
    assert_eq!(result.unwrap().len(), 100);
    assert!(paused >= ms(600), "{paused:?}");
    let (result, _) = read(Limits::total(ms(500)));
    assert_eq!(result.unwrap_err().limit(), Some(Limit::Total));
}
