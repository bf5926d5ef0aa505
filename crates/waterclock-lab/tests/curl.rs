//! curl as a second opinion: a client that we did not write.
#![allow(clippy::disallowed_methods)] // waiting for a process
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests may fail tests

use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use waterclock_lab::{
    Blackhole, FastServer, Identity, Proxy, ProxyAction, Script, Server, Tls, TlsScript, after,
    respond,
};

/// curl that knows nothing of the surroundings; `None`, loudly, where there is no curl.
fn curl(arguments: &[&str]) -> Option<(i32, String)> {
    let mut command = Command::new("curl");
    command.env_clear();
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    // -q: no .curlrc. The second limit is only for curl's own bugs.
    command.args(["-q", "-s", "--max-time", "5"]).args(arguments);
    match command.output() {
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            Some((output.status.code().unwrap_or(-1), text))
        }
        Err(error) => {
            eprintln!("SKIPPED: no second opinion, curl cannot be run: {error}");
            None
        }
    }
}

/// A CA file that goes away with the test.
struct CaFile(PathBuf);

impl CaFile {
    fn new(identity: &Identity, name: &str) -> Self {
        let name = format!("waterclock-lab-{name}-{}.pem", std::process::id());
        let path = std::env::temp_dir().join(name);
        let mut file = std::fs::File::create(&path).unwrap();
        file.write_all(identity.ca_pem().as_bytes()).unwrap();
        CaFile(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for CaFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn curl_gets_a_slow_answer_over_tls() {
    let identity = Identity::new(&["127.0.0.1"]).unwrap();
    let ca = CaFile::new(&identity, "slow");
    let ms = Duration::from_millis;
    let tls = Tls::new(identity).script(TlsScript::new().first_flight([ms(60), ms(30)]));
    let slow = Script::every_request(after(ms(80), respond(200, "hello")));
    let server = Server::builder().tls(tls).script(slow).start().unwrap();
    let times = "\n%{http_version} %{time_connect} %{time_appconnect} %{time_starttransfer}";
    let url = server.url("/");
    let Some((code, output)) = curl(&["--cacert", ca.path(), "-w", times, &url]) else { return };
    assert_eq!(code, 0, "{output}");
    let (body, times) = output.rsplit_once('\n').unwrap();
    assert_eq!(body, "hello");
    let times: Vec<f64> = times.split(' ').map(|time| time.parse().unwrap()).collect();
    let [_, connected, secured, first] = times[..] else { panic!("{times:?}") };
    assert!(secured - connected >= 0.09 && first - secured >= 0.08, "{times:?}");
}

#[test]
fn curl_refuses_what_it_should() {
    let identity = Identity::expired(&["127.0.0.1"]).unwrap();
    let ca = CaFile::new(&identity, "expired");
    let server = Server::builder().tls(identity).start().unwrap();
    let Some((code, _)) = curl(&["--cacert", ca.path(), &server.url("/")]) else { return };
    assert_eq!(code, 60, "certificate not accepted");

    let hole = Blackhole::start().unwrap();
    let url = format!("http://{}/", hole.address());
    let Some((code, _)) = curl(&["--connect-timeout", "0.1", &url]) else { return };
    assert_eq!(code, 28, "timed out");
}

#[test]
fn curl_passes_the_proxy_and_uploads_to_the_fast_server() {
    let server = FastServer::start().unwrap();
    let proxy = Proxy::builder().require_authorization("Basic dTpw").start().unwrap();
    let url = server.url("/?id=7");
    let via = ["-x", &proxy.url(), "-U", "u:p"];
    for arguments in [&via[..], &[&via[..], &["-p"]].concat()] {
        let Some((code, body)) = curl(&[arguments, &[&url]].concat()) else { return };
        assert_eq!((code, body.as_str()), (0, "7"));
    }
    let data = "x".repeat(2_000);
    let upload = ["-d", &data, "-H", "Expect: 100-continue", &url];
    assert_eq!(curl(&upload).unwrap(), (0, "2000".into()));

    let refusing =
        Proxy::builder().script(|_| ProxyAction::refuse(403, &[], "no")).start().unwrap();
    let refused = curl(&["-p", "-x", &refusing.url(), &url]).unwrap();
    assert_eq!(refused.0, 56, "the tunnel was refused");
}
