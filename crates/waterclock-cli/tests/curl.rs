//! The curl command that `--curl` prints: curl, if it is there, makes the same request of it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests panic to fail")]

mod common;

use common::{Ran, cleaned, run, scratch, waterclock};
use std::process::{Command, Stdio};
use waterclock_lab::{ReceivedRequest, Script, Server, redirect, respond, respond_with};

/// What a request is to a server, without what says which client it is.
#[derive(Debug, PartialEq)]
struct Seen {
    line: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Seen {
    fn of(request: &ReceivedRequest) -> Self {
        let mut body = String::from_utf8(request.body.clone()).unwrap();
        let boundary =
            request.header("content-type").and_then(|kind| kind.split_once("; boundary="));
        let boundary = boundary.map(|(_, boundary)| boundary.to_owned());
        if let Some(boundary) = &boundary {
            body = body.replace(boundary, "BOUNDARY");
        }
        let mut headers = Vec::new();
        for (name, value) in &request.headers {
            let name = name.to_ascii_lowercase();
            let value = match (name.as_str(), value.as_str(), &boundary) {
                // curl says keep-alive to nobody, and names the codings that it knows.
                ("user-agent" | "connection", _, _) => continue,
                // Boundaries differ in length.
                ("content-length", _, Some(_)) => continue,
                ("content-type", value, Some(boundary)) => value.replace(boundary, "BOUNDARY"),
                ("accept-encoding", value, _) if value.contains("gzip") => "gzip and others".into(),
                // Both chose a nonce of their own.
                ("authorization", value, _) if value.starts_with("Digest") => "Digest".into(),
                (_, value, _) => value.to_owned(),
            };
            headers.push((name, value));
        }
        headers.sort();
        Seen { line: format!("{} {}", request.method, request.target), headers, body }
    }
}

fn script() -> Script {
    Script::by_request(|request| match request.path() {
        "/redirect" => redirect(301, "/there"),
        "/digest" if request.header("authorization").is_none() => {
            let challenge = "Digest realm=\"r\", nonce=\"n\", qop=\"auth\"";
            respond_with(401, &[("WWW-Authenticate", challenge)], "")
        }
        "/cookie" => respond_with(200, &[("Set-Cookie", "set=1")], "ok"),
        _ => respond(200, "ok"),
    })
}

fn has_curl() -> bool {
    Command::new("curl").arg("--version").stdout(Stdio::null()).status().is_ok()
}

/// Runs it, and what `--curl` prints, each with a server of its own, and compares what they saw.
fn same(path: &str, arguments: &[&str]) {
    let seen = |as_curl: bool| {
        let server = Server::start(script()).unwrap();
        let url = server.url(path);
        let arguments: Vec<&str> = [arguments, &[&url]].concat();
        if as_curl {
            let printed = run(&[&["--curl"], &*arguments].concat()).expect(0);
            assert_eq!(server.requests().len(), 0, "--curl sends nothing");
            let mut command = cleaned(Command::new("sh"));
            let ran = command.args(["-c", &format!("{} -s -S", printed.out.trim())]).output();
            let ran = ran.unwrap();
            assert!(ran.status.success(), "{}\n{ran:?}", printed.out);
        } else {
            run(&[&["-q"], &*arguments].concat()).expect(0);
        }
        let port = server.address().port().to_string();
        let mut all: Vec<Seen> = server.requests().iter().map(Seen::of).collect();
        for (_, value) in all.iter_mut().flat_map(|seen| &mut seen.headers) {
            *value = value.replace(&port, "PORT");
        }
        all
    };
    assert_eq!(seen(true), seen(false), "{arguments:?}");
}

#[test]
fn curl_makes_the_same_request() {
    if !has_curl() {
        return;
    }
    let file = scratch("it's; a \"file\".txt");
    std::fs::write(&file, "from a\r\nfile\n\0").unwrap();
    let file = file.to_str().unwrap();
    let data = format!("@{file}");
    let part = format!("f=@\"{}\"", file.replace('"', "\\\""));
    let typed = format!("{part};type=a/b;filename=\"n;m.txt\"");
    let jar = scratch("curl-jar");
    std::fs::write(&jar, "127.0.0.1\tFALSE\t/\tFALSE\t0\tkept\t1\n").unwrap();
    let netrc = scratch("curl-netrc");
    std::fs::write(&netrc, "machine 127.0.0.1 login me password hush\n").unwrap();
    for arguments in [
        &[][..],
        &["DELETE"],
        &["-X", "PATCH", "-d", "it's $HOME `x` \\ \"!\n@"],
        &["-d", &data],
        &["-d", ""],
        &["-X", "GET", "-d", "x"],
        &["-H", "X-A: 1", "-H", "X-A: it's", "-H", "X-Empty;", "-H", "Accept:"],
        &["-A", "me/1", "-H", "Content-Type: text/plain", "-d", "x"],
        &["-H", "Content-Type:", "-d", "x"],
        &["--no-compressed"],
        &["--no-decode"],
        &["-u", "me:it's hush"],
        &["--bearer", "t0k"],
        &["--netrc-file", netrc.to_str().unwrap()],
        &["-b", "a=1; b=2", "-b", "c=3"],
        &["-b", jar.to_str().unwrap()],
        &["-F", "a=1", "-F", "b=x;y@<", "-F", "c=v;type=text/x"],
        &["-F", &part, "-F", &typed],
        &["--expect-continue", "-d", "x"],
        &["-m", "20", "--connect-timeout", "10", "--retry", "1"],
        &["-k", "--no-env"],
    ] {
        same("/x?a=b%20c", arguments);
    }
    same("/a b/[1]{2}?q='\"", &[]);
    same("/redirect", &["-L"]);
    same("/redirect", &["-L", "-d", "x"]);
    same("/redirect", &["-L", "--keep-method", "-d", "x"]);
    same("/digest", &["-u", "me:hush", "--digest"]);
}

#[test]
fn items_and_json_too() {
    if !has_curl() {
        return;
    }
    // Items stand behind the URL.
    let server = Server::start(script()).unwrap();
    let arguments = [&server.url("/x"), "name=it's", "n:=[1, 2]", "q==a&b", "X-A:1"];
    run(&[&["-q"], &arguments[..]].concat()).expect(0);
    let printed = run(&[&["--curl"], &arguments[..]].concat()).expect(0).out;
    assert!(cleaned(Command::new("sh")).args(["-c", &printed]).output().unwrap().status.success());
    let [ours, theirs] = &server.requests()[..] else { panic!("two requests") };
    assert_eq!(Seen::of(ours), Seen::of(theirs));
}

#[test]
fn curl_streams_standard_input_as_well() {
    if !has_curl() {
        return;
    }
    let server = Server::start(script()).unwrap();
    let printed = run(&["--curl", "--stdin", &server.url("/x")]).expect(0).out;
    let line = format!("echo piped | {printed}");
    assert!(cleaned(Command::new("sh")).args(["-c", &line]).output().unwrap().status.success());
    let request = &server.requests()[0];
    assert_eq!((request.method.as_str(), &request.body[..]), ("POST", &b"piped\n"[..]));
    assert_eq!(request.header("transfer-encoding"), Some("chunked"));
    assert_eq!(request.header("expect"), None);
}

#[test]
fn curl_keeps_cookies_and_files_where_they_would_be() {
    if !has_curl() {
        return;
    }
    let (jar, file) = (scratch("its-jar"), scratch("its-file"));
    let _ = std::fs::remove_file(&jar);
    let server = Server::start(script()).unwrap();
    let (jar, file) = (jar.to_str().unwrap(), file.to_str().unwrap());
    let printed = run(&["--curl", "-c", jar, "-o", file, &server.url("/cookie")]).expect(0).out;
    assert!(!std::path::Path::new(jar).exists(), "--curl writes nothing");
    for _ in 0..2 {
        let printed = run(&["--curl", "-c", jar, "-o", file, &server.url("/cookie")]).expect(0).out;
        assert!(
            cleaned(Command::new("sh")).args(["-c", &printed]).output().unwrap().status.success()
        );
    }
    assert!(!printed.contains("-b"), "{printed}");
    assert_eq!(server.requests()[1].header("cookie"), Some("set=1"));
    assert_eq!(std::fs::read_to_string(file).unwrap(), "ok");
}

#[test]
fn a_session_is_written_out_and_no_password_asked_for() {
    let file = scratch("curl-session.json");
    let name = file.to_str().unwrap();
    let server = Server::start(script()).unwrap();
    let url = server.url("/cookie");
    run(&["-q", "--session", name, "-u", "me:hush", "-H", "X-A: 1", &url]).expect(0);
    let before = std::fs::read(&file).unwrap();
    let ran = run(&["--curl", "--session", name, &url]).expect(0);
    let wanted = format!("curl -u me:hush -b set=1 -H 'X-A: 1' --compressed {url}\n");
    assert_eq!(ran.out, wanted);
    ran.says("curl has no sessions");
    assert_eq!(std::fs::read(&file).unwrap(), before);
    assert_eq!(
        run(&["--curl", "-u", "me", "h.test"]).expect(0).out,
        "curl -u me --compressed https://h.test/\n"
    );
}

#[test]
fn bad_input_is_refused_here_too() {
    run(&["--curl"]).expect(2).says("no URL");
    run(&["--curl", "h.test", "nonsense"]).expect(2).says("no request item");
    let mut command = waterclock();
    command.args(["--curl", "-O", "https://h.test/"]);
    Ran::from(command.output().unwrap()).expect(2).says("use -o FILE");
}
