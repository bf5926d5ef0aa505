//! What the arguments make of the request, as a server sees it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests panic to fail")]

mod common;

use common::{run, scratch, waterclock};
use std::io::Write;
use std::process::Stdio;
use waterclock_lab::{Identity, ReceivedRequest, Script, Server, Tls, respond};

fn sent(arguments: &[&str]) -> ReceivedRequest {
    let server = Server::start(Script::default()).unwrap();
    let address = format!(":{}/x", server.address().port());
    let resolve = format!("localhost:{}:127.0.0.1", server.address().port());
    let arguments: Vec<&str> =
        arguments.iter().map(|&word| if word == "URL" { &address } else { word }).collect();
    run(&[&["-q", "--resolve", &resolve], &*arguments].concat()).expect(0);
    server.requests().remove(0)
}

fn body(request: &ReceivedRequest) -> String {
    String::from_utf8(request.body.clone()).unwrap()
}

#[test]
fn a_get_has_the_default_headers_and_no_body() {
    let request = sent(&["URL"]);
    assert_eq!((request.method.as_str(), request.target.as_str()), ("GET", "/x"));
    assert!(request.header("user-agent").unwrap().starts_with("waterclock/"));
    assert!(request.header("host").unwrap().starts_with("localhost:"));
    assert_eq!(request.header("content-length"), None);
}

