//! A process that forks while it has connections and a thread for lookups. (Python's sessions go on in a
//! child: `python/tests/test_citizen_fork.py`.)

use crate::around::around;
use crate::support::{AT_ONCE, builder, fetch, is_alone, ms, passed, timed, trust};
use rustix::process::{Pid, WaitOptions, waitpid};
use std::os::unix::process::parent_id;
use waterclock::{Limits, Session};
use waterclock_lab::{Identity, Script, Server, respond};

#[test]
fn a_child_has_lookups_and_connections_of_its_own() {
    if is_alone() {
        return fork_and_go_on();
    }
    let name = "forks::a_child_has_lookups_and_connections_of_its_own";
    let Some(mut command) = around(name, "FORKING=1") else { return };
    let number = || Script::by_request(|request| respond(200, request.connection.to_string()));
    let identity = Identity::new(&["localhost"]).unwrap();
    command.env("CA", identity.ca_pem());
    let plain = Server::builder().script(number()).start().unwrap();
    let secure = Server::builder().tls(identity).script(number()).start().unwrap();
    command.env("PLAIN", plain.url_for("localhost", "/"));
    command.env("SECURE", secure.url_for("localhost", "/"));
    passed(&command.output().unwrap());
    for server in [plain, secure] {
        assert_eq!(server.connections(), 2, "one is the parent's and one the child's");
        assert_eq!(server.requests().len(), 3);
    }
}

fn session() -> Session {
    let trusted = trust(&std::env::var("CA").unwrap());
    let limits = Limits::builder().resolve(ms(10_000)).total(ms(20_000)).build();
    builder().tls(trusted).limits(limits).build().unwrap()
}

/// The numbers of the connections that a request in clear and one over TLS went over.
fn both(session: &Session) -> [Vec<u8>; 2] {
    ["PLAIN", "SECURE"].map(|name| fetch(session.get(std::env::var(name).unwrap())).unwrap())
}

fn fork_and_go_on() {
    let parents = session();
    let before = both(&parents);
    match parent_id() {
        0 => {
            // Its end is not that of a test.
            let well = std::panic::catch_unwind(|| in_the_child(&before)).is_ok();
            std::process::exit(i32::from(!well));
        }
        child => {
            let child = Pid::from_raw(i32::try_from(child).unwrap());
            let (_, status) = waitpid(child, WaitOptions::empty()).unwrap().unwrap();
            assert_eq!(status.exit_status(), Some(0), "the child failed");
            assert_eq!(both(&parents), before, "nobody has used or ended the parent's connections");
        }
    }
}

/// The thread that looked names up a moment ago is not in this process.
fn in_the_child(parents: &[Vec<u8>; 2]) {
    let (own, elapsed) = timed(|| both(&session()));
    assert!(elapsed < AT_ONCE, "{elapsed:?}");
    assert!(own.iter().zip(parents).all(|(own, parents)| own != parents), "{own:?} {parents:?}");
}
