//! Daemons: other people's servers, each in the foreground in a folder of its own, on free ports of
//! loopback, for as long as a test wants it.

use std::fs::{self, Permissions};
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use waterclock::tls::{Roots, TlsSettings, TlsSettingsBuilder};
use waterclock::{Limits, Session, SessionBuilder};
use waterclock_lab::Authority;

/// How long a daemon may take for anything. None is ever waited for that long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// Between two looks at what it does.
pub(crate) const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// For every certificate of a peer.
pub(crate) const NAMES: &[&str] = &["127.0.0.1", "localhost", "shop.test"];

/// A builder whose calls end before somebody wonders, and that knows nothing of the surroundings.
pub(crate) fn builder() -> SessionBuilder {
    Session::builder().limits(Limits::total(PATIENCE)).trust_env(false)
}

pub(crate) fn session() -> Session {
    builder().build().unwrap()
}

/// Settings that trust `authority` alone.
pub(crate) fn trust(authority: &Authority) -> TlsSettingsBuilder {
    TlsSettings::builder().roots(Roots::pem(authority.pem().as_bytes()).unwrap())
}

/// The program, in `PATH` or where servers are and users do not look. `None`, loudly, if it is not
/// installed: the test is skipped.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let servers = ["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from);
    let mut folders = std::env::split_paths(&path).chain(servers);
    let found = folders.find_map(|folder| Some(folder.join(program)).filter(|path| path.is_file()));
    found.or_else(|| skipped(program))
}

/// Says that a test is skipped. Not with `eprintln!`, which is not shown for tests that pass.
pub(crate) fn skipped<T>(program: &str) -> Option<T> {
    let _ = writeln!(io::stderr(), "SKIPPED: {program} is not installed; run scripts/setup");
    None
}

/// `template` with `@NAME@` replaced by its value.
pub(crate) fn fill(template: &str, values: &[(&str, &dyn ToString)]) -> String {
    values.iter().fold(template.to_owned(), |text, (name, value)| {
        text.replace(&format!("@{name}@"), &value.to_string())
    })
}

/// A folder for one daemon: the lifeline removes it.
pub(crate) struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("waterclock-peer-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&path); // of a process that had our id
        fs::create_dir(&path).unwrap();
        // Some daemons that root has started give its rights away, and write here then.
        fs::set_permissions(&path, Permissions::from_mode(0o777)).unwrap();
        Folder(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.0.join(name), content).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).unwrap()
    }

    /// `server.pem` and `server.key`, by this authority, and its certificate.
    pub(crate) fn write_identity(&self, authority: &Authority) {
        let identity = authority.issue(NAMES).unwrap();
        self.write("authority.pem", authority.pem());
        self.write("server.pem", identity.certificate_pem());
        self.write("server.key", identity.key_pem());
    }

    /// The ends of all logs.
    fn logs(&self) -> String {
        let entries = fs::read_dir(&self.0).into_iter().flatten().flatten();
        let logs = entries.map(|entry| entry.path());
        let logs = logs.filter(|path| path.extension().is_some_and(|name| name == "log"));
        let ends = logs.map(|path| {
            let text = String::from_utf8_lossy(&fs::read(&path).unwrap_or_default()).into_owned();
            let lines: Vec<&str> = text.lines().collect();
            let end = lines[lines.len().saturating_sub(60)..].join("\n");
            format!("--- {}\n{end}\n", path.display())
        });
        ends.collect()
    }
}

/// A running server. It ends with this value, or with the process.
pub(crate) struct Daemon {
    child: Child,
    /// While this is open the daemon lives.
    lifeline: Option<ChildStdin>,
    folder: Folder,
    addresses: Vec<SocketAddr>,
}

impl Daemon {
    /// Starts the program on so many ports and waits until it accepts connections on all of them.
    /// `configure` fills the folder and gives the arguments.
    pub(crate) fn start(
        program: &Path,
        ports: usize,
        configure: impl Fn(&Folder, &[SocketAddr]) -> Vec<String>,
    ) -> Daemon {
        let mut logs = String::new();
        for _ in 0..3 {
            let folder = Folder::new();
            let addresses: Vec<SocketAddr> = (0..ports).map(|_| free_port()).collect();
            let arguments = configure(&folder, &addresses);
            let mut daemon = Self::spawn(program, &arguments, folder, addresses);
            if daemon.accepts() {
                return daemon;
            }
            logs.push_str(&daemon.folder.logs());
        }
        panic!("{} does not start:\n{logs}", program.display());
    }

    fn spawn(
        program: &Path,
        arguments: &[String],
        folder: Folder,
        addresses: Vec<SocketAddr>,
    ) -> Daemon {
        let log = fs::File::create(folder.path().join("output.log")).unwrap();
        let mut child = Command::new("sh")
            .args(["-c", include_str!("conf/lifeline.sh"), "lifeline"])
            .arg(folder.path())
            .arg(program)
            .args(arguments)
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        Daemon { lifeline: child.stdin.take(), child, folder, addresses }
    }

    /// Waits until it accepts connections, ends, or has had enough time.
    fn accepts(&mut self) -> bool {
        let begin = Instant::now();
        let mut waiting = self.addresses.clone();
        while begin.elapsed() < PATIENCE {
            waiting.retain(|address| TcpStream::connect(address).is_err());
            if self.child.try_wait().unwrap().is_some() {
                return false;
            }
            if waiting.is_empty() {
                return true;
            }
            std::thread::sleep(LOOK_AGAIN);
        }
        false
    }

    /// The address of the port with this index.
    pub(crate) fn address(&self, index: usize) -> SocketAddr {
        self.addresses[index]
    }

    pub(crate) fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Sends the daemon a signal, by its name.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status();
        assert!(status.unwrap().success());
    }

    /// Shows the logs if the test is failing.
    pub(crate) fn show_if_failing(&self) {
        if std::thread::panicking() {
            eprintln!("{}", self.folder.logs());
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.show_if_failing();
        drop(self.lifeline.take());
        let begin = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) && begin.elapsed() < PATIENCE {
            std::thread::sleep(LOOK_AGAIN);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that nobody else gets: a connection that has just ended on it keeps it from those who ask
/// for any port, for a minute, and not from a server that asks for this one.
fn free_port() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let client = TcpStream::connect(address).unwrap();
    let (accepted, _) = listener.accept().unwrap();
    drop(accepted); // first: TIME_WAIT is for the side that closes first
    drop(client);
    address
}