#[test]
fn items_become_headers_query_and_fields() {
    let request = sent(&["PUT", "URL", "X-Id:7", "q==a b", "name=tea", "n:=3", "Accept:"]);
    assert_eq!((request.method.as_str(), request.target.as_str()), ("PUT", "/x?q=a+b"));
    assert_eq!(request.header("x-id"), Some("7"));
    assert_eq!(request.header("accept"), None);
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(body(&request), r#"{"name":"tea","n":3}"#);
}

#[test]
fn forms_and_raw_data() {
    let request = sent(&["--form", "URL", "name=a b"]);
    assert_eq!(request.header("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(body(&request), "name=a+b");
    let request = sent(&["URL", "-d", "raw", "-H", "Content-Type: text/plain"]);
    assert_eq!((request.method.as_str(), body(&request).as_str()), ("POST", "raw"));
    assert_eq!(request.header("content-type"), Some("text/plain"));
    let path = scratch("data");
    std::fs::write(&path, "from a file\n").unwrap();
    let request = sent(&["URL", "-d", &format!("@{}", path.display())]);
    assert_eq!(body(&request), "from a file\n");
    assert_eq!(request.header("content-length"), Some("12"));
}

#[test]
fn forms_with_files() {
    let file = scratch("upload.txt");
    std::fs::write(&file, "from a file\n").unwrap();
    let name = file.file_name().unwrap().to_str().unwrap();
    let (item, part) = (format!("f@{}", file.display()), format!("f=@{}", file.display()));
    for arguments in [&["URL", "a=1", &item][..], &["URL", "-F", "a=1", "-F", &part]] {
        let request = sent(arguments);
        let kind = request.header("content-type").unwrap();
        let boundary = kind.strip_prefix("multipart/form-data; boundary=").unwrap();
        let wanted = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n\
             --{boundary}\r\nContent-Disposition: form-data; name=\"f\"; filename=\"{name}\"\r\n\
             Content-Type: text/plain\r\n\r\nfrom a file\n\r\n--{boundary}--\r\n"
        );
        assert_eq!((request.method.as_str(), body(&request)), ("POST", wanted));
        assert_eq!(request.header("transfer-encoding"), None, "its length is known");
    }
    let typed = format!("{part};type=a/b;filename=n.m");
    let text = body(&sent(&["URL", "-F", &typed, "-F", &format!("t=<{}", file.display())]));
    assert!(text.contains("filename=\"n.m\"\r\nContent-Type: a/b\r\n\r\nfrom"), "{text}");
    assert!(text.contains("name=\"t\"\r\n\r\nfrom a file\n\r\n"), "{text}");
    assert!(body(&sent(&["--multipart", "URL", "a=1"])).contains("form-data; name=\"a\""));
}

#[test]
fn parts_that_cannot_be_sent() {
    for (arguments, words) in [
        (&["-F", "f=@/nowhere/at/all"][..], "cannot send /nowhere/at/all"),
        (&["-F", "f=</nowhere/at/all"], "cannot read /nowhere/at/all"),
        (&["-F", "f=@/"], "cannot send /"),
        (&["-F", "nonsense"], "write NAME=VALUE, NAME=@FILE"),
        (&["-F", "a=1;type=x\ry"], "part \"a\" of the form"),
        (&["-F", "a=1", "-d", "x"], "cannot be used with"),
    ] {
        run(&[arguments, &["http://h.test/"]].concat()).expect(2).says(words);
    }
}

#[test]
fn codings_are_asked_for_or_not() {
    let codings = |arguments: &[&str]| {
        let request = sent(&[arguments, &["URL"]].concat());
        request.header("accept-encoding").map(str::to_owned)
    };
    assert_eq!(codings(&[]).as_deref(), Some("gzip, deflate, br, zstd"));
    assert_eq!(codings(&["--compressed"]), codings(&[]));
    assert_eq!(codings(&["--no-compressed"]).as_deref(), Some("identity"));
    assert_eq!(codings(&["--no-compressed", "--compressed"]), codings(&[]));
    assert_eq!(codings(&["--no-compressed", "-H", "Accept-Encoding: br"]).as_deref(), Some("br"));
}

#[test]
fn standard_input_is_streamed_when_asked_for() {
    let server = Server::start(Script::default()).unwrap();
    let mut child = waterclock()
        .args(["-q", "--stdin", &server.url("/")])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"from a pipe").unwrap();
    drop(stdin);
    assert!(child.wait().unwrap().success());
    let request = server.requests().remove(0);
    assert_eq!((request.method.as_str(), body(&request).as_str()), ("POST", "from a pipe"));
    assert_eq!(request.header("transfer-encoding"), Some("chunked"));
}

#[test]
fn standard_input_is_not_read_unasked() {
    let server = Server::start(Script::default()).unwrap();
    // A pipe that stays open and silent: whoever reads it waits for ever.
    let mut child = waterclock()
        .args(["-q", "--total", "20", &server.url("/")])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let stdin = child.stdin.take();
    assert!(child.wait().unwrap().success());
    drop(stdin);
    assert_eq!(server.requests()[0].method, "GET");
}

#[test]
fn a_silent_standard_input_does_not_outlive_the_total() {
    let server = Server::start(Script::default()).unwrap();
    let mut child = waterclock()
        .args(["-q", "--total", "0.1", "--stdin", &server.url("/")])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let stdin = child.stdin.take();
    let ran = common::Ran::from(child.wait_with_output().unwrap());
    drop(stdin);
    ran.expect(28).says("total limit of 100 ms fired");
}

#[test]
fn a_unix_socket_a_proxy_and_a_local_address() {
    let path = scratch("socket");
    let server = Server::builder().unix(&path).start().unwrap();
    run(&["-q", "--unix-socket", path.to_str().unwrap(), "http://h.test/u"]).expect(0);
    assert_eq!(server.requests()[0].target, "/u");

    let proxy =
        waterclock_lab::Proxy::builder().route("h.test:80", server.address()).start().unwrap();
    run(&["-q", "-x", &proxy.address().to_string(), "http://h.test/p"]).expect(0);
    assert_eq!(proxy.requests()[0].target, "http://h.test/p");

    let ran = run(&["--json", "-q", "--local-address", "127.0.0.7", &server.url("/")]).expect(0);
    let local = ran.document()["response"]["local_address"].as_str().unwrap().to_owned();
    assert!(local.starts_with("127.0.0.7:"), "{local}");
}

#[test]
fn proxy_variables_are_read() {
    let server = Server::start(Script::default()).unwrap();
    let mut command = waterclock();
    command.env("http_proxy", "http://127.0.0.1:9").env("ALL_PROXY", "http://127.0.0.1:9");
    common::Ran::from(command.args(["-q", &server.url("/")]).output().unwrap()).expect(7);
    let mut command = waterclock();
    command.env("http_proxy", "http://127.0.0.1:9").env("no_proxy", "127.0.0.1");
    common::Ran::from(command.args(["-q", &server.url("/")]).output().unwrap()).expect(0);
}

#[test]
fn what_goes_before_the_proxies_of_the_environment() {
    let server = Server::start(Script::default()).unwrap();
    let proxy =
        waterclock_lab::Proxy::builder().route("h.test:80", server.address()).start().unwrap();
    let with = |arguments: &[&str]| {
        let mut command = waterclock();
        command.env("http_proxy", proxy.url()).arg("-q").args(arguments);
        common::Ran::from(command.output().unwrap())
    };
    with(&["http://h.test/"]).expect(0);
    assert_eq!(proxy.requests()[0].target, "http://h.test/");
    for direct in [&["--no-env"][..], &["--noproxy", "127.0.0.0/8"], &["--noproxy", "*"]] {
        with(&[direct, &[&server.url("/direct")]].concat()).expect(0);
        assert_eq!(server.requests().pop().unwrap().target, "/direct");
    }
    assert_eq!(proxy.requests().len(), 1);
    run(&["-x", "ftp://proxy", "http://h.test/"]).expect(2).says("ftp");
    let mut command = waterclock();
    command.env("http_proxy", "ftp://proxy").arg("http://h.test/");
    common::Ran::from(command.output().unwrap()).expect(2).says("http_proxy");
}

#[test]
fn socks_proxies_and_proxies_over_tls() {
    let server = Server::start(Script::default()).unwrap();
    let socks =
        waterclock_lab::Socks::builder().route("h.test:80", server.address()).start().unwrap();
    run(&["-q", "-x", &socks.url("socks5h"), "http://h.test/s"]).expect(0);
    assert_eq!((server.requests()[0].target.as_str(), socks.requests().len()), ("/s", 1));

    let identity = Identity::new(&["127.0.0.1"]).unwrap();
    let ca = scratch("proxy-ca.pem");
    std::fs::write(&ca, identity.ca_pem()).unwrap();
    let builder = waterclock_lab::Proxy::builder().route("h.test:80", server.address());
    let proxy = builder.tls(Tls::new(identity)).start().unwrap();
    let through =
        |more: &[&str]| run(&[&["-q", "-x", &proxy.url(), "http://h.test/t"], more].concat());
    through(&["--proxy-cacert", ca.to_str().unwrap()]).expect(0);
    through(&["--proxy-insecure"]).expect(0);
    through(&["--cacert", ca.to_str().unwrap()]).expect(60);
    through(&["--insecure"]).expect(60);
    through(&["--proxy-cacert", "/nowhere/at/all"]).expect(2).says("/nowhere/at/all");
}

#[test]
fn whom_to_trust_comes_from_the_flag_or_the_environment() {
    let identity = Identity::new(&["127.0.0.1"]).unwrap();
    let ca = scratch("ca.pem");
    std::fs::write(&ca, identity.ca_pem()).unwrap();
    let ca = ca.to_str().unwrap();
    let other = scratch("other.pem");
    std::fs::write(&other, Identity::new(&["x.test"]).unwrap().ca_pem()).unwrap();
    let other = other.to_str().unwrap();
    let script = Script::every_request(respond(200, "safe"));
    let server = Server::builder().tls(Tls::new(identity)).script(script).start().unwrap();
    let url = server.url("/");
    let with = |variables: &[(&str, &str)], arguments: &[&str]| {
        let mut command = waterclock();
        command.envs(variables.iter().copied()).arg("-q").args(arguments).arg(&url);
        common::Ran::from(command.output().unwrap())
    };
    with(&[], &["--cacert", ca]).expect(0);
    with(&[], &["--cacert", other]).expect(60).says("not among the trusted roots");
    with(&[], &["--insecure"]).expect(0);
    with(&[("REQUESTS_CA_BUNDLE", ca), ("CURL_CA_BUNDLE", other)], &[]).expect(0);
    with(&[("CURL_CA_BUNDLE", ca), ("SSL_CERT_FILE", other)], &[]).expect(0);
    with(&[("SSL_CERT_FILE", ca)], &[]).expect(0);
    with(&[("REQUESTS_CA_BUNDLE", ca)], &["--cacert", other]).expect(60);
}
