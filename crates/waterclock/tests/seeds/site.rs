//! The servers of a plan, and the proxy before them.

use crate::plan::{Answer, Dialogue, Framing, HOSTS, Plan, Route, Stop};
use flate2::{Compression, write::GzEncoder};
use std::collections::{BTreeMap, VecDeque};
use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use waterclock::Tick;
use waterclock_sim::{Peer, TlsServer, Wire};

/// What the servers have seen.
#[derive(Debug, Default)]
pub(crate) struct Log {
    /// How often the head of each request came: token and hop.
    pub(crate) delivered: BTreeMap<(usize, usize), usize>,
    /// Plain text that came, by the name of the origin; `proxy` is what only the proxy was told.
    pub(crate) told: Vec<(String, String)>,
}

pub(crate) struct Site {
    pub(crate) plan: Plan,
    pub(crate) log: Mutex<Log>,
    /// One for each host, and the last for the proxy.
    pub(crate) tls: Vec<TlsServer>,
}

/// The content of the answer to a request's hop: nobody else's.
pub(crate) fn content(token: usize, hop: usize, size: usize) -> Vec<u8> {
    let mut bytes = format!("answer to r{token}, hop {hop}; ").into_bytes();
    let filler = (0..size).map(|i| b'a' + ((i * 7 + token * 3 + hop) % 26) as u8);
    bytes.extend(filler);
    bytes
}

const CHALLENGE: &str = "Digest realm=\"lab\", qop=\"auth\", algorithm=SHA-256, nonce=\"n\"";

/// The name of an origin, which secrets carry.
pub(crate) fn origin(host: usize, tls: bool) -> String {
    format!("{}-{}", if tls { "https" } else { "http" }, HOSTS[host])
}

enum Act {
    Send(Vec<u8>),
    Planted(Vec<u8>),
    Stop(Stop),
    /// The next request may be read.
    Next,
}

/// An origin, on one connection.
pub(crate) struct Origin {
    site: Arc<Site>,
    host: usize,
    tls: bool,
    forwarded: bool,
    /// Whether the request answers a challenge.
    answered: bool,
    input: Vec<u8>,
    state: State,
    acts: VecDeque<(Duration, Act)>,
    next: Tick,
}

enum State {
    Head,
    Body { path: (usize, usize), left: Left },
    Answering,
    Over,
}

#[derive(Clone, Copy)]
enum Left {
    Bytes(usize),
    Chunks,
}

impl Origin {
    pub(crate) fn new(site: Arc<Site>, host: usize, tls: bool, forwarded: bool) -> Self {
        let (input, acts) = (Vec::new(), VecDeque::new());
        let (state, next) = (State::Head, Tick::ZERO);
        Origin { site, host, tls, forwarded, answered: false, input, state, acts, next }
    }

    /// The server of a host, inside TLS or not.
    pub(crate) fn behind(site: &Arc<Site>, host: usize, tls: bool) -> Box<dyn Peer> {
        let origin = Origin::new(Arc::clone(site), host, tls, false);
        match tls {
            true => Box::new(site.tls[host].wrap(origin)),
            false => Box::new(origin),
        }
    }

