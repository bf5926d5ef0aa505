//! Many threads and one session: every answer is its own, whatever the server does, and nothing leaks.

use crate::support::{Alone, PATIENCE, descriptors, ms, session};
use std::sync::atomic::{AtomicUsize, Ordering};
use waterclock::{ErrorKind, Limits, Session};
use waterclock_lab::{FastServer, Script, Server, Step, respond_with};

const THREADS: usize = 64;

/// Each thread asks `count` times with an id of its own.
fn hammer(count: usize, ask: impl Fn(&str) + Sync) {
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let ask = &ask;
            scope.spawn(move || (0..count).for_each(|round| ask(&format!("{thread}-{round}"))));
        }
    });
}

#[test]
fn a_hundred_thousand_answers_are_their_own_and_nothing_leaks() {
    if !Alone::is_here() {
        Alone::test("load::a_hundred_thousand_answers_are_their_own_and_nothing_leaks").run();
        return;
    }
    const EACH: usize = 100_000 / THREADS + 1;
    let server = FastServer::start().unwrap();
    let before = descriptors();
    let session = session(Limits::total(ms(30_000)));
    let url = server.url("/");
    hammer(EACH, |id| {
        let mut response = session.get(&url).header("X-Id", id).send().unwrap();
        assert_eq!(response.headers().get("X-Id"), Some(id.as_bytes()));
        assert_eq!(response.text().unwrap(), id);
    });
    assert_eq!(server.requests(), (THREADS * EACH) as u64);
    // One connection a thread at most: they are kept.
    assert!(server.connections() <= THREADS, "{}", server.connections());
    drop(session);
    server.wait_for_open_connections(0, PATIENCE).unwrap();
    assert_eq!(descriptors(), before);
}

/// Answers with the id, and behind every third answer or so does something that it must not: what
/// the next request on that connection would take for its answer, or an end.
fn poisonous() -> Server {
    let evil = b"HTTP/1.1 200 OK\r\nX-Id: evil\r\nContent-Length: 4\r\n\r\nevil";
    let script = Script::by_request(move |request| {
        let id = request.header("X-Id").unwrap_or_default().to_owned();
        let mut answer = respond_with(200, &[("X-Id", &id)], &id);
        let Some(Step::Send(bytes)) = answer.first_mut() else { return answer };
        let lot = id.bytes().fold(7_usize, |sum, byte| sum.wrapping_mul(31) + usize::from(byte));
        match lot % 24 {
            0 => bytes.extend_from_slice(evil),
            1 => bytes.extend_from_slice(b"\r\n"),
            2 => bytes.push(b'H'),
            3 => answer.push(Step::Close),
            4 => answer.push(Step::Reset),
            5 => bytes.truncate(bytes.len() - 1),
            6 => bytes.truncate(20),
            7 => return vec![Step::Close],
            _ => {}
        }
        if matches!(lot % 24, 5 | 6) {
            answer.push(Step::Close);
        }
        answer
    });
    Server::start(script).unwrap()
}

