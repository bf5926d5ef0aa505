//! The ready scenes against curl, a client that we did not write.
#![allow(clippy::disallowed_methods)] // the clock, and waiting for a process
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests may fail tests

mod common;

use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::{PATIENCE, connect, get, ms};
use waterclock_lab::scene::{Options, Scene, Stage, ready};
use waterclock_lab::{DnsStub, Event};

fn stage(name: &str) -> Stage {
    Stage::start(&Scene::ready(name).unwrap(), &Options::default()).unwrap()
}

/// What curl came to: code, standard output, and how long it took.
struct Ran {
    code: i32,
    out: String,
    took: Duration,
}

/// curl with the stage's certificate and proxy; `None`, loudly, where there is no curl.
fn curl(stage: &Stage, arguments: &[&str]) -> Option<Ran> {
    let mut command = Command::new("curl");
    command.env_clear();
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    // A file of its own for each call: tests run beside each other.
    let ca = std::env::temp_dir().join(format!(
        "waterclock-lab-scene-{}-{}.pem",
        std::process::id(),
        stage.address().port()
    ));
    if let Some(pem) = stage.ca_pem() {
        std::fs::write(&ca, pem).unwrap();
        command.env("CURL_CA_BUNDLE", &ca);
    }
    if let Some(proxy) = stage.proxy_url() {
        command.env("https_proxy", proxy);
    }
    // -q: no .curlrc. The limit is only for what should end by itself and does not.
    command.args(["-q", "-sS", "--max-time", "20"]).args(arguments).arg(stage.url());
    let begin = Instant::now();
    let output = command.output();
    let took = begin.elapsed();
    let _ = std::fs::remove_file(&ca);
    match output {
        Ok(output) => Some(Ran {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            took,
        }),
        Err(error) => {
            eprintln!("SKIPPED: no second opinion, curl cannot be run: {error}");
            None
        }
    }
}

#[test]
fn scenes_that_end_well_take_at_least_their_time() {
    for (name, body, least) in [
        ("ok", "hello\n", 0),
        ("slow-name", "hello\n", 0), // the name is not asked for
        ("slow-proxy", "hello\n", 500),
        ("slow-tls", "hello\n", 500),
        ("tls-pieces", "hello\n", 400),
        ("slow-head", "hello\n", 500),
        ("drip-head", "hello\n", 1_700),
        ("early-hints", "hello\n", 400),
        ("continue", "thanks\n", 0),
        ("redirect-chain", "hello\n", 0),
        ("slow-redirects", "hello\n", 320),
    ] {
        let stage = stage(name);
        let Some(ran) = curl(&stage, &["-L"]) else { return };
        assert_eq!((ran.code, ran.out.as_str()), (0, body), "{name}");
        assert!(ran.took >= ms(least), "{name}: {:?}", ran.took);
        assert_ne!(stage.proxy_was_used(), Some(false), "{name}");
        assert!(stage.first_contact().is_some(), "{name}");
    }
}

#[test]
fn scenes_that_end_badly_are_noticed() {
    // curl's codes: 56 receiving, 18 a part of a body, 47 redirects. (Missing close_notify is not
    // noticed by every curl.)
    for (name, codes) in [
        ("reset-head", &[56][..]),
        ("reset-body", &[56]),
        ("half-body", &[18]),
        ("redirect-loop", &[47]),
    ] {
        let Some(ran) = curl(&stage(name), &["-L"]) else { return };
        assert!(codes.contains(&ran.code), "{name}: {} {}", ran.code, ran.out);
    }
}

#[test]
fn scenes_that_never_end_are_ended_by_a_limit() {
    for name in ["stall-head", "stall-body", "backlog"] {
        let Some(ran) = curl(&stage(name), &["-m", "0.3"]) else { return };
        assert_eq!(ran.code, 28, "{name}: {}", ran.out);
        assert!(ran.took >= ms(300) && ran.took < PATIENCE, "{name}: {:?}", ran.took);
    }
}

#[test]
fn the_seed_passes_a_limit_that_it_never_reaches_in_one_wait() {
    let stage = stage("seed");
    let times = "\n%{time_connect} %{time_appconnect} %{time_starttransfer}";
    let Some(ran) = curl(&stage, &["-w", times]) else { return };
    let (body, times) = ran.out.rsplit_once('\n').unwrap();
    assert_eq!(body.len(), 14_200);
    let times: Vec<f64> = times.split(' ').map(|time| time.parse().unwrap()).collect();
    let [connected, secured, first] = times[..] else { panic!("{times:?}") };
    assert!(secured - connected >= 0.09 && first - secured >= 0.1, "{times:?}");
    let (name, server) = (Scene::ready("seed").unwrap(), stage.name_server().unwrap());
    let begin = Instant::now();
    let found = DnsStub::new(server).lookup(name.host().unwrap()).unwrap();
    assert!(begin.elapsed() >= ms(80));
    assert_eq!(found.len(), 1);
    assert!(stage.named_url().unwrap().starts_with("https://seed.test:"));
}

#[test]
fn every_other_request_is_asked_to_come_again() {
    let stage = stage("retry-after");
    let Some(first) = curl(&stage, &["-w", "%{http_code} %{header_json}"]) else { return };
    assert!(first.out.starts_with("busy\n503") && first.out.contains("\"1\""), "{}", first.out);
    let second = curl(&stage, &[]).unwrap();
    assert_eq!(second.out, "hello\n");
    let retried = curl(&stage, &["--retry", "1"]).unwrap();
    assert_eq!(retried.code, 0);
    assert!(retried.took >= ms(1_000), "{:?}", retried.took);
}