    fn read_head(&mut self, wire: &mut Wire) -> bool {
        let Some(end) = self.input.windows(4).position(|four| four == b"\r\n\r\n") else {
            return false;
        };
        let head: Vec<u8> = self.input.drain(..end + 4).collect();
        let head = String::from_utf8(head).unwrap();
        let target = head.split(' ').nth(1).unwrap();
        if self.forwarded {
            let host = target.split('/').nth(2).unwrap();
            self.host = HOSTS.iter().position(|name| *name == host).unwrap();
        }
        let path = parse_path(target);
        let mut log = self.site.log.lock().unwrap();
        *log.delivered.entry(path).or_default() += 1;
        let name = if self.forwarded { "forwarded " } else { "" };
        log.told.push((format!("{name}{}", origin(self.host, self.tls)), head.clone()));
        drop(log);
        let field = |name: &str| {
            let mut lines = head.lines();
            lines.find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned())
        };
        if field("Expect:").is_some() && self.answer(path).continues {
            wire.send("HTTP/1.1 100 Continue\r\n\r\n");
        }
        let length = field("Content-Length:").map(|length| length.parse().unwrap());
        let left = match field("Transfer-Encoding:") {
            Some(_) => Left::Chunks,
            None => Left::Bytes(length.unwrap_or(0)),
        };
        self.answered = head.contains("\nAuthorization: Digest ");
        self.state = State::Body { path, left };
        true
    }

    fn answer(&self, (token, hop): (usize, usize)) -> Answer {
        let ask = self.site.plan.asks().find(|ask| ask.token == token).unwrap();
        ask.hops[hop].answer.clone()
    }

    fn read_body(&mut self, now: Tick) -> bool {
        let State::Body { path, left } = &mut self.state else { return false };
        let whole = match left {
            Left::Bytes(left) => {
                let count = (*left).min(self.input.len());
                self.input.drain(..count);
                *left -= count;
                *left == 0
            }
            // Bodies are all x, and nothing is sent behind one before its answer.
            Left::Chunks => {
                let whole = self.input.ends_with(b"0\r\n\r\n");
                if whole {
                    self.input.clear();
                }
                whole
            }
        };
        if whole {
            let path = *path;
            self.state = State::Answering;
            self.next = now;
            self.respond(path);
        }
        whole
    }

    /// Lines up what the answer consists of.
    fn respond(&mut self, (token, hop): (usize, usize)) {
        let site = Arc::clone(&self.site);
        let ask = site.plan.asks().find(|ask| ask.token == token).unwrap();
        let (planned, answer) = (&ask.hops[hop], &ask.hops[hop].answer);
        let times = site.log.lock().unwrap().delivered[&(token, hop)];
        let mut head = "HTTP/1.1 200 OK\r\n".to_owned();
        if planned.guarded && !self.answered {
            head = format!("HTTP/1.1 401 Who\r\nWWW-Authenticate: {CHALLENGE}\r\n");
        } else if times <= planned.busy {
            head = format!("HTTP/1.1 {} Later\r\n", planned.later);
            if let Some(seconds) = planned.retry_after {
                head += &format!("Retry-After: {seconds}\r\n");
            }
        } else if let Some(to) = ask.hops.get(hop + 1) {
            let scheme = if to.tls { "https" } else { "http" };
            let location = format!("{scheme}://{}/r{token}/h{}", HOSTS[to.host], hop + 1);
            head = format!("HTTP/1.1 {} Elsewhere\r\nLocation: {location}\r\n", planned.redirect);
        }
        if answer.cookie {
            head += &format!("Set-Cookie: kept=cookie-of-{}\r\n", HOSTS[self.host]);
        }
        let bytes = framed(answer, head, &content(token, hop, answer.size));
        self.acts.extend(acts(answer, bytes));
    }

    fn act(&mut self, wire: &mut Wire) -> bool {
        let Some((delay, _)) = self.acts.front() else { return false };
        let at = self.next.after(*delay);
        if at > wire.now() {
            wire.wake_at(at);
            return false;
        }
        self.next = at;
        match self.acts.pop_front().unwrap().1 {
            Act::Send(bytes) => wire.send(bytes),
            Act::Planted(bytes) => {
                if matches!(self.state, State::Head) && self.input.is_empty() {
                    wire.send(bytes);
                }
            }
            Act::Stop(stop) => {
                self.state = State::Over;
                self.acts.clear();
                match stop {
                    Stop::Stall => {}
                    Stop::Fin => wire.close(),
                    Stop::Reset => wire.reset(),
                }
            }
            Act::Next => self.state = State::Head,
        }
        true
    }
}

impl Peer for Origin {
    fn poll(&mut self, wire: &mut Wire) {
        loop {
            if !matches!(self.state, State::Over | State::Answering) {
                self.input.extend(wire.take_all());
            }
            let went_on = match self.state {
                State::Over => false,
                State::Head => self.act(wire) || self.read_head(wire),
                State::Body { .. } => self.read_body(wire.now()),
                State::Answering => self.act(wire),
            };
            if !went_on {
                return;
            }
        }
    }
}

