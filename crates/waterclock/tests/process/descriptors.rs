//! Too few descriptors for what is asked for; and none that is lost.

use crate::support::{PATIENCE, again, alone, builder, descriptors, fetch, is_alone, ms, passed};
use std::sync::{Arc, Barrier};
use waterclock::world::real::ThreadedLookup;
use waterclock::{ErrorKind, Limit, Limits, PoolSettings};
use waterclock_lab::{Blackhole, Script, Server, Step, after, respond};

fn url() -> String {
    std::env::var("URL").unwrap()
}

#[test]
fn sixty_at_once_with_forty_descriptors() {
    if is_alone() {
        return sixty_at_once();
    }
    let answer = after(ms(300), respond(200, "ok"));
    let server = Server::start(Script::every_request(answer)).unwrap();
    let mut command = again("descriptors::sixty_at_once_with_forty_descriptors", "ulimit -n 40");
    command.env("URL", server.url("/"));
    passed(&command.output().unwrap());
}

fn sixty_at_once() {
    let before = descriptors();
    let session = builder().build().unwrap();
    let (url, begin) = (url(), Barrier::new(60));
    let answers: Vec<_> = std::thread::scope(|scope| {
        let ask = || {
            begin.wait();
            fetch(session.get(&url))
        };
        let threads: Vec<_> = (0..60).map(|_| scope.spawn(ask)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let (good, bad): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert!(good.len() >= 20 && !bad.is_empty(), "{} good", good.len());
    assert!(good.iter().all(|body| body.as_deref().unwrap() == b"ok"));
    for error in bad.into_iter().map(Result::unwrap_err) {
        assert_eq!(error.kind(), ErrorKind::Connect, "{error:#}");
        assert!(error.message().contains("Too many open files"), "{error}");
        assert!(error.retry_safe());
    }
    assert_eq!(fetch(session.get(&url)).unwrap(), b"ok", "not alive after");
    session.close();
    assert_eq!(descriptors(), before);

    // With a cap all get their answers in turn. Who waits needs a descriptor, too.
    let capped = PoolSettings { max_total: Some(5), ..PoolSettings::default() };
    let session = builder().pool(capped).limits(Limits::total(PATIENCE)).build().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| assert_eq!(fetch(session.get(&url)).unwrap(), b"ok"));
        }
    });
}

#[test]
fn failures_leave_no_descriptor_behind() {
    if is_alone() {
        return fail_often();
    }
    // One after the other, several times each.
    let ends =
        ["HTTP/1.1 2OO OK\r\n\r\n", "nonsense", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"];
    let server = Server::start(Script::by_connection(move |number| {
        let end = if number % 2 == 0 { Step::Close } else { Step::Reset };
        Script::steps([Step::ReadHead, Step::send(ends[number % ends.len()]), end])
    }));
    let (server, hole) = (server.unwrap(), Blackhole::start().unwrap());
    let mut command = again("descriptors::failures_leave_no_descriptor_behind", "ulimit -n 40");
    command.env("URL", server.url("/")).env("HOLE", format!("http://{}/", hole.address()));
    passed(&command.output().unwrap());
    assert_eq!(server.connections(), 120);
}

fn fail_often() {
    let before = descriptors();
    let session = builder().build().unwrap();
    for _ in 0..120 {
        let error = fetch(session.get(url())).unwrap_err();
        assert!(!error.message().contains("Too many open files"), "{error:#}");
        assert_eq!(descriptors(), before, "{error:#}");
    }
    let hole = std::env::var("HOLE").unwrap();
    let limits = Limits::builder().connect(ms(10)).build();
    for _ in 0..50 {
        let error = fetch(session.get(&hole).limits(limits)).unwrap_err();
        assert_eq!(error.limit(), Some(Limit::Connect), "{error:#}");
        assert_eq!(descriptors(), before, "{error:#}");
    }
}

/// Behind a name server that is silent, calls end and their lookups do not.
#[test]
fn lookups_that_hang_keep_no_descriptor() {
    if !alone("descriptors::lookups_that_hang_keep_no_descriptor", "ulimit -n 40") {
        return;
    }
    let park = |_: &str, _| {
        loop {
            std::thread::park();
        }
    };
    let limits = Limits::builder().resolve(ms(5)).build();
    let builder = builder().limits(limits).resolver(Arc::new(ThreadedLookup::new(park)));
    let (session, before) = (builder.build().unwrap(), descriptors());
    for number in 0..60 {
        // One name again and again, and always another one.
        for name in ["hangs.test".to_owned(), format!("{number}.test")] {
            let error = session.get(format!("http://{name}/")).send().unwrap_err();
            assert_eq!(error.limit(), Some(Limit::Resolve), "{number}: {error:#}");
        }
    }
    // The threads are there; each may still hold what it was asked last.
    assert!(descriptors() <= before + 1, "{} {before}", descriptors());
    let lookups = std::fs::read_dir("/proc/self/task").unwrap().filter(|task| {
        let comm = task.as_ref().unwrap().path().join("comm");
        std::fs::read_to_string(comm).unwrap_or_default().starts_with("waterclock-res")
    });
    assert_eq!(lookups.count(), 4, "threads for lookups are bounded");
}
