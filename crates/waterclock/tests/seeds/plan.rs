//! What a seed comes to: a network, what its servers do, and what is asked of them.

use crate::draw::Draw;
use Route::{Direct, HttpsProxy, Proxy, Socks};
use std::time::Duration;
use waterclock::{Limit, Limits};

pub(crate) const HOSTS: [&str; 3] = ["a.test", "b.test", "c.test"];

#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) route: Route,
    pub(crate) hosts: Vec<HostPlan>,
    /// The proxy's name and place are a host's too.
    pub(crate) proxy: HostPlan,
    /// What the proxy does with the how many-th connection's dialogue.
    pub(crate) dialogues: Vec<Dialogue>,
    pub(crate) max_per_host: Option<usize>,
    pub(crate) max_total: Option<usize>,
    pub(crate) idle_age: Duration,
    pub(crate) retries: u32,
    pub(crate) threads: Vec<Vec<Ask>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Direct,
    Proxy,
    /// TLS to the proxy, and inside it TLS to those origins that have it.
    HttpsProxy,
    Socks,
}

#[derive(Clone, Debug)]
pub(crate) struct HostPlan {
    pub(crate) resolve: Option<Duration>,
    /// Before the address that serves: some that do not.
    pub(crate) dead: Vec<Dead>,
    pub(crate) connect: Duration,
    pub(crate) latency: Duration,
    pub(crate) jitter: Duration,
    pub(crate) bandwidth: Option<u64>,
    pub(crate) window: Option<usize>,
    pub(crate) short: bool,
    pub(crate) backlog: Option<(usize, usize)>,
    /// Loss or reset after so many bytes, for some connections.
    pub(crate) cuts: Vec<Option<Cut>>,
    pub(crate) flights: [Duration; 2],
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Dead {
    Silent,
    Refuses(Duration),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut {
    pub(crate) to_client: bool,
    pub(crate) after: u64,
    pub(crate) reset: bool,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Dialogue {
    Opens(Duration),
    Stops(usize, Stop),
    /// With this status, where it speaks HTTP.
    Refuses(u16),
}

#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) token: usize,
    /// What the caller does before.
    pub(crate) pause: Duration,
    pub(crate) limits: Limits,
    pub(crate) body: Option<BodyPlan>,
    /// The first request, and those that redirects lead to.
    pub(crate) hops: Vec<Hop>,
    pub(crate) secret: bool,
    /// Digest, with a name that says whose it is.
    pub(crate) password: bool,
    pub(crate) cancel: Option<Duration>,
    pub(crate) reading: Reading,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct BodyPlan {
    pub(crate) size: usize,
    /// From a source that takes its time for each piece.
    pub(crate) source: Option<Duration>,
    pub(crate) expect: bool,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Reading {
    All,
    Slowly(Duration),
    Leaves(usize),
}

#[derive(Clone, Debug)]
pub(crate) struct Hop {
    pub(crate) host: usize,
    pub(crate) tls: bool,
    pub(crate) redirect: u16,
    pub(crate) answer: Answer,
    /// Whether it asks for Digest first.
    pub(crate) guarded: bool,
    /// How often it says "later" before, by which status, and what it asks to wait.
    pub(crate) busy: usize,
    pub(crate) later: u16,
    pub(crate) retry_after: Option<u64>,
}

#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) think: Duration,
    pub(crate) continues: bool,
    pub(crate) interim: bool,
    pub(crate) framing: Framing,
    pub(crate) size: usize,
    pub(crate) drip: Option<(usize, Duration)>,
    pub(crate) stop: Option<(usize, Stop)>,
    pub(crate) plant: Option<Duration>,
    pub(crate) cookie: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    Length,
    Chunked,
    Close,
    Gzip,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    Stall,
    Fin,
    Reset,
}

const STOPS: [Stop; 3] = [Stop::Stall, Stop::Fin, Stop::Reset];

impl Plan {
    pub(crate) fn draw(seed: u64) -> Plan {
        let d = &mut Draw::new(seed);
        let route = d.of(&[Direct, Direct, Direct, Proxy, HttpsProxy, Socks]);
        let (plants, faulty) = (d.percent(20), d.percent(60));
        // Where many of the requests go: connections are used again there.
        let home = (d.below(HOSTS.len()), d.percent(40));
        let hosts: Vec<HostPlan> = HOSTS.iter().map(|_| host(d, faulty, plants)).collect();
        let proxy = host(d, faulty, plants);
        let dialogues = (0..8).map(|_| dialogue(d, faulty)).collect();
        let mut token = 0;
        let threads = (0..1 + d.below(4)).map(|_| {
            let asks = (0..1 + d.below(4)).map(|_| {
                token += 1;
                ask(d, token, home, faulty, plants)
            });
            asks.collect()
        });
        let threads = threads.collect();
        Plan {
            seed,
            route,
            hosts,
            proxy,
            dialogues,
            max_per_host: d.percent(50).then(|| 1 + d.below(2)),
            max_total: d.percent(20).then(|| 1 + d.below(3)),
            idle_age: d.time(7, 11),
            retries: if d.percent(30) { 1 + d.below(3) as u32 } else { 0 },
            threads,
        }
    }

    pub(crate) fn asks(&self) -> impl Iterator<Item = &Ask> {
        self.threads.iter().flatten()
    }
}

fn host(d: &mut Draw, faulty: bool, plants: bool) -> HostPlan {
    let dead = |d: &mut Draw| match d.percent(50) {
        true => Dead::Silent,
        false => Dead::Refuses(d.time(3, 9)),
    };
    let cut = |d: &mut Draw| Cut {
        to_client: d.percent(50),
        after: d.below(3000) as u64,
        reset: d.percent(50),
    };
    HostPlan {
        resolve: (!d.percent(2)).then(|| d.time(3, 8)),
        dead: (0..d.of(&[0, 0, 0, 1, 1, 2])).map(|_| dead(d)).collect(),
        connect: if d.percent(30) { Duration::ZERO } else { d.time(3, 9) },
        latency: if d.percent(20) { Duration::ZERO } else { d.time(4, 9) },
        jitter: if plants || d.percent(60) { Duration::ZERO } else { d.time(3, 8) },
        bandwidth: (!plants && d.percent(25)).then(|| 2000 + d.next() % 10_000_000),
        window: d.percent(30).then(|| 1 + d.below(5000)),
        short: !plants && d.percent(20),
        backlog: d.percent(10).then(|| (1 + d.below(2), d.below(2))),
        cuts: (0..8).map(|_| (faulty && d.percent(15)).then(|| cut(d))).collect(),
        flights: [d.time(3, 9), if d.percent(50) { Duration::ZERO } else { d.time(3, 8) }],
    }
}

fn dialogue(d: &mut Draw, faulty: bool) -> Dialogue {
    match d.below(20) {
        0 if faulty => Dialogue::Refuses(d.of(&[403, 407, 407, 502])),
        1 | 2 if faulty => Dialogue::Stops(d.below(39), d.of(&STOPS)),
        _ => Dialogue::Opens(d.time(3, 9)),
    }
}

fn ask(d: &mut Draw, token: usize, home: (usize, bool), faulty: bool, plants: bool) -> Ask {
    let body = d.percent(35).then(|| BodyPlan {
        size: d.of(&[1, 100, 3000, 20_000, 70_000]),
        source: d.percent(40).then(|| d.time(3, 9)),
        expect: d.percent(40),
    });
    let chain = if d.percent(35) { 2 + d.below(2) } else { 1 };
    let longest_pause = d.of(&[8, 9, 10, 13]);
    let hops = (0..chain).map(|_| hop(d, home, faulty, plants)).collect();
    Ask {
        token,
        pause: if d.percent(50) { Duration::ZERO } else { d.time(3, longest_pause) },
        limits: limits(d),
        body,
        hops,
        secret: d.percent(60),
        password: d.percent(50),
        cancel: d.percent(8).then(|| d.time(4, 10)),
        reading: match d.below(10) {
            0 | 1 => Reading::Slowly(d.time(4, 9)),
            2 => Reading::Leaves(d.below(300)),
            _ => Reading::All,
        },
    }
}

/// Any of them, from microseconds to minutes; some total there must be, or a stall would be for ever.
fn limits(d: &mut Draw) -> Limits {
    let mut limits = Limits::none();
    let each = d.of(&[0, 0, 10, 30, 60]);
    for limit in Limit::ALL {
        let longest = d.of(&[8, 9, 10, 11, 11]);
        let duration = d.percent(each).then(|| d.time(3, longest));
        limits = limits.with(limit, duration);
    }
    if limits.get(Limit::Total).is_none() {
        limits = limits.with(Limit::Total, Some(d.time(9, 13)));
    }
    limits
}

fn hop(d: &mut Draw, home: (usize, bool), faulty: bool, plants: bool) -> Hop {
    let elsewhere = (d.below(HOSTS.len()), d.percent(40));
    let (host, tls) = if d.percent(50) { home } else { elsewhere };
    let size = d.of(&[0, 1, 40, 1500, 9000, 40_000]);
    // Often before the first byte: there a request might be sent again.
    let at = if d.percent(40) { 0 } else { d.below(size + 120) };
    let stop = (faulty && d.percent(25)).then(|| (at, d.of(&STOPS)));
    Hop {
        host,
        tls,
        redirect: d.of(&[301, 302, 303, 307, 308]),
        answer: Answer {
            think: if d.percent(30) { Duration::ZERO } else { d.time(3, 10) },
            continues: d.percent(60),
            interim: d.percent(15),
            framing: d.of(&[Framing::Length, Framing::Chunked, Framing::Close, Framing::Gzip]),
            size,
            drip: d.percent(25).then(|| (1 + d.below(1 + size / 8), d.time(3, 9))),
            stop,
            plant: (plants && d.percent(50)).then(|| match d.percent(50) {
                true => Duration::ZERO,
                false => d.time(4, 9),
            }),
            cookie: d.percent(40),
        },
        guarded: d.percent(20),
        later: d.of(&[429, 503]),
        busy: if d.percent(15) { 1 + d.below(2) } else { 0 },
        retry_after: d.percent(50).then(|| d.below(40) as u64),
    }
}