/// `/r7/h1`, with whatever before it.
fn parse_path(target: &str) -> (usize, usize) {
    let mut parts = target.rsplit('/');
    let hop = parts.next().unwrap().strip_prefix('h').unwrap().parse().unwrap();
    (parts.next().unwrap().strip_prefix('r').unwrap().parse().unwrap(), hop)
}

fn framed(answer: &Answer, mut head: String, content: &[u8]) -> Vec<u8> {
    let mut body = content.to_vec();
    match answer.framing {
        Framing::Length => head += &format!("Content-Length: {}\r\n", body.len()),
        Framing::Close => head += "Connection: close\r\n",
        Framing::Gzip => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(content).unwrap();
            body = encoder.finish().unwrap();
            head += &format!("Content-Encoding: gzip\r\nContent-Length: {}\r\n", body.len());
        }
        Framing::Chunked => {
            head += "Transfer-Encoding: chunked\r\n";
            let chunk = |chunk: &[u8]| {
                [format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat()
            };
            body = content.chunks(1 + content.len() / 3).flat_map(chunk).collect();
            body.extend(b"0\r\n\r\n");
        }
    }
    [head.as_bytes(), b"\r\n", &body].concat()
}

/// What is done, each so long after the one before it.
fn acts(answer: &Answer, mut bytes: Vec<u8>) -> Vec<(Duration, Act)> {
    let mut acts = vec![(answer.think, Act::Send(Vec::new()))];
    if answer.interim {
        acts.push((Duration::ZERO, Act::Send(b"HTTP/1.1 103 Early Hints\r\n\r\n".to_vec())));
    }
    let stop = answer.stop.filter(|(at, _)| *at < bytes.len());
    if let Some((at, _)) = stop {
        bytes.truncate(at);
    }
    let planted = b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nplanted";
    if stop.is_none() && answer.plant == Some(Duration::ZERO) && answer.framing != Framing::Close {
        bytes.extend(planted);
    }
    let (size, every) = answer.drip.unwrap_or((bytes.len().max(1), Duration::ZERO));
    // A hundred pieces are as good as thousands.
    for piece in bytes.chunks(size.max(bytes.len() / 100 + 1)) {
        acts.push((every, Act::Send(piece.to_vec())));
    }
    match (stop, answer.framing) {
        (Some((_, stop)), _) => acts.push((Duration::ZERO, Act::Stop(stop))),
        (None, Framing::Close) => acts.push((Duration::ZERO, Act::Stop(Stop::Fin))),
        (None, _) => acts.push((Duration::ZERO, Act::Next)),
    }
    if let Some(delay) = answer.plant.filter(|delay| stop.is_none() && !delay.is_zero()) {
        acts.push((delay, Act::Planted(planted.to_vec())));
    }
    acts
}

/// The proxy, on one connection: CONNECT and forwarding, or SOCKS 5.
pub(crate) struct Proxy {
    site: Arc<Site>,
    dialogue: Dialogue,
    socks: bool,
    /// How far a SOCKS dialogue has come.
    stage: u8,
    opening: Option<(Tick, usize, bool)>,
    inner: Option<Box<dyn Peer>>,
    over: bool,
}

impl Proxy {
    /// The proxy on its how many-th connection, inside TLS or not.
    pub(crate) fn behind(site: &Arc<Site>, connection: usize) -> Box<dyn Peer> {
        let proxy = Proxy {
            dialogue: site.plan.dialogues[connection % 8],
            socks: site.plan.route == Route::Socks,
            site: Arc::clone(site),
            stage: 0,
            opening: None,
            inner: None,
            over: false,
        };
        match site.plan.route {
            Route::HttpsProxy => Box::new(site.tls[HOSTS.len()].wrap(proxy)),
            _ => Box::new(proxy),
        }
    }

