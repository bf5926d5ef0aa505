//! What goes over the sockets, recorded: as packets, in the run document, and never unasked.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests panic to fail")]

mod common;

use common::{Ran, checked, run, scratch, waterclock};
use serde_json::Value;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use waterclock_lab::{Identity, Script, Server, Step, Tls, head_then_stall, respond, respond_with};

/// A server with TLS, and the file of its authority.
fn secure(name: &str) -> (Server, String) {
    let identity = Identity::new(&["127.0.0.1"]).unwrap();
    let ca = scratch(&format!("{name}-ca.pem"));
    std::fs::write(&ca, identity.ca_pem()).unwrap();
    let script = Script::every_request(respond(200, "tea"));
    let server = Server::builder().tls(Tls::new(identity)).script(script).start().unwrap();
    (server, ca.to_str().unwrap().to_owned())
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

/// What tshark's HTTP dissector says of a file; `None`, loudly, where there is no tshark.
fn dissected(path: &str) -> Option<Vec<String>> {
    let mut command = Command::new("tshark");
    command.args(["-n", "-o", "tcp.try_heuristic_first:TRUE", "-r", path, "-Y", "http"]);
    command.args(["-T", "fields", "-e", "_ws.col.Info"]);
    let Ok(output) = command.env("WIRESHARK_CONFIG_DIR", "/nonexistent").output() else {
        let words = "SKIPPED: tshark is not installed; run scripts/setup";
        let _ = writeln!(std::io::stderr(), "{words}");
        return None;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect())
}

/// What the recording in a document has sent and received, as text.
fn text_of(document: &Value) -> String {
    use base64::Engine as _;
    let decode = |piece: &Value| {
        let bytes =
            base64::engine::general_purpose::STANDARD.decode(piece["bytes"].as_str().unwrap());
        String::from_utf8_lossy(&bytes.unwrap()).into_owned()
    };
    let connections = document["wire"]["connections"].as_array().unwrap();
    connections.iter().flat_map(|one| one["pieces"].as_array().unwrap()).map(decode).collect()
}

#[test]
fn packets_are_written_beside_everything_else() {
    let server = Server::start(Script::every_request(respond(200, "tea"))).unwrap();
    let (packets, saved) = (scratch("plain.pcapng"), scratch("plain.json"));
    let (file, document) = (packets.to_str().unwrap(), saved.to_str().unwrap());
    let ran = run(&["--pcapng", file, "--save", document, &server.url("/cup")]).expect(0);
    assert_eq!(ran.out, "tea");
    assert_eq!(std::fs::read(&packets).unwrap()[..4], [0x0a, 0x0d, 0x0d, 0x0a]);
    assert_eq!(mode(&packets), 0o600, "it has the text of the call");
    let document = checked(&std::fs::read_to_string(&saved).unwrap());
    assert!(document.get("wire").is_none(), "only with --capture");
    if let Some(http) = dissected(file) {
        assert_eq!(http.len(), 2, "{http:?}");
        assert!(http[0].starts_with("GET /cup ") && http[1].starts_with("HTTP/1.1 200"));
    }
}

#[test]
fn tls_is_decrypted_only_if_that_was_asked_for() {
    let (server, ca) = secure("keys");
    let file = scratch("tls.pcapng");
    let file = file.to_str().unwrap();
    let arguments = ["--cacert", &ca, "--pcapng", file, &server.url("/cup")];
    run(&arguments).expect(0);
    let Some(http) = dissected(file) else { return };
    assert_eq!(http, [""; 0]);
    run(&[&arguments[..], &["--pcapng-keys"]].concat()).expect(0);
    assert_eq!(dissected(file).unwrap().len(), 2);
}

#[test]
fn the_document_keeps_what_is_needed_for_later() {
    let (server, ca) = secure("later");
    let arguments = ["--cacert", &ca, "--json", "--capture", &server.url("/")];
    let document = run(&arguments).expect(0).document();
    let connection = &document["wire"]["connections"][0];
    assert_eq!(connection["remote_address"], server.address().to_string());
    assert!(connection["pieces"].as_array().unwrap().len() >= 4);
    assert!(document["wire"].get("keys").is_none());
    let document = run(&[&arguments[..], &["--pcapng-keys"]].concat()).expect(0).document();
    let keys = document["wire"]["keys"].as_array().unwrap();
    assert!(keys.iter().any(|line| line.as_str().unwrap().starts_with("SERVER_TRAFFIC_SECRET_0 ")));

    let saved = scratch("kept.json");
    let save = ["--cacert", &ca, "--save", saved.to_str().unwrap(), "--capture"];
    run(&[&save[..], &[&server.url("/")]].concat()).expect(0);
    assert_eq!(mode(&saved), 0o600);
    assert!(checked(&std::fs::read_to_string(&saved).unwrap()).get("wire").is_some());
}

#[test]
fn a_saved_run_converts_to_the_same_packets() {
    let (server, ca) = secure("same");
    let [live, saved, later] = ["live.pcapng", "same.json", "later.pcapng"].map(scratch);
    let [live, saved, later] = [&live, &saved, &later].map(|path| path.to_str().unwrap());
    let arguments = ["--cacert", &ca, "--save", saved, "--capture", "--pcapng", live];
    for keys in [&[][..], &["--pcapng-keys"]] {
        run(&[&arguments[..], keys, &[&server.url("/")]].concat()).expect(0);
        run(&[&["convert", saved, "--pcapng", later], keys].concat()).expect(0);
        assert_eq!(std::fs::read(live).unwrap(), std::fs::read(later).unwrap());
    }
    // Without the flag they stay where they are.
    run(&["convert", saved, "--pcapng", later]).expect(0);
    assert!(std::fs::metadata(later).unwrap().len() < std::fs::metadata(live).unwrap().len());
}

#[test]
fn what_was_not_kept_cannot_be_converted() {
    let server = Server::start(Script::default()).unwrap();
    let [saved, later] = ["bare.json", "bare.pcapng"].map(scratch);
    let [saved, later] = [&saved, &later].map(|path| path.to_str().unwrap());
    run(&["--save", saved, &server.url("/")]).expect(0);
    let convert = ["convert", saved, "--pcapng", later];
    run(&convert).expect(2).says("bare.json: the bytes of this run were not recorded");
    run(&["convert", saved, "--svg", later, "--pcapng-keys"]).expect(2).says("goes with --pcapng");
    run(&["--save", saved, "--capture", &server.url("/")]).expect(0);
    let ran = run(&[&convert[..], &["--pcapng-keys"]].concat()).expect(2);
    ran.says("it has no secrets of TLS; they are kept with --capture --pcapng-keys");
    assert!(!Path::new(later).exists());
    run(&convert).expect(0);
}

#[test]
fn credentials_in_plain_text_are_masked_unless_they_are_asked_for() {
    let answer = respond_with(200, &[("Set-Cookie", "id=hush")], "");
    let server = Server::start(Script::every_request(answer)).unwrap();
    let file = scratch("secret.pcapng");
    let file = file.to_str().unwrap();
    let url = server.url("/");
    let arguments = ["--json", "--capture", "--pcapng", file, "--bearer", "hush", &url];
    let has_it = |bytes: &[u8]| bytes.windows(4).any(|window| window == b"hush");
    let document = run(&arguments).expect(0).document();
    let text = text_of(&document);
    assert!(text.contains("Set-Cookie: *******\r\n") && !text.contains("hush"), "{text}");
    assert!(!has_it(&std::fs::read(file).unwrap()));
    let document = run(&[&arguments[..], &["--with-secrets"]].concat()).expect(0).document();
    assert!(text_of(&document).contains("Bearer hush"));
    assert!(has_it(&std::fs::read(file).unwrap()));
}

#[test]
fn a_failure_is_recorded_as_far_as_it_came() {
    let server = Server::start([vec![Step::ReadHead], head_then_stall(200, 10)].concat()).unwrap();
    let file = scratch("fired.pcapng");
    let ran = run(&["-m", "0.1", "--pcapng", file.to_str().unwrap(), &server.url("/")]);
    ran.expect(28);
    let bytes = std::fs::read(&file).unwrap();
    let told = b"limit fired: total 100 ms";
    assert!(bytes.windows(told.len()).any(|window| window == told));
    // What never began has a file, too, with nothing in it.
    run(&["--pcapng", file.to_str().unwrap(), "http://h.test:99999/"]).expect(3);
    if let Some(http) = dissected(file.to_str().unwrap()) {
        assert_eq!(http, [""; 0]);
    }
}

#[test]
fn what_has_no_place_is_refused_before_anything_is_sent() {
    let file = "/nowhere/at/all.pcapng";
    run(&["--capture", "http://h.test/"]).expect(2).says("add --save FILE or --json");
    run(&["--pcapng-keys", "http://h.test/"]).expect(2).says("goes with --pcapng FILE");
    let server = Server::start(Script::default()).unwrap();
    let ran = run(&["--pcapng", file, &server.url("/")]).expect(23);
    assert_eq!(ran.out, "ok");
    ran.says("cannot write /nowhere/at/all.pcapng");
}

#[test]
fn a_key_log_of_the_environment_is_heeded() {
    let (server, ca) = secure("environment");
    let (log, file) = (scratch("keys.log"), scratch("both.pcapng"));
    std::fs::write(&log, "# kept\n").unwrap();
    for (keys, lines) in [(&[][..], 1), (&["--pcapng", file.to_str().unwrap(), "--pcapng-keys"], 2)]
    {
        let mut command = waterclock();
        command.env("SSLKEYLOGFILE", &log).args(["--cacert", &ca]).args(keys);
        Ran::from(command.arg(server.url("/")).output().unwrap()).expect(0);
        let text = std::fs::read_to_string(&log).unwrap();
        assert!(text.starts_with("# kept\n"));
        assert_eq!(text.matches("\nCLIENT_TRAFFIC_SECRET_0 ").count(), lines, "{text}");
    }
}
