//! No thread may be started: only the lookup of a name needs one.

use crate::support::{again, builder, fetch, is_alone, passed, skipped};
use rustix::process::{Resource, getrlimit, setrlimit};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::Arc;
use waterclock::ErrorKind;
use waterclock::world::real::ThreadedLookup;
use waterclock_lab::FastServer;

/// Root may start as many as it likes, so the test is somebody else's: a number that nobody has.
const SOMEBODY: u32 = 61_234;

#[test]
fn without_threads_a_lookup_fails_at_once_and_the_rest_goes_on() {
    const NAME: &str = "threads::without_threads_a_lookup_fails_at_once_and_the_rest_goes_on";
    if is_alone() {
        return ask_without_threads(&std::env::var("URL").unwrap());
    }
    let server = FastServer::start().unwrap();
    let mut command = again(NAME, ":");
    if rustix::process::geteuid().is_root() {
        if let Err(why) = may_run() {
            return skipped(NAME, &why);
        }
        command.uid(SOMEBODY).gid(SOMEBODY);
    }
    command.current_dir("/").env("URL", server.url("/"));
    passed(&command.output().unwrap());
}

/// Whether somebody else may start this program: the tree may be in a folder that is root's alone.
fn may_run() -> Result<(), String> {
    let mut look = Command::new("test");
    look.arg("-x").arg(std::env::current_exe().unwrap()).uid(SOMEBODY).gid(SOMEBODY);
    match look.current_dir("/").status() {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err("this program is in a folder that only root can read".into()),
        Err(error) => Err(format!("no program can be started for user {SOMEBODY}: {error}")),
    }
}

fn ask_without_threads(url: &str) {
    let address = url.parse::<waterclock::Url>().unwrap().socket_addrs(|| None).unwrap();
    let lookup = ThreadedLookup::new(move |_, _| Ok(address.clone()));
    let session = builder().resolver(Arc::new(lookup)).build().unwrap();
    let by_name = url.replace("127.0.0.1", "shop.test");

    limit_threads(Some(1));
    for _ in 0..3 {
        let error = fetch(session.get(&by_name)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Resolve, "{error:#}");
        assert!(error.message().contains("no thread for the name lookup"), "{error:#}");
        assert!(error.retry_safe());
        assert!(error.timeline().unwrap().unaccounted().is_zero());
        assert!(fetch(session.get(url)).is_ok(), "an address needs no thread");
    }

    limit_threads(None);
    session.close();
    assert!(fetch(session.get(&by_name)).is_ok(), "not alive after");

    // The thread that is there now looks the next one up as well.
    limit_threads(Some(1));
    session.close();
    assert!(fetch(session.get(by_name.replace("shop", "other"))).is_ok());
}

/// Of this user, whose threads all count; `None` is what was there in the beginning.
fn limit_threads(most: Option<u64>) {
    let mut limit = getrlimit(Resource::Nproc);
    limit.current = most.or(limit.maximum);
    setrlimit(Resource::Nproc, limit).unwrap();
}
