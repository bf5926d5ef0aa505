//! [`FaultyWorld`]: a simulated world in which one request to the system fails, or all from one on.

use crate::fault::{Fault, Point};
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};
use waterclock::Tick;
use waterclock::world::{
    Answer, Endpoint, Interest, Opened, Signal, Socket, SocketOptions, Source, Woke, World,
};
use waterclock_sim::SimWorld;

/// What a fault that lasts takes, so that whoever tries it again and again comes to the end of a limit.
const TRY: Duration = Duration::from_millis(250);
/// The same for a peer that sends single bytes, and is never waited for.
const DRIP: Duration = Duration::from_millis(5);

/// Which point fails, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    /// The how many-th point of the run, counted from 0.
    pub(crate) index: usize,
    pub(crate) point: Point,
    pub(crate) fault: Fault,
    /// All later points of the same kind fail, too.
    pub(crate) lasting: bool,
}

/// Counts the points of a run, and makes one of them fail.
#[derive(Default)]
pub(crate) struct Plan {
    armed: bool,
    points: Vec<Point>,
    target: Option<Target>,
    struck: usize,
}

pub(crate) struct FaultyWorld {
    sim: Arc<SimWorld>,
    plan: Arc<Mutex<Plan>>,
}

impl FaultyWorld {
    pub(crate) fn new(sim: Arc<SimWorld>) -> Arc<Self> {
        Arc::new(FaultyWorld { sim, plan: Arc::default() })
    }

    /// Counts from here on, and has `target` fail.
    pub(crate) fn arm(&self, target: Option<Target>) {
        *self.plan.lock().unwrap() = Plan { armed: true, target, ..Plan::default() };
    }

    /// All goes well from here on. Gives the points so far, and how many of them failed.
    pub(crate) fn disarm(&self) -> (Vec<Point>, usize) {
        let mut plan = self.plan.lock().unwrap();
        plan.armed = false;
        (std::mem::take(&mut plan.points), plan.struck)
    }

    fn strike(&self, point: Point) -> Option<Fault> {
        strike(&self.plan, &self.sim, point)
    }
}

/// One more point: the fault that is due there.
fn strike(plan: &Mutex<Plan>, sim: &SimWorld, point: Point) -> Option<Fault> {
    let target = {
        let mut plan = plan.lock().unwrap();
        if !plan.armed {
            return None;
        }
        let index = plan.points.len();
        plan.points.push(point);
        let here = |target: &Target| {
            target.index == index
                || (target.lasting && target.index < index && target.point == point)
        };
        let target = plan.target.filter(here)?;
        assert_eq!(target.point, point, "the run is not the one that was counted");
        plan.struck += 1;
        target
    };
    if target.lasting {
        match (target.fault, point) {
            (Fault::Short, Point::Read | Point::TlsRead) => sim.advance(DRIP),
            // There is room, one byte at a time: that takes no time.
            (Fault::Short, _) => {}
            _ => sim.advance(TRY),
        }
    }
    Some(target.fault)
}

impl World for FaultyWorld {
    fn now(&self) -> Tick {
        self.sim.now()
    }

    fn wall(&self) -> SystemTime {
        self.sim.wall()
    }

    fn random(&self, out: &mut [u8]) {
        self.sim.random(out);
    }

    fn open(&self, to: &Endpoint, options: &SocketOptions) -> io::Result<Opened> {
        if let Some(fault) = self.strike(Point::Open) {
            return Err(fault.error());
        }
        let Opened { socket, connected } = self.sim.open(to, options)?;
        let (sim, plan) = (Arc::clone(&self.sim), Arc::clone(&self.plan));
        let socket = Box::new(FaultySocket { socket, sim, plan, tls: Tls::default() });
        Ok(Opened { socket, connected })
    }

    fn lookup(&self, name: &str, port: u16, answer: Answer) {
        match self.strike(Point::Lookup) {
            None => self.sim.lookup(name, port, answer),
            Some(Fault::NoAddress) => answer.complete(Ok(Vec::new())),
            Some(Fault::Dropped) => drop(answer),
            Some(Fault::Silence) => {
                self.sim.host("silent.test").never_answers();
                self.sim.lookup("silent.test", port, answer);
            }
            Some(fault) => answer.complete(Err(fault.error())),
        }
    }

