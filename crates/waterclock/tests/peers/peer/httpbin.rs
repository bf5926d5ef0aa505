//! httpbin behind gunicorn, from the virtual environment that `scripts/setup` makes.

use crate::support::{Daemon, skipped};
use std::path::Path;
use std::sync::OnceLock;

/// httpbin takes a second to start, so all tests share one. This value is a test's hold on it.
pub(crate) struct Httpbin(&'static Daemon);

impl Httpbin {
    pub(crate) fn shared() -> Option<Httpbin> {
        static SHARED: OnceLock<Option<Daemon>> = OnceLock::new();
        match SHARED.get_or_init(start) {
            Some(daemon) => Some(Httpbin(daemon)),
            None => skipped("httpbin"),
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.0.address(0))
    }
}

impl Drop for Httpbin {
    fn drop(&mut self) {
        self.0.show_if_failing();
    }
}

fn start() -> Option<Daemon> {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.tools/httpbin/bin/gunicorn");
    let program = Path::new(program).canonicalize().ok()?;
    Some(Daemon::start(&program, 1, |_, ports| {
        let bind = ports[0].to_string();
        // One process and a few threads: what runs in it keeps connections and streams.
        let options = ["--bind", &bind, "--worker-class", "gthread", "--threads", "8"];
        let folders = ["--worker-tmp-dir", ".", "--no-control-socket"];
        let rest = ["--graceful-timeout", "1", "httpbin:app"];
        options.iter().chain(&folders).chain(&rest).map(|&argument| argument.to_owned()).collect()
    }))
}
