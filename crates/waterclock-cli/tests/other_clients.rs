//! The rules for other clients' timeouts, held against these clients: each calls the same misbehaving
//! servers as we do, and what it does must be what the rules say of our run.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests panic to fail")]

mod common;

use common::{cleaned, root, run, scratch};
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};
use waterclock::clients::{Client, Outcome};
use waterclock::run::Run;
use waterclock::world::real::ThreadedLookup;
use waterclock::{Session, Timeline};
use waterclock_lab::{
    Identity, Script, Server, Step, Tls, TlsScript, after, head, redirect, respond,
};

/// What all clients get as their timeout. Single waits are 120 ms away from it, for busy machines.
const TIMEOUT: &str = "0.3";
/// A machine that is busy with something else may be later than that.
const TRIES: usize = 5;
/// What a client may need for itself: starting up, reading roots, noticing.
const SLACK: Duration = Duration::from_millis(400);

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// A server, and how a client gets there.
struct Scene {
    name: &'static str,
    server: Server,
    ca: Option<PathBuf>,
    /// How long a lookup of its name takes; none if it goes by its address.
    lookup: Option<Duration>,
}

/// The name that takes its time.
const SLOW: &str = "slow.test";

fn secure(name: &'static str, flight: Vec<Duration>, answer: Vec<Step>) -> Scene {
    let identity = Identity::new(&["127.0.0.1"]).unwrap();
    let ca = scratch(&format!("clients-{name}.pem"));
    std::fs::write(&ca, identity.ca_pem()).unwrap();
    let tls = Tls::new(identity).script(TlsScript::new().first_flight(flight));
    let script = Script::every_request(answer);
    let server = Server::builder().tls(tls).script(script).start().unwrap();
    Scene { name, server, ca: Some(ca), lookup: None }
}

fn plain(name: &'static str, script: Script) -> Scene {
    Scene { name, server: Server::start(script).unwrap(), ca: None, lookup: None }
}

impl Scene {
    fn url(&self) -> String {
        match self.lookup {
            Some(_) => self.server.url_for(SLOW, "/"),
            None => self.server.url("/"),
        }
    }

    /// Our own call, without a limit that could fire.
    fn timeline(&self) -> Timeline {
        if let Some(delay) = self.lookup {
            return self.timeline_of_name(delay);
        }
        let saved = scratch(&format!("clients-{}.json", self.name));
        let (path, url) = (saved.to_str().unwrap(), self.url());
        let mut arguments = vec!["-q", "--follow", "--save", path, &url];
        if let Some(ca) = &self.ca {
            arguments.extend(["--cacert", ca.to_str().unwrap()]);
        }
        run(&arguments).expect(0);
        let text = std::fs::read_to_string(saved).unwrap();
        Run::from_json(&text).unwrap().timeline.unwrap()
    }

    /// The same through the library, which can be told how to look names up.
    fn timeline_of_name(&self, delay: Duration) -> Timeline {
        let address = self.server.address();
        let lookup = ThreadedLookup::new(move |_, _| {
            #[allow(clippy::disallowed_methods, reason = "this is about real time")]
            std::thread::sleep(delay);
            Ok(vec![address])
        });
        let session = Session::builder().trust_env(false).resolver(Arc::new(lookup));
        let session = session.build().unwrap();
        let mut response = session.get(self.url()).send().unwrap();
        response.content().unwrap();
        response.close()
    }
}

/// What a client did: how long it took, and what it said if it failed.
#[derive(Debug)]
struct Did {
    took: Duration,
    error: Option<String>,
}

/// A client with settings, and how it is run.
struct Case {
    client: &'static str,
    settings: String,
    /// Whether it can be told how to look names up.
    python: bool,
    run: Box<dyn Fn(&Scene) -> Did>,
}

fn python() -> Option<PathBuf> {
    let path = root().join(".venv/3.11-peers/bin/python");
    if path.exists() {
        return Some(path);
    }
    eprintln!("SKIPPED: no Python clients, there is no {}", path.display());
    None
}

/// Prints seconds, and the exception's name if there was one.
const SCRIPT: &str = r#"
import asyncio, socket, ssl, sys, time
client, url, timeout, ca = sys.argv[1], sys.argv[2], float(sys.argv[3]), sys.argv[4] or None
lookup = socket.getaddrinfo
def getaddrinfo(host, *rest, **more):
    if host in ("slow.test", b"slow.test"):
        time.sleep(float(sys.argv[5]))
        host = "127.0.0.1"
    return lookup(host, *rest, **more)
socket.getaddrinfo = getaddrinfo
context = ssl.create_default_context(cafile=ca) if ca else True
if client == "requests":
    import requests
    session = requests.Session()
    session.trust_env = False
    call = lambda: session.get(url, timeout=timeout, verify=ca or True)
