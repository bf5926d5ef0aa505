//! tinyproxy: a small forward proxy, here with a password.

use super::{PASSWORD, USER};
use crate::support::{Daemon, fill, find};

pub(crate) struct Tinyproxy {
    daemon: Daemon,
}

impl Tinyproxy {
    pub(crate) fn start() -> Option<Tinyproxy> {
        let program = find("tinyproxy")?;
        let daemon = Daemon::start(&program, 1, |folder, ports| {
            let values: &[(&str, &dyn ToString)] =
                &[("PORT", &ports[0].port()), ("USER", &USER), ("PASSWORD", &PASSWORD)];
            folder.write("tinyproxy.conf", fill(include_str!("../conf/tinyproxy.conf"), values));
            ["-d", "-c", "tinyproxy.conf"].map(str::to_owned).to_vec()
        });
        Some(Tinyproxy { daemon })
    }

    /// Its URL; `userinfo` is empty or ends with `@`.
    pub(crate) fn url(&self, userinfo: &str) -> String {
        format!("http://{userinfo}{}", self.daemon.address(0))
    }
}
