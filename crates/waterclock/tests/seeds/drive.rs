//! The world of a plan, and the unchanged client in it.

use crate::plan::{Ask, Dead, HOSTS, HostPlan, Plan, Reading, Route};
use crate::site::{Log, Origin, Proxy, Site, origin};
use base64::Engine as _;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;
use waterclock::tls::{Roots, TlsSettings};
use waterclock::world::World as _;
use waterclock::{
    Auth, CancelHandle, Error, ErrorKind, Limit, Phase, PoolSettings, Retry, Session,
    SessionBuilder, Tick, Timeline,
};
use waterclock_sim::Direction::{ToClient, ToPeer};
use waterclock_sim::{Connection, Link, Peer, SimWorld, TlsServer, WaitRecord};

/// What became of a call.
pub(crate) struct Ended {
    pub(crate) token: usize,
    pub(crate) timeline: Timeline,
    pub(crate) outcome: Outcome,
}

pub(crate) enum Outcome {
    /// The status, the hop that answered, and the content, if all of it was read.
    Answered {
        status: u16,
        hop: usize,
        content: Option<Vec<u8>>,
    },
    Failed {
        kind: ErrorKind,
        fired: Option<(Limit, Phase)>,
    },
}

/// What a seed came to.
pub(crate) struct Story {
    pub(crate) site: Arc<Site>,
    pub(crate) ended: Vec<Ended>,
    pub(crate) waits: Vec<WaitRecord>,
    /// The caller's own pauses: thread, start and end.
    pub(crate) pauses: Vec<(usize, Tick, Tick)>,
    pub(crate) open_sockets: usize,
    /// Each connection, by the address it went to.
    pub(crate) connections: BTreeMap<SocketAddr, Vec<Connection>>,
    pub(crate) now: Tick,
}

/// Making keys takes longer than a whole seed.
fn tls_servers() -> &'static [TlsServer] {
    static SERVERS: OnceLock<Vec<TlsServer>> = OnceLock::new();
    let names = HOSTS.into_iter().chain(["proxy.test"]);
    SERVERS.get_or_init(|| names.map(|name| TlsServer::new([name])).collect())
}

fn roots() -> &'static TlsSettings {
    static SETTINGS: OnceLock<TlsSettings> = OnceLock::new();
    SETTINGS.get_or_init(|| {
        let pem = |tls: &TlsServer| {
            let text = base64::engine::general_purpose::STANDARD.encode(tls.root());
            format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
        };
        let pem: String = tls_servers().iter().map(pem).collect();
        TlsSettings::builder().roots(Roots::pem(pem.as_bytes()).unwrap()).build().unwrap()
    })
}

fn site(plan: &Plan) -> Arc<Site> {
    let hosts = plan.hosts.iter().chain([&plan.proxy]);
    let tls = tls_servers().iter().zip(hosts).map(|(tls, host)| {
        // A cache of sessions for this seed alone: another one must not be able to change it.
        let cache = rustls::server::ServerSessionMemoryCache::new(64);
        tls.clone().flight_delays(host.flights).configure(|config| config.session_storage = cache)
    });
    Arc::new(Site { plan: plan.clone(), log: Mutex::new(Log::default()), tls: tls.collect() })
}

/// Sets a host up: its name, addresses that do not serve, and one that does.
fn set_up<P: Peer + 'static>(
    world: &SimWorld,
    name: &str,
    number: usize,
    ports: &[u16],
    plan: &HostPlan,
    make: impl Fn(u16, usize) -> P + Send + Sync + Clone + 'static,
) {
    let address = |last: usize| format!("192.0.2.{}", number * 10 + last);
    let addresses = (1..=plan.dead.len() + 1).map(|last| address(plan.dead.len() + 2 - last));
    let host = world.host(name).resolves_to(addresses);
    match plan.resolve {
        Some(delay) => host.after(delay),
        None => host.never_answers(),
    };
    for &port in ports {
        for (index, dead) in plan.dead.iter().enumerate() {
            let at = format!("{}:{port}", address(plan.dead.len() + 1 - index));
            match dead {
                Dead::Silent => world.black_hole(at),
                Dead::Refuses(delay) => {
                    world.refuse(at).after(*delay);
                }
            }
        }
        let (plan, make) = (plan.clone(), make.clone());
        let listener = world.listen(format!("{}:{port}", address(1))).after(plan.connect);
        let listener = match plan.backlog {
            Some((workers, backlog)) => listener.workers(workers).backlog(backlog),
            None => listener,
        };
        listener
            .link_with(move |connection| link(&plan, connection))
            .serve_with(move |connection| make(port, connection));
    }
}

