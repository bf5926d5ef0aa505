//! Large bodies need no memory: not down, not up, not in the timeline.

use crate::support::{Alone, session};
use std::io;
use waterclock::{Limits, Session};
use waterclock_lab::FastServer;

#[path = "peak_memory.rs"]
mod peak;

const BODY: u64 = 256 << 20;
/// What a call may take on top, whatever the length of its body.
const MOST: u64 = 10 << 20;

fn alone_with(name: &str, work: impl FnOnce(&Session, &FastServer)) {
    if !Alone::is_here() {
        Alone::test(name).run();
        return;
    }
    let server = FastServer::start().unwrap();
    let session = session(Limits::none());
    // Whatever is made once is made before.
    session.get(server.url("/bytes/100000")).send().unwrap().content().unwrap();
    let grown = peak::grown_by(|| work(&session, &server));
    assert!(grown < MOST, "{grown} bytes");
}

#[test]
fn a_download_needs_no_memory() {
    alone_with("memory::a_download_needs_no_memory", |session, server| {
        for path in [format!("/bytes/{BODY}"), format!("/chunked/{BODY}/65536")] {
            let mut response = session.get(server.url(&path)).send().unwrap();
            let length = peak::drain(&mut response);
            assert_eq!(length, BODY);
            assert!(response.timeline().spans().len() < 100);
        }
    });
}

#[test]
fn an_upload_needs_no_memory() {
    alone_with("memory::an_upload_needs_no_memory", |session, server| {
        for length in [Some(BODY), None] {
            let source = io::Read::take(io::repeat(b'x'), BODY);
            let request = session.post(server.url("/")).body_reader(source, length);
            assert_eq!(request.send().unwrap().text().unwrap(), BODY.to_string());
        }
    });
}