elif client == "urllib3":
    import urllib3
    pool = urllib3.PoolManager(ca_certs=ca)
    retries = urllib3.Retry(connect=0, read=0, redirect=5)
    limit = urllib3.Timeout(total=timeout)
    def call():
        try:
            pool.request("GET", url, timeout=limit, retries=retries)
        except urllib3.exceptions.MaxRetryError as error:
            raise error.reason
elif client == "httpx":
    import httpx
    call = httpx.Client(timeout=timeout, verify=context, trust_env=False, follow_redirects=True)
    call = (lambda session: lambda: session.get(url))(call)
elif client == "aiohttp":
    import aiohttp
    async def get():
        limit = aiohttp.ClientTimeout(total=timeout)
        async with aiohttp.ClientSession(timeout=limit) as session:
            async with session.get(url, ssl=context) as response:
                await response.read()
    call = lambda: asyncio.run(get())
began, error = time.monotonic(), ""
try:
    call()
except Exception as raised:
    error = type(raised).__name__
print(time.monotonic() - began, error)
"#;

fn of_python(client: &'static str, setting: &str) -> Option<Case> {
    let python = python()?;
    let run = move |scene: &Scene| {
        let mut command = cleaned(Command::new(&python));
        let ca = scene.ca.as_deref().and_then(|path| path.to_str()).unwrap_or_default();
        let lookup = scene.lookup.unwrap_or_default().as_secs_f64().to_string();
        let arguments = ["-c", SCRIPT, client, &scene.url(), TIMEOUT, ca, &lookup];
        let output = command.args(arguments).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let mut words = text.split_whitespace();
        let seconds = words.next().unwrap_or_else(|| {
            panic!("{client}: {}", String::from_utf8_lossy(&output.stderr));
        });
        let took = Duration::from_secs_f64(seconds.parse().unwrap());
        Did { took, error: words.next().map(str::to_owned) }
    };
    Some(Case {
        client,
        settings: format!("{setting}={TIMEOUT}"),
        python: true,
        run: Box::new(run),
    })
}

fn of_program(
    client: &'static str,
    option: &'static str,
    own: &'static [&'static str],
) -> Option<Case> {
    if let Err(error) = Command::new(client).arg("--version").output() {
        eprintln!("SKIPPED: {client} cannot be run: {error}");
        return None;
    }
    let run = move |scene: &Scene| {
        let mut command = cleaned(Command::new(client));
        command.args(own).args([option, TIMEOUT]);
        if let Some(ca) = &scene.ca {
            let name = if client == "curl" { "--cacert" } else { "--ca-certificate" };
            command.arg(name).arg(ca);
        }
        #[allow(clippy::disallowed_methods, reason = "this is about real time")]
        let began = Instant::now();
        let status = command.arg(scene.url()).output().unwrap().status;
        let error = (!status.success()).then(|| format!("{}", status.code().unwrap_or(-1)));
        Did { took: began.elapsed(), error }
    };
    Some(Case {
        client,
        settings: format!("{option} {TIMEOUT}"),
        python: false,
        run: Box::new(run),
    })
}