fn link(plan: &HostPlan, connection: usize) -> Link {
    let mut link = Link::new().latency(plan.latency).jitter(plan.jitter);
    if let Some(bandwidth) = plan.bandwidth {
        link = link.bandwidth(ToClient, bandwidth).bandwidth(ToPeer, bandwidth);
    }
    if let Some(window) = plan.window {
        link = link.window(window);
    }
    if plan.short {
        link = link.short_reads().short_writes();
    }
    match plan.cuts.get(connection).copied().flatten() {
        None => link,
        Some(cut) => {
            let direction = if cut.to_client { ToClient } else { ToPeer };
            match cut.reset {
                true => link.reset_after(direction, cut.after),
                false => link.lost_after(direction, cut.after),
            }
        }
    }
}

fn session(plan: &Plan, world: &Arc<SimWorld>) -> Session {
    let pool = PoolSettings {
        max_per_host: plan.max_per_host,
        max_total: plan.max_total,
        idle_age: plan.idle_age,
        ..PoolSettings::default()
    };
    let retry = Retry::new(plan.retries).backoff_factor(0.1).raise_on_status(false);
    let builder = SessionBuilder::in_world(world.clone())
        .tls(roots().clone())
        .pool(pool)
        .retry(retry.status_forcelist([429, 503]));
    let builder = match plan.route {
        Route::Direct => builder,
        Route::Proxy => builder.proxy("http://u:proxy-secret@proxy.test:3128"),
        Route::HttpsProxy => {
            let builder = builder.proxy_tls(roots().clone());
            builder.proxy("https://u:proxy-secret@proxy.test:3128")
        }
        Route::Socks => builder.proxy("socks5h://u:proxy-secret@proxy.test:3128"),
    };
    builder.build().unwrap()
}

pub(crate) fn run(plan: &Plan) -> Story {
    let (world, site) = (SimWorld::with_seed(plan.seed), site(plan));
    for (index, host) in plan.hosts.iter().enumerate() {
        let site = Arc::clone(&site);
        set_up(&world, HOSTS[index], index + 1, &[80, 443], host, move |port, _| {
            Origin::behind(&site, index, port == 443)
        });
    }
    let of_proxy = Arc::clone(&site);
    set_up(&world, "proxy.test", 9, &[3128], &plan.proxy, move |_, connection| {
        Proxy::behind(&of_proxy, connection)
    });
    let session = session(plan, &world);
    let (ended, taken) = (Mutex::new(Vec::new()), Arc::new(Mutex::new(Vec::new())));
    world.threads(|threads| {
        for (index, asks) in plan.threads.iter().enumerate() {
            let (world, session, ended) = (&world, &session, &ended);
            let (world_too, taken) = (Arc::clone(world), Arc::clone(&taken));
            let pauses = Pauses { world: world_too, thread: index + 1, taken };
            threads.spawn(move || {
                for ask in asks {
                    pauses.take(ask.pause);
                    let end = call(world, session, ask, &pauses);
                    ended.lock().unwrap().push(end);
                }
            });
        }
    });
    drop(session);
    let (waits, open_sockets, now) = (world.waits(), world.open_sockets(), world.now());
    let ended: Vec<Ended> = ended.into_inner().unwrap();
    let peers = ended.iter().flat_map(|ended| ended.timeline.hops());
    let peers: BTreeSet<_> = peers.filter_map(|hop| hop.connection?.peer).collect();
    let connections = peers.into_iter().map(|peer| (peer, world.connections(peer))).collect();
    let pauses = taken.lock().unwrap().clone();
    Story { site, ended, waits, pauses, open_sockets, connections, now }
}

