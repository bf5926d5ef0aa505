//! What nobody speaks any more: OpenSSL does, if it is asked to.

use crate::support::{builder, trust};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use waterclock::ErrorKind;

/// A case, how the certificate is made, and how the server speaks.
const ROWS: &[(&str, &[&str], &[&str])] = &[
    ("TLS 1.0", &["rsa:2048", "-sha256"], &["-tls1", "-cipher", "DEFAULT@SECLEVEL=0"]),
    ("TLS 1.1", &["rsa:2048", "-sha256"], &["-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"]),
    ("a NULL cipher", &["rsa:2048", "-sha256"], &["-tls1_2", "-cipher", "NULL-SHA256:@SECLEVEL=0"]),
    (
        "an export-grade key exchange",
        &["rsa:2048", "-sha256"],
        &["-tls1_2", "-cipher", "AES128-SHA"],
    ),
    ("RSA with 1024 bits", &["rsa:1024", "-sha256"], &["-cipher", "DEFAULT@SECLEVEL=0"]),
    ("a signature with SHA-1", &["rsa:2048", "-sha1"], &["-cipher", "DEFAULT@SECLEVEL=0"]),
];
const GOOD: &[&str] = &["rsa:2048", "-sha256"];

/// OpenSSL's server, which ends with the test.
struct OldServer(Child, u16);

impl Drop for OldServer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn openssl(folder: &Path, arguments: &[&str]) -> bool {
    let mut command = Command::new("openssl");
    command.args(arguments).current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null());
    command.stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// A root, and below it a server's certificate that is made like this.
fn certificates(folder: &Path, how: &[&str]) -> bool {
    let [key, hash] = how else { panic!("{how:?}") };
    std::fs::write(folder.join("names"), "subjectAltName=IP:127.0.0.1\n").unwrap();
    let root = [
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "root.key", "-out", "root.pem",
        "-subj", "/CN=Root", "-days", "2",
    ];
    let wish = [
        "req",
        "-newkey",
        key,
        "-nodes",
        "-keyout",
        "key.pem",
        "-out",
        "wish.pem",
        "-subj",
        "/CN=server",
    ];
    let sign = [
        "x509",
        "-req",
        "-in",
        "wish.pem",
        "-CA",
        "root.pem",
        "-CAkey",
        "root.key",
        "-CAcreateserial",
        hash,
        "-days",
        "2",
        "-extfile",
        "names",
        "-out",
        "cert.pem",
    ];
    openssl(folder, &root) && openssl(folder, &wish) && openssl(folder, &sign)
}

fn serve(folder: &Path, how: &[&str]) -> Option<OldServer> {
    let mut command = Command::new("openssl");
    command.args([
        "s_server",
        "-accept",
        "127.0.0.1:0",
        "-cert",
        "cert.pem",
        "-key",
        "key.pem",
        "-www",
    ]);
    command.args(how).current_dir(folder).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::null()).spawn().ok()?;
    let lines = BufReader::new(child.stdout.take()?).lines();
    // `ACCEPT 127.0.0.1:PORT`, or the end if it does not even know how.
    let port = lines
        .map_while(Result::ok)
        .find_map(|line| line.strip_prefix("ACCEPT 127.0.0.1:").and_then(|port| port.parse().ok()));
    let server = OldServer(child, port.unwrap_or(0));
    port.map(|_| server)
}

fn folder() -> PathBuf {
    let path = std::env::temp_dir().join(format!("waterclock-old-tls-{}", std::process::id()));
    std::fs::create_dir_all(&path).unwrap();
    path
}

#[test]
fn tls_what_is_too_old_is_refused() {
    let folder = folder();
    if !openssl(&folder, &["version"]) {
        eprintln!("!!! NOT TESTED: old TLS, for there is no openssl");
        return;
    }
    let call = |server: &OldServer| {
        let root = std::fs::read_to_string(folder.join("root.pem")).unwrap();
        let session = builder().tls(trust(&root)).build().unwrap();
        session.get(format!("https://127.0.0.1:{}/", server.1)).send()
    };
    assert!(certificates(&folder, GOOD));
    let server = serve(&folder, &[]).expect("OpenSSL's server");
    assert_eq!(call(&server).unwrap().status(), 200, "what is not too old");
    for (case, made, spoken) in ROWS {
        assert!(certificates(&folder, made), "{case}");
        let Some(server) = serve(&folder, spoken) else {
            eprintln!("!!! NOT TESTED: {case}, which this openssl does not know either");
            continue;
        };
        let error = call(&server).expect_err(case);
        assert!(
            matches!(error.kind(), ErrorKind::Tls | ErrorKind::Certificate),
            "{case}: {error:#}"
        );
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
