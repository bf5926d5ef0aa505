//! The server: a process of its own, so that the client is alone in what is measured.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use waterclock_benches::client::Result;
use waterclock_lab::{FastServer, Identity, Script, Server, Step, Tls, after, drip_body, respond};

/// The fields of the response with many of them.
const FIELDS: usize = 80;
/// The length of `text`, the body that is sent in content codings.
pub(crate) const TEXT: usize = 10_000_000;

/// The server, as the measuring process sees it. It ends when this is dropped.
pub(crate) struct Running {
    child: Child,
    urls: Value,
}

impl Running {
    /// Starts it where this process runs now: a pinned process has a server on the same CPU.
    pub(crate) fn start() -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("serve")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("no output")?).read_line(&mut line)?;
        Ok(Running { child, urls: serde_json::from_str(&line)? })
    }

    /// What it printed: `plain`, `tls` and `full` end without a slash, the others are whole.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.urls[name].as_str().unwrap_or_default()
    }

    pub(crate) fn url(&self, name: &str, path: &str) -> String {
        format!("{}{path}", self.get(name))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Serves until the standard input ends.
pub(crate) fn serve() -> Result<()> {
    let identity = Identity::new(&["127.0.0.1", "localhost"])?;
    let plain = answering().start()?;
    let tls = answering().tls(identity.clone()).start()?;
    let full = answering().tls(Tls::new(identity.clone()).without_resumption()).start()?;
    let silent = Server::start(Script::every_request(vec![Step::Stall]))?;
    let slow = after(Duration::from_millis(30), respond(200, "ok"));
    let slow = Server::start(Script::every_request(slow))?;
    // A byte each 100 ms, for ten seconds.
    let drip = drip_body(200, vec![b'x'; 100], 1, Duration::from_millis(100));
    let drip = Server::start(Script::every_request(drip))?;
    let urls = json!({
        "plain": plain.url(""), "tls": tls.url(""), "full": full.url(""), "ca": identity.ca_pem(),
        "silent": silent.url("/"), "slow": slow.url("/"), "drip": drip.url("/"),
    });
    println!("{urls}");
    std::io::stdout().flush()?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

fn answering() -> waterclock_lab::FastBuilder {
    let names: Vec<String> = (0..FIELDS).map(|number| format!("X-Field-{number}")).collect();
    let fields: Vec<(&str, &str)> =
        names.iter().map(|name| (name.as_str(), "some value, as servers have")).collect();
    let text = text();
    let mut server = FastServer::builder().answer("/fields", &fields, "ok");
    for (coding, bytes) in [("gzip", gzip(&text)), ("br", br(&text)), ("zstd", zstd(&text))] {
        server = server.answer(&format!("/{coding}"), &[("Content-Encoding", coding)], bytes);
    }
    server
}

/// Lines of JSON with numbers that do not repeat: it shrinks to a fifth or so, as such text does.
pub(crate) fn text() -> Vec<u8> {
    let mut text = Vec::with_capacity(TEXT + 100);
    let mut seed = 1_u64;
    while text.len() < TEXT {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let (id, price) = (seed >> 44, seed >> 33 & 0xffff);
        let _ = writeln!(
            text,
            r#"{{"id": {id}, "name": "clepsydra", "price": {price}, "full": true}}"#
        );
    }
    text.truncate(TEXT);
    text
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    let _ = encoder.write_all(text);
    encoder.finish().unwrap_or_default()
}

fn br(text: &[u8]) -> Vec<u8> {
    let mut coded = Vec::new();
    let _ = brotli::CompressorWriter::new(&mut coded, 1 << 16, 5, 22).write_all(text);
    coded
}

fn zstd(text: &[u8]) -> Vec<u8> {
    zstd::encode_all(text, 3).unwrap_or_default()
}
