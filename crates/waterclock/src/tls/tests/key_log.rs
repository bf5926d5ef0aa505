//! The key log: what is in it, and who can read it.

use super::*;
use std::fs;
use std::path::PathBuf;

/// A directory that is removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("waterclock-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Scratch(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn connect(logging: KeyLogging) {
    let authority = Authority::new("Root");
    let server = authority.issue_for(&["shop.example"]);
    let settings = authority.settings().key_logging(logging).build().unwrap();
    for versions in [TLS12, TLS13] {
        handshake(&settings, "shop.example", server.server(versions)).unwrap();
    }
}

fn labels(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    let mut labels = Vec::new();
    for line in text.lines() {
        let [label, random, secret] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line:?}")
        };
        assert_eq!(random.len(), 64);
        assert!(secret.len() >= 64 && secret.len().is_multiple_of(2));
        assert!(random.bytes().chain(secret.bytes()).all(|byte| byte.is_ascii_hexdigit()));
        labels.push(label.to_owned());
    }
    labels
}

const BOTH_VERSIONS: [&str; 6] = [
    "CLIENT_RANDOM",
    "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
    "SERVER_HANDSHAKE_TRAFFIC_SECRET",
    "CLIENT_TRAFFIC_SECRET_0",
    "SERVER_TRAFFIC_SECRET_0",
    "EXPORTER_SECRET",
];

#[test]
fn a_file_is_private_and_appended_to() {
    let scratch = Scratch::new("key-log");
    let path = scratch.0.join("keys");
    connect(KeyLogging::File(path.clone()));
    assert_eq!(labels(&path), BOTH_VERSIONS);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    connect(KeyLogging::File(path.clone()));
    assert_eq!(labels(&path), [BOTH_VERSIONS, BOTH_VERSIONS].concat());
}

#[test]
fn the_environment_names_a_file() {
    const TEST: &str = "key_log::the_environment_names_a_file";
    match std::env::var(ROLE).as_deref() {
        Ok("environment") => return connect(KeyLogging::Environment),
        Ok("off") => return connect(KeyLogging::Off),
        _ => {}
    }
    let scratch = Scratch::new("key-log-environment");
    for (role, expected) in [("environment", BOTH_VERSIONS.as_slice()), ("off", &[])] {
        let path = scratch.0.join(role);
        run_again(TEST, role, &[("SSLKEYLOGFILE", &path)]);
        let found = if path.exists() { labels(&path) } else { Vec::new() };
        assert_eq!(found, expected);
    }
}

#[test]
fn a_file_that_cannot_be_written_stops_nothing() {
    let scratch = Scratch::new("key-log-bad");
    connect(KeyLogging::File(scratch.0.clone()));
    connect(KeyLogging::File(scratch.0.join("no/such/directory")));
}

#[cfg(unix)]
#[test]
fn a_pipe_would_block_and_is_not_opened() {
    let scratch = Scratch::new("key-log-pipe");
    let pipe = scratch.0.join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    connect(KeyLogging::File(pipe));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_stops_nothing() {
    connect(KeyLogging::File("/dev/full".into()));
}