/// A program of `net/http`, built once.
fn of_go(setting: &'static str) -> Option<Case> {
    static PROGRAM: LazyLock<Result<PathBuf, String>> = LazyLock::new(|| {
        let program = scratch("go-get");
        let mut build = cleaned(Command::new("go"));
        build.args(["build", "-o"]).arg(&program);
        build.arg(root().join("crates/waterclock-cli/tests/data/get.go"));
        build.env("GO111MODULE", "off").env("CGO_ENABLED", "0").env("GOCACHE", scratch("go-cache"));
        let output = build.output().map_err(|error| error.to_string())?;
        let said = || String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() { Ok(program) } else { Err(said()) }
    });
    if let Err(error) = &*PROGRAM {
        eprintln!("SKIPPED: go cannot be run: {error}");
        return None;
    }
    let run = move |scene: &Scene| {
        let mut command = cleaned(Command::new(PROGRAM.as_ref().unwrap()));
        let ca = scene.ca.as_deref().and_then(|path| path.to_str()).unwrap_or_default();
        let output = command.args([setting, &scene.url(), TIMEOUT, ca]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let (seconds, said) = text.trim_end_matches('\n').split_once(' ').unwrap();
        let took = Duration::from_secs_f64(seconds.parse().unwrap());
        Did { took, error: (!said.is_empty()).then(|| said.to_owned()) }
    };
    let settings = format!("{setting}=300ms");
    Some(Case { client: "go", settings, python: false, run: Box::new(run) })
}

fn cases() -> Vec<Case> {
    let curl: &[&str] = &["-q", "--silent", "--location", "--output", "/dev/null"];
    let wget: &[&str] = &["--no-config", "--quiet", "--tries=1", "--output-document=/dev/null"];
    [
        of_python("requests", "timeout"),
        of_python("urllib3", "total"),
        of_python("httpx", "timeout"),
        of_python("aiohttp", "total"),
        of_program("curl", "--max-time", curl),
        of_program("curl", "--connect-timeout", curl),
        of_program("wget", "--timeout", wget),
        of_go("Client.Timeout"),
        of_go("Dialer.Timeout"),
        of_go("TLSHandshakeTimeout"),
        of_go("ResponseHeaderTimeout"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Which of the words that the program in Go prints are in this message.
fn go_words(message: &str) -> Option<&'static str> {
    let all =
        ["Client.Timeout", "TLS handshake timeout", "awaiting response headers", "i/o timeout"];
    all.into_iter().find(|words| message.contains(words))
}

/// What differs between the rules and the client, if anything.
fn differs(said: &Outcome, did: &Did, call: Duration) -> Option<String> {
    match (said, &did.error) {
        (Outcome::Succeeds, None) if did.took < call + SLACK => None,
        (Outcome::Fires(fires), Some(error)) => {
            let named = fires.error.split(", ").next().unwrap_or_default();
            let named = named.rsplit(['.', ' ']).next().unwrap_or_default();
            let named = go_words(fires.error).unwrap_or(named);
            // Clocks of the loop and of poll have milliseconds.
            let early = did.took + ms(5) < fires.at;
            let fits = !early && did.took < fires.at + SLACK && named == error;
            (!fits).then(|| format!("said {fires:?}, did {did:?}"))
        }
        _ => Some(format!("said {said:?}, did {did:?}")),
    }
}

/// All cases in one scene, each tried again while the machine may have been busy.
#[track_caller]
fn check(scene: &Scene) {
    let mut wrong = Vec::new();
    let mut timeline = scene.timeline();
    let known = |case: &Case| scene.lookup.is_none() || case.python;
    for case in cases().into_iter().filter(known) {
        let question = Client::from_name(case.client).unwrap().ask(&case.settings).unwrap();
        let mut attempt = |number: usize| {
            if number > 0 {
                timeline = scene.timeline();
            }
            let did = (case.run)(scene);
            let said = question.outcome(&timeline);
            eprintln!("{}: {question}: {said:?} {did:?}", scene.name);
            differs(&said, &did, timeline.elapsed())
        };
        // Collecting ends at the first try that has no problem.
        let problems: Option<Vec<String>> = (0..TRIES).map(&mut attempt).collect();
        wrong.extend(problems.map(|all| format!("{question}: {}", all.join("\n  "))));
    }
    assert!(wrong.is_empty(), "{}:\n{}", scene.name, wrong.join("\n"));
}

/// Column A of the table: every wait is short, the sum is not.
#[test]
fn a_slow_handshake_and_a_slow_head() {
    check(&secure("a", vec![ms(180)], after(ms(180), respond(200, "ok"))));
}

/// Column B: is the handshake one wait, or many?
#[test]
fn a_handshake_in_parts() {
    check(&secure("b", vec![ms(120); 5], respond(200, "ok")));
}

/// Column C.
#[test]
fn headers_that_drip() {
    let head = head(200, &[("Content-Length", "0"), ("Connection", "close")]);
    check(&plain("c", Script::every_request(vec![Step::drip(head, 8, ms(100))])));
}

#[test]
fn a_redirect() {
    check(&plain(
        "redirect",
        Script::by_head(|request| {
            let next = match request.target.as_str() {
                "/" => redirect(302, "/next"),
                _ => respond(200, "ok"),
            };
            after(ms(180), next)
        }),
    ));
}

#[test]
fn a_body_that_pauses() {
    let steps = vec![
        Step::send(head(200, &[("Content-Length", "4")])),
        Step::send("te"),
        Step::sleep_ms(700),
        Step::send("a\n"),
    ];
    check(&plain("pause", Script::every_request(steps)));
}

/// Who counts the lookup, and who does not.
#[test]
fn a_slow_lookup() {
    let server = Server::start(Script::every_request(after(ms(180), respond(200, "ok")))).unwrap();
    check(&Scene { name: "lookup", server, ca: None, lookup: Some(ms(200)) });
}

/// A lookup that takes longer than everything may.
#[test]
fn a_lookup_that_is_too_slow() {
    let server = Server::start(Script::every_request(respond(200, "ok"))).unwrap();
    check(&Scene { name: "slower-lookup", server, ca: None, lookup: Some(ms(450)) });
}