#[test]
fn a_scaled_scene_takes_the_scaled_time() {
    let scene = Scene::ready("slow-head").unwrap().scaled(0.2);
    let stage = Stage::start(&scene, &Options::default()).unwrap();
    let Some(ran) = curl(&stage, &["-w", "%{time_starttransfer}"]) else { return };
    let first: f64 = ran.out.trim_start_matches("hello\n").parse().unwrap();
    assert!((0.1..0.5).contains(&first), "{first}");
}

#[test]
fn every_ready_scene_can_be_started_and_ended() {
    for scene in ready() {
        let stage = Stage::start(&scene, &Options::default()).unwrap();
        assert_eq!(stage.ca_pem().is_some(), scene.is_https(), "{}", scene.name);
        assert_eq!(stage.url().starts_with("https:"), scene.is_https());
        assert_eq!(stage.first_contact(), None);
    }
}

#[test]
fn routes_go_by_path_method_and_turn() {
    let text = r#"
        name = "routes"
        description = "Paths, methods and turns."
        [[route]]
        path = "/a/*"
        steps = [{ respond = 200, body = "below", chunked = true }]
        [[route]]
        path = "/"
        method = "POST"
        steps = [{ respond = 201, headers = { Set-Cookie = ["a=1", "b=2"] }, body = "made" }]
        [[route]]
        path = "/"
        times = 2
        steps = [{ head = 200 }, { body = "twice" }, "close"]
        [[route]]
        path = "/"
        steps = [{ respond = 404 }]
    "#;
    let stage = Stage::start(&Scene::parse(text).unwrap(), &Options::default()).unwrap();
    let ask = |target: &str| get(&mut connect(stage.address()), target).unwrap();
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbelow\r\n0\r\n\r\n";
    assert_eq!(ask("/a/b?c"), chunked);
    assert!(ask("/b").starts_with("HTTP/1.1 404") && ask("/b").contains("no route"));
    for words in ["twice", "twice", "404", "twice"] {
        assert!(ask("/").contains(words), "{words}");
    }
    let mut stream = connect(stage.address());
    let post = b"POST / HTTP/1.1\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
    std::io::Write::write_all(&mut stream, post).unwrap();
    let answer = common::rest(&mut stream).unwrap();
    assert!(answer.contains("Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n"), "{answer}");
}

#[test]
fn steps_of_a_connection_know_no_requests() {
    let text = r#"
        name = "raw"
        description = "Bytes."
        listen = "tcp"
        steps = ["read-head", { send = "pieces", drip = 2, every = "10ms" }, "half-close", "drain"]
    "#;
    let stage = Stage::start(&Scene::parse(text).unwrap(), &Options::default()).unwrap();
    let begin = Instant::now();
    assert_eq!(get(&mut connect(stage.address()), "/").unwrap(), "pieces");
    assert!(begin.elapsed() >= ms(20));
}

#[test]
fn a_proxy_can_be_of_both_kinds_and_answer_itself() {
    let scene = |proxy: &str| {
        let text = format!(
            "name = \"p\"\ndescription = \"d\"\nproxy = {{ {proxy} }}\n\
             [[route]]\nsteps = [{{ respond = 200, body = \"through\" }}]"
        );
        Stage::start(&Scene::parse(&text).unwrap(), &Options::default()).unwrap()
    };
    for (proxy, option, body, least) in [
        ("kind = \"socks\", wait = \"60ms\"", "-x", "through", 60),
        ("kind = \"http\", drip = 8, every = \"10ms\"", "-px", "through", 40),
        ("kind = \"http\", steps = [{ respond = 502, body = \"no\" }]", "-x", "no", 0),
    ] {
        let stage = scene(proxy);
        let url = stage.proxy_url().unwrap();
        let Some(ran) = curl(&stage, &[option, &url]) else { return };
        assert_eq!((ran.code, ran.out.as_str()), (0, body), "{proxy}");
        assert!(ran.took >= ms(least), "{proxy}: {:?}", ran.took);
    }
}

#[test]
fn what_happens_is_told_in_order() {
    let told: Arc<Mutex<Vec<Event>>> = Arc::default();
    let list = Arc::clone(&told);
    let options = Options::default().watch(move |event| list.lock().unwrap().push(event.clone()));
    let stage = Stage::start(&Scene::ready("ok").unwrap(), &options).unwrap();
    let Some(ran) = curl(&stage, &[]) else { return };
    assert_eq!(ran.code, 0);
    let end = Instant::now() + PATIENCE;
    while stage.open_connections() > 0 || told.lock().unwrap().len() < 4 {
        assert!(Instant::now() < end, "{told:?}");
        std::thread::sleep(ms(1));
    }
    let mut told = told.lock().unwrap().clone();
    assert!(matches!(told.remove(0), Event::Accepted { connection: 0, peer: Some(_) }));
    let request =
        Event::Request { connection: 0, method: "GET".to_owned(), target: "/".to_owned() };
    let handshake = Event::Handshake { connection: 0, completed: true };
    assert_eq!(told, [handshake, request, Event::Closed { connection: 0 }]);
}
