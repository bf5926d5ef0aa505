//! The name server: one thread that listens, one for each answer that takes time.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use simple_dns::rdata::{A, AAAA, RData};
use simple_dns::{CLASS, Packet, QTYPE, RCODE, ResourceRecord, TYPE};

use super::{Family, Says, Zone};
use crate::listener::spawn;
use crate::stop::{Stop, lock};

/// A query as it arrived, repeated ones included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsQuery {
    /// The name, as sent.
    pub name: String,
    /// The family that was asked for.
    pub family: Family,
    /// When it arrived.
    pub received: Instant,
}

/// A name server on 127.0.0.1 that answers from a [`Zone`]. Dropping it ends it.
pub struct DnsServer {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    socket: UdpSocket,
    zone: Zone,
    queries: Mutex<Vec<DnsQuery>>,
    stop: Stop,
}

impl DnsServer {
    /// Answers from this zone, on a free port.
    ///
    /// # Errors
    /// As [`start_at`](Self::start_at).
    pub fn start(zone: Zone) -> io::Result<Self> {
        Self::start_at((Ipv4Addr::LOCALHOST, 0).into(), zone)
    }

    /// Answers from this zone, at this address.
    ///
    /// # Errors
    /// If the address cannot be had, or no thread can be started.
    pub fn start_at(address: SocketAddr, zone: Zone) -> io::Result<Self> {
        let socket = UdpSocket::bind(address)?;
        let address = socket.local_addr()?;
        let shared = Shared { socket, zone, queries: Mutex::default(), stop: Stop::default() };
        let shared = Arc::new(shared);
        let listening = Arc::clone(&shared);
        spawn("lab-dns", move || listening.listen())?;
        Ok(DnsServer { address, shared })
    }

    /// Where to send queries.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The queries received so far.
    pub fn queries(&self) -> Vec<DnsQuery> {
        lock(&self.shared.queries).clone()
    }
}

impl Drop for DnsServer {
    fn drop(&mut self) {
        self.shared.stop.stop();
        // An empty datagram makes the blocked receive look at the switch.
        let _ = self.shared.socket.send_to(&[], self.address);
    }
}

impl Shared {
    fn listen(self: Arc<Self>) {
        let mut buffer = [0; 4096];
        let mut seen: HashMap<(String, Family), usize> = HashMap::new();
        while !self.stop.is_stopped() {
            let Ok((length, peer)) = self.socket.recv_from(&mut buffer) else { continue };
            let query = buffer.get(..length).unwrap_or_default();
            let Some((name, family)) = question(query) else { continue };
            let received = Instant::now();
            lock(&self.queries).push(DnsQuery { name: name.clone(), family, received });
            let answer = self.zone.look_up(&name, family);
            let times = seen.entry((super::normal(&name), family)).or_default();
            *times += 1;
            if *times <= answer.lost || answer.says == Says::Silence {
                continue;
            }
            if answer.after.is_zero() {
                self.send(query, &answer.says, peer);
                continue;
            }
            let (shared, query) = (Arc::clone(&self), query.to_vec());
            // Without a thread the answer is lost, as datagrams may be.
            let _ = spawn("lab-dns-answer", move || {
                if shared.stop.sleep(answer.after).is_ok() {
                    shared.send(&query, &answer.says, peer);
                }
            });
        }
    }

    fn send(&self, query: &[u8], says: &Says, peer: SocketAddr) {
        if let Says::AfterForgery(_) = says {
            let false_one = [IpAddr::V4(Ipv4Addr::new(127, 6, 6, 6))];
            let forged = reply(query, RCODE::NoError, &false_one, |id| !id);
            let _ = forged.map(|bytes| self.socket.send_to(&bytes, peer));
        }
        let bytes = match says {
            Says::Addresses(addresses) | Says::AfterForgery(addresses) => {
                reply(query, RCODE::NoError, addresses, |id| id)
            }
            Says::NoSuchName => reply(query, RCODE::NameError, &[], |id| id),
            Says::Failure => reply(query, RCODE::ServerFailure, &[], |id| id),
            Says::Silence => return,
        };
        let _ = bytes.map(|bytes| self.socket.send_to(&bytes, peer));
    }
}

/// The name and family asked for; `None` for what is no such query.
fn question(query: &[u8]) -> Option<(String, Family)> {
    let packet = Packet::parse(query).ok()?;
    let question = packet.questions.first()?;
    let family = match question.qtype {
        QTYPE::TYPE(TYPE::A) => Family::V4,
        QTYPE::TYPE(TYPE::AAAA) => Family::V6,
        _ => return None,
    };
    Some((question.qname.to_string(), family))
}

fn reply(
    query: &[u8],
    code: RCODE,
    addresses: &[IpAddr],
    id: impl Fn(u16) -> u16,
) -> simple_dns::Result<Vec<u8>> {
    let mut reply = Packet::parse(query)?.into_reply();
    reply.additional_records.clear();
    reply.set_id(id(reply.id()));
    *reply.rcode_mut() = code;
    let name = reply.questions.first().map(|question| question.qname.clone());
    if let Some(name) = name {
        reply.answers = addresses
            .iter()
            .map(|address| ResourceRecord::new(name.clone(), CLASS::IN, 60, record(*address)))
            .collect();
    }
    reply.build_bytes_vec_compressed()
}

fn record(address: IpAddr) -> RData<'static> {
    match address {
        IpAddr::V4(address) => RData::A(A::from(address)),
        IpAddr::V6(address) => RData::AAAA(AAAA::from(address)),
    }
}