/// The pauses that the caller takes in one thread.
#[derive(Clone)]
struct Pauses {
    world: Arc<SimWorld>,
    thread: usize,
    taken: Arc<Mutex<Vec<(usize, Tick, Tick)>>>,
}

impl Pauses {
    fn take(&self, duration: Duration) {
        let started = self.world.now();
        self.world.sleep(duration);
        self.taken.lock().unwrap().push((self.thread, started, self.world.now()));
    }
}

/// A source that takes its time.
struct Source {
    pauses: Pauses,
    pieces: VecDeque<usize>,
    each: Duration,
}

impl io::Read for Source {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let Some(size) = self.pieces.pop_front() else { return Ok(0) };
        self.pauses.take(self.each);
        let count = size.min(out.len());
        out[..count].fill(b'x');
        if count < size {
            self.pieces.push_front(size - count);
        }
        Ok(count)
    }
}

fn call(world: &Arc<SimWorld>, session: &Session, ask: &Ask, pauses: &Pauses) -> Ended {
    let first = &ask.hops[0];
    let scheme = if first.tls { "https" } else { "http" };
    let url = format!("{scheme}://{}/r{}/h0", HOSTS[first.host], ask.token);
    let mut request = match ask.body {
        None => session.get(url),
        Some(body) => session.post(url).expect_continue(body.expect),
    };
    if let Some(body) = ask.body {
        request = match body.source {
            None => request.body(vec![b'x'; body.size]),
            Some(each) => {
                let pieces = [body.size / 3, body.size - body.size / 3];
                let pieces = pieces.into_iter().filter(|size| *size > 0).collect();
                request.body_reader(Source { pauses: pauses.clone(), pieces, each }, None)
            }
        };
    }
    if ask.secret {
        let secret = format!("Bearer secret-of-{}", origin(first.host, first.tls));
        request = request.header("Authorization", secret);
    }
    if ask.password && !ask.secret {
        let name = format!("secret-of-{}", origin(first.host, first.tls));
        request = request.auth(Auth::digest(name, "password"));
    }
    if let Some(after) = ask.cancel {
        let handle = CancelHandle::new();
        request = request.cancel(&handle);
        world.at(world.now().after(after), move |_| handle.cancel());
    }
    let failed = |error: Error| Ended {
        token: ask.token,
        timeline: error.timeline().expect("a call that was made has a timeline").clone(),
        outcome: Outcome::Failed {
            kind: error.kind(),
            fired: error.is_timeout().then(|| (error.limit().unwrap(), error.phase().unwrap())),
        },
    };
    let mut response = match request.limits(ask.limits).send() {
        Ok(response) => response,
        Err(error) => return failed(error),
    };
    let (status, path) = (response.status(), response.url().path().to_owned());
    let hop = path.rsplit_once('h').unwrap().1.parse().unwrap();
    let read = match ask.reading {
        Reading::All => response.content().map(Some),
        Reading::Slowly(pause) => {
            let (mut all, mut piece) = (Vec::new(), vec![0; 400 + 40 * ask.token * 97]);
            loop {
                pauses.take(pause);
                match response.read_body(&mut piece) {
                    Ok(0) => break Ok(Some(all)),
                    Ok(count) => all.extend_from_slice(&piece[..count]),
                    Err(error) => break Err(error),
                }
            }
        }
        Reading::Leaves(most) => response.read_body(&mut vec![0; most.max(1)]).map(|_| None),
    };
    match read {
        Err(error) => failed(error),
        Ok(content) => Ended {
            token: ask.token,
            timeline: response.close(),
            outcome: Outcome::Answered { status, hop, content },
        },
    }
}
