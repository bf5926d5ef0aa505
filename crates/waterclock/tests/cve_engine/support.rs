//! What the tests share: policies, a simulated origin, and tests in a process of their own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use waterclock::tls::{Roots, TlsSettings};
use waterclock::{Error, Limits, Response, Session, SessionBuilder};
use waterclock_sim::{Script, SimWorld};

/// What an attacker would like to be taken for an answer.
pub(crate) const EVIL: &str = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL";

/// What ends a call that hangs.
fn limits() -> Limits {
    Limits::total(Duration::from_secs(30))
}

/// A builder that nothing around the test can influence, and that ends what hangs.
pub(crate) fn builder() -> SessionBuilder {
    Session::builder().trust_env(false).limits(limits())
}

/// Settings that trust the roots in `pem` and no others.
pub(crate) fn trust(pem: &str) -> TlsSettings {
    TlsSettings::builder().roots(Roots::pem(pem.as_bytes()).unwrap()).build().unwrap()
}

/// Settings that trust everybody.
pub(crate) fn careless() -> TlsSettings {
    TlsSettings::builder().danger_accept_invalid_certificates(true).build().unwrap()
}

/// A whole response with that body.
pub(crate) fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// `http://origin.test` in a world of its own.
pub(crate) struct Origin {
    pub(crate) world: Arc<SimWorld>,
    pub(crate) session: Session,
}

impl Origin {
    const ADDRESS: &'static str = "192.0.2.1:80";

    /// The first connection gets `first`; all others are answered `other`, over and over.
    pub(crate) fn new(first: Script) -> Self {
        let world = SimWorld::new();
        world.host("origin.test").resolves_to(["192.0.2.1"]);
        // A script need not be `Sync`.
        let first = Mutex::new(first);
        world.listen(Self::ADDRESS).serve_with(move |number| match number {
            0 => first.lock().unwrap().clone(),
            _ => Script::new().repeat(Script::new().expect_head().send(ok("other"))),
        });
        let builder = SessionBuilder::in_world(world.clone());
        let session = builder.limits(limits()).build().unwrap();
        Origin { world, session }
    }

    /// An origin that answers the first request with `response` and stays silent then.
    pub(crate) fn answering(response: impl AsRef<[u8]>) -> Self {
        Origin::new(Script::new().expect_head().send(response))
    }

    pub(crate) fn get(&self) -> Result<Response, Error> {
        self.session.get("http://origin.test/").send()
    }

    /// The whole exchange: the body, or the error wherever it came from.
    pub(crate) fn fetch(&self) -> Result<String, Error> {
        self.get().and_then(|mut response| response.text())
    }

    pub(crate) fn connections(&self) -> usize {
        self.world.connections(Self::ADDRESS).len()
    }
}

/// A directory that is removed at the end.
pub(crate) struct Directory(pub(crate) PathBuf);

impl Directory {
    pub(crate) fn new(name: &str) -> Self {
        let name = format!("waterclock-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Directory(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The names of what is in a directory, in order.
pub(crate) fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Set in the process that [`alone`] starts.
const ALONE: &str = "WATERCLOCK_TEST_ALONE";

/// Runs the test of this name again, in a process of its own with this environment, and gives false;
/// in that process gives true. There nothing else uses memory.
pub(crate) fn alone(test: &str, environment: &[(&str, &str)]) -> bool {
    if std::env::var_os(ALONE).is_some() {
        return true;
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]).env(ALONE, "1");
    command.env_remove("SSL_CERT_FILE").env_remove("SSL_CERT_DIR");
    let output = command.envs(environment.iter().copied()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && text.contains("1 passed"), "{text}\n{errors}");
    false
}