    /// What is asked for, once it is all there: the host, and whether TLS follows.
    fn asked(&mut self, wire: &mut Wire) -> Option<(usize, bool)> {
        let host_of = |name: &str| HOSTS.iter().position(|host| *host == name).unwrap();
        if self.socks {
            // The greeting, and then "u" with "proxy-secret".
            for (stage, size, reply) in [(0, 4, [5, 2]), (1, 3 + 1 + 12, [1, 0])] {
                if self.stage == stage && wire.arrived().len() >= size {
                    wire.take(size);
                    wire.send(reply);
                    self.stage += 1;
                }
            }
            let request = Some(wire.arrived()).filter(|_| self.stage == 2)?;
            let length = usize::from(*request.get(4)?);
            let name = request.get(5..5 + length)?;
            let port = request.get(5 + length..7 + length)?;
            let found = (host_of(std::str::from_utf8(name).unwrap()), port == [1, 187]);
            wire.take_all();
            return Some(found);
        }
        let text = String::from_utf8_lossy(wire.arrived()).into_owned();
        if !text.starts_with("CONNECT ") {
            if !text.is_empty() && !"CONNECT ".starts_with(&text) {
                self.forward(wire);
            }
            return None;
        }
        let end = text.find("\r\n\r\n")?;
        wire.take(end + 4);
        self.site.log.lock().unwrap().told.push(("proxy".to_owned(), text.clone()));
        let name = text.strip_prefix("CONNECT ")?.split(':').next()?;
        Some((host_of(name), true))
    }

    /// What is forwarded is an origin's, unless the proxy refuses to.
    fn forward(&mut self, wire: &mut Wire) {
        if let Dialogue::Refuses(status) = self.dialogue {
            if wire.arrived().windows(4).any(|four| four == b"\r\n\r\n") {
                self.over = true;
                wire.send(refusal(status));
            }
            return;
        }
        let site = Arc::clone(&self.site);
        self.inner = Some(Box::new(Origin::new(site, 0, false, true)));
    }

    fn reply(&self) -> Vec<u8> {
        match self.socks {
            true => vec![5, 0, 0, 1, 0, 0, 0, 0, 0, 0],
            false => b"HTTP/1.1 200 Connection established\r\n\r\n".to_vec(),
        }
    }

    fn open(&mut self, wire: &mut Wire, host: usize, tls: bool) {
        let mut reply = self.reply();
        self.opening = None;
        match self.dialogue {
            Dialogue::Opens(_) => {
                wire.send(reply);
                self.inner = Some(Origin::behind(&self.site, host, tls));
            }
            Dialogue::Stops(at, stop) => {
                self.over = true;
                reply.truncate(at % reply.len());
                wire.send(reply);
                match stop {
                    Stop::Stall => {}
                    Stop::Fin => wire.close(),
                    Stop::Reset => wire.reset(),
                }
            }
            Dialogue::Refuses(_) if self.socks => {
                self.over = true;
                wire.send([5, 5, 0, 1, 0, 0, 0, 0, 0, 0]);
            }
            Dialogue::Refuses(status) => {
                self.over = true;
                wire.send(refusal(status));
            }
        }
    }
}

/// The proxy's own answer; it says nothing after it.
fn refusal(status: u16) -> String {
    let asks = if status == 407 { "Proxy-Authenticate: Basic realm=\"proxy\"\r\n" } else { "" };
    format!("HTTP/1.1 {status} No\r\n{asks}Content-Length: 0\r\n\r\n")
}

impl Peer for Proxy {
    fn poll(&mut self, wire: &mut Wire) {
        if self.inner.is_none() && !self.over && self.opening.is_none() {
            let delay = match self.dialogue {
                Dialogue::Opens(delay) => delay,
                _ => Duration::from_millis(3),
            };
            if let Some((host, tls)) = self.asked(wire) {
                self.opening = Some((wire.now().after(delay), host, tls));
            }
        }
        if let Some((at, host, tls)) = self.opening {
            match at > wire.now() {
                true => wire.wake_at(at),
                false => self.open(wire, host, tls),
            }
        }
        if let Some(inner) = &mut self.inner {
            inner.poll(wire);
        }
    }
}