    fn signal(&self) -> io::Result<Arc<dyn Signal>> {
        match self.strike(Point::Signal) {
            Some(fault) => Err(fault.error()),
            None => self.sim.signal(),
        }
    }

    fn wait(&self, interests: &mut [Interest<'_>], until: Tick) -> io::Result<Woke> {
        match self.strike(Point::Wait) {
            None => self.sim.wait(interests, until),
            Some(Fault::Error(errno)) => Err(errno.into()),
            Some(_) if self.now() >= until => Ok(Woke::Expired),
            Some(Fault::Interrupted) => Ok(Woke::Interrupted),
            // A connect that is said to be ready is asked for its error, and has none: only a liar of a
            // system does that, and nobody can find out.
            Some(_) => {
                let none_connects = interests.iter().all(|interest| interest.read);
                interests.iter_mut().for_each(|interest| interest.ready = none_connects);
                Ok(if none_connects { Woke::Ready } else { Woke::Interrupted })
            }
        }
    }
}

#[derive(Debug)]
struct FaultySocket {
    socket: Box<dyn Socket>,
    sim: Arc<SimWorld>,
    plan: Arc<Mutex<Plan>>,
    tls: Tls,
}

impl std::fmt::Debug for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plan").field("points", &self.points.len()).finish_non_exhaustive()
    }
}

/// How far TLS is on a connection, as an onlooker sees it (RFC 8446 §5.1).
#[derive(Debug, Default)]
enum Tls {
    #[default]
    Plain,
    /// So much of the current record's header was written, and so much is left of the record.
    Shaking(Vec<u8>, usize),
    /// The client's Finished has begun, which looks like application data.
    Done,
}

impl Tls {
    fn is_shaking(&self) -> bool {
        matches!(self, Tls::Shaking(..))
    }

    /// These bytes are about to be written. A ClientHello ends what was plain text.
    fn begins(&mut self, bytes: &[u8]) {
        if matches!(self, Tls::Plain) && bytes.starts_with(&[22, 3]) {
            *self = Tls::Shaking(Vec::new(), 0);
        }
    }

    fn wrote(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            let Tls::Shaking(header, left) = self else { return };
            if *left > 0 {
                *left -= 1;
                continue;
            }
            header.push(byte);
            if let [kind, _, _, high, low] = header[..] {
                *left = usize::from(u16::from_be_bytes([high, low]));
                header.clear();
                if kind == 23 {
                    *self = Tls::Done;
                }
            }
        }
    }
}

impl FaultySocket {
    fn strike(&self, plain: Point, tls: Point) -> Option<Fault> {
        strike(&self.plan, &self.sim, if self.tls.is_shaking() { tls } else { plain })
    }
}

impl Socket for FaultySocket {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self.strike(Point::Read, Point::TlsRead) {
            None => self.socket.read(out),
            Some(Fault::Short) => {
                let most = out.len().min(1);
                self.socket.read(&mut out[..most])
            }
            Some(Fault::End) => Ok(0),
            Some(fault) => Err(fault.error()),
        }
    }

    fn write(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        let bytes = parts.iter().flat_map(|part| part.iter().copied()).collect::<Vec<u8>>();
        self.tls.begins(&bytes);
        let count = match self.strike(Point::Write, Point::TlsWrite) {
            None => self.socket.write(parts)?,
            Some(Fault::Short) => {
                self.socket.write(&[IoSlice::new(&bytes[..bytes.len().min(1)])])?
            }
            Some(Fault::Nothing) => 0,
            Some(fault) => return Err(fault.error()),
        };
        self.tls.wrote(&bytes[..count]);
        Ok(count)
    }

    fn connected(&mut self) -> io::Result<()> {
        match strike(&self.plan, &self.sim, Point::Connected) {
            None => self.socket.connected(),
            Some(fault) => Err(fault.error()),
        }
    }

    fn peer_address(&self) -> Option<SocketAddr> {
        self.socket.peer_address()
    }

    fn local_address(&self) -> Option<SocketAddr> {
        self.socket.local_address()
    }

    fn source(&self) -> Source<'_> {
        self.socket.source()
    }
}