#[test]
fn no_answer_goes_to_another_request_on_a_poisonous_server() {
    if !Alone::is_here() {
        Alone::test("load::no_answer_goes_to_another_request_on_a_poisonous_server").run();
        return;
    }
    let server = poisonous();
    let before = descriptors();
    let session = session(Limits::total(ms(30_000)));
    let (answered, failed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    hammer(30, |id| {
        let result = session.get(server.url("/")).header("X-Id", id).send();
        match result.and_then(|mut response| Ok((response.content()?, response))) {
            Ok((body, response)) => {
                assert_eq!(body, id.as_bytes());
                assert_eq!(response.headers().get("X-Id"), Some(id.as_bytes()));
                answered.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => {
                // Only what was done to this very request: never a leftover of another one.
                use ErrorKind::{Closed, IncompleteBody, Receive};
                let kind = error.kind();
                assert!(matches!(kind, Closed | IncompleteBody | Receive), "{id}: {error:#}");
                failed.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    let (answered, failed) = (answered.into_inner(), failed.into_inner());
    assert_eq!(answered + failed, THREADS * 30);
    // Three of 24 are cut; an answer that a reset overtakes may be lost as well.
    assert!(answered > THREADS * 30 * 3 / 4 && failed > 0, "{answered} {failed}");
    drop(session);
    server.wait_for_open_connections(0, PATIENCE).unwrap();
    assert_eq!(descriptors(), before);
}

/// Bytes that come while a connection is idle are seen before it is used again.
#[test]
fn what_comes_while_idle_ends_the_connection() {
    let evil = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
    let steps = [
        vec![Step::ReadHead],
        respond_with(200, &[], "good"),
        vec![Step::sleep_ms(5), Step::send(evil)],
    ]
    .concat();
    let server = Server::start(steps).unwrap();
    let session = session(Limits::total(ms(10_000)));
    for number in 1..4 {
        let mut response = session.get(server.url("/")).send().unwrap();
        assert_eq!(response.text().unwrap(), "good");
        assert_eq!(response.connection().unwrap().number, number);
        // The server's last act: the bytes are in our socket now.
        server.wait_for_open_connections(0, PATIENCE).unwrap();
    }
}

/// So are those that came right behind the answer, when the next request is not made at once.
#[test]
fn what_comes_right_behind_an_answer_is_seen() {
    let evil = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
    let steps =
        [vec![Step::ReadHead], respond_with(200, &[], "good"), vec![Step::send(evil)]].concat();
    let server = Server::start(steps).unwrap();
    let session = session(Limits::total(ms(10_000)));
    for number in 1..30 {
        let mut response = session.get(server.url("/")).send().unwrap();
        assert_eq!(response.text().unwrap(), "good");
        assert_eq!(response.connection().unwrap().number, number);
        server.wait_for_open_connections(0, PATIENCE).unwrap();
        std::thread::sleep(std::time::Duration::from_micros(300));
    }
}

/// A connection that the server has closed while it was idle is not an error, not even once.
#[test]
fn unannounced_closes_are_not_seen() {
    let script = Script::by_connection(|_| {
        let once = [vec![Step::ReadHead], respond_with(200, &[], "ok")].concat();
        Script::steps([once.clone(), once.clone(), once].concat())
    });
    let server = Server::start(script).unwrap();
    let session = session(Limits::total(ms(10_000)));
    for _ in 0..100 {
        assert_eq!(session.get(server.url("/")).send().unwrap().text().unwrap(), "ok");
    }
    assert!((34..=50).contains(&server.connections()), "{}", server.connections());
}

#[test]
fn a_full_pool_serves_all_in_turn() {
    let server = FastServer::start().unwrap();
    let settings = waterclock::PoolSettings { max_per_host: Some(3), ..Default::default() };
    let limits = Limits::total(ms(30_000));
    let session = Session::builder().pool(settings).limits(limits).build().unwrap();
    hammer(10, |id| {
        let request = session.get(server.url("/")).header("X-Id", id);
        assert_eq!(request.send().unwrap().text().unwrap(), id);
    });
    assert!(server.connections() <= 3, "{}", server.connections());
}

#[test]
fn threads_that_start_at_once_share_one_lookup_and_get_their_own_connections() {
    let server = FastServer::start().unwrap();
    let port = server.address().port();
    let (names, lookup) = crate::support::resolver(waterclock_lab::Zone::new().name(
        "shop.test",
        [server.address().ip()],
        ms(100),
    ));
    let builder = Session::builder().resolver(std::sync::Arc::new(lookup));
    let session = builder.limits(Limits::total(ms(30_000))).build().unwrap();
    std::thread::scope(|scope| {
        for id in 0..16 {
            let session = &session;
            scope.spawn(move || {
                let url = format!("http://shop.test:{port}/?id={id}");
                assert_eq!(session.get(url).send().unwrap().text().unwrap(), id.to_string());
            });
        }
    });
    // A and AAAA, asked once for all who wait (single-flight); late-comers ask again.
    assert!(names.queries().len() <= 16, "{}", names.queries().len());
}
