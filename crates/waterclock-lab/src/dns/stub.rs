//! A stub resolver: asks one server for A and AAAA, and asks again when nothing comes.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use simple_dns::rdata::RData;
use simple_dns::{CLASS, Name, Packet, PacketFlag, QCLASS, QTYPE, Question, RCODE, TYPE};

use super::{Family, normal};

/// Looks names up at one server, blocking, as `getaddrinfo` does: both families at once, and an
/// answer only when both have been answered or given up.
#[derive(Clone, Debug)]
pub struct DnsStub {
    server: SocketAddr,
    tries: u32,
    patience: Duration,
}

impl DnsStub {
    /// Asks `server`, three times with a second between.
    pub fn new(server: SocketAddr) -> Self {
        DnsStub { server, tries: 3, patience: Duration::from_secs(1) }
    }

    /// Sends at most `tries` queries for a family, waiting `patience` for an answer to each.
    #[must_use]
    pub fn retry(mut self, tries: u32, patience: Duration) -> Self {
        self.tries = tries.max(1);
        self.patience = patience;
        self
    }

    /// The addresses of a name, IPv6 first; an IP address is its own.
    ///
    /// The error's kind is `NotFound` if there is no such name or no address, `TimedOut` if
    /// nobody answered, and `InvalidInput` for what cannot be asked.
    pub fn lookup(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        if let Ok(address) = name.trim_matches(['[', ']']).parse() {
            return Ok(vec![address]);
        }
        let local: SocketAddr = if self.server.is_ipv4() {
            (Ipv4Addr::UNSPECIFIED, 0).into()
        } else {
            (Ipv6Addr::UNSPECIFIED, 0).into()
        };
        let socket = UdpSocket::bind(local)?;
        socket.connect(self.server)?; // datagrams from elsewhere are not for us
        let mut asked = [Asked::new(name, Family::V6)?, Asked::new(name, Family::V4)?];
        for _ in 0..self.tries {
            for question in asked.iter().filter(|question| question.answer.is_none()) {
                socket.send(&question.query)?;
            }
            self.listen(&socket, &mut asked)?;
            if asked.iter().all(|question| question.answer.is_some()) {
                break;
            }
        }
        collect(name, asked)
    }

    /// Takes answers until all are there or the patience for this try is at its end.
    fn listen(&self, socket: &UdpSocket, asked: &mut [Asked]) -> io::Result<()> {
        let start = Instant::now();
        let mut buffer = [0; 4096];
        while asked.iter().any(|question| question.answer.is_none()) {
            let left = self.patience.saturating_sub(start.elapsed());
            if left.is_zero() {
                return Ok(());
            }
            socket.set_read_timeout(Some(left))?;
            match socket.recv(&mut buffer) {
                Ok(length) => {
                    for question in asked.iter_mut() {
                        question.take(buffer.get(..length).unwrap_or_default());
                    }
                }
                Err(error) if is_timeout(&error) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

fn is_timeout(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), Interrupted | TimedOut | WouldBlock)
}

/// One question and what came back.
struct Asked {
    name: String,
    record: TYPE,
    id: u16,
    query: Vec<u8>,
    answer: Option<Answer>,
}

enum Answer {
    Addresses(Vec<IpAddr>),
    NoSuchName,
    Refused(RCODE),
}

impl Asked {
    fn new(name: &str, family: Family) -> io::Result<Self> {
        let name = normal(name);
        let record = match family {
            Family::V4 => TYPE::A,
            Family::V6 => TYPE::AAAA,
        };
        let invalid = |error| io::Error::new(io::ErrorKind::InvalidInput, error);
        let id = random_id();
        let mut packet = Packet::new_query(id);
        packet.set_flags(PacketFlag::RECURSION_DESIRED);
        let qname = Name::new(&name).map_err(invalid)?;
        let class = QCLASS::CLASS(CLASS::IN);
        packet.questions.push(Question::new(qname, QTYPE::TYPE(record), class, false));
        let query = packet.build_bytes_vec().map_err(invalid)?;
        Ok(Asked { name, record, id, query, answer: None })
    }

    /// Takes a datagram if it answers this question: id, name and type must be ours (RFC 5452,
    /// section 9.1).
    fn take(&mut self, datagram: &[u8]) {
        let Ok(packet) = Packet::parse(datagram) else { return };
        let Some(question) = packet.questions.first() else { return };
        let ours = packet.id() == self.id
            && packet.has_flags(PacketFlag::RESPONSE)
            && question.qtype == QTYPE::TYPE(self.record)
            && normal(&question.qname.to_string()) == self.name;
        if !ours {
            return;
        }
        self.answer = Some(match packet.rcode() {
            RCODE::NoError => Answer::Addresses(addresses(&packet, self.record)),
            RCODE::NameError => Answer::NoSuchName,
            other => Answer::Refused(other),
        });
    }
}

/// The addresses in the answer section. Aliases are not followed by name: the server that was
/// asked has done that.
fn addresses(packet: &Packet<'_>, record: TYPE) -> Vec<IpAddr> {
    let answers = packet.answers.iter().filter_map(|answer| match &answer.rdata {
        RData::A(a) if record == TYPE::A => Some(IpAddr::V4(Ipv4Addr::from(a.address))),
        RData::AAAA(aaaa) if record == TYPE::AAAA => Some(IpAddr::V6(Ipv6Addr::from(aaaa.address))),
        _ => None,
    });
    answers.collect()
}

fn collect(name: &str, asked: [Asked; 2]) -> io::Result<Vec<IpAddr>> {
    let mut found = Vec::new();
    let mut failure = None;
    for question in asked {
        match question.answer {
            Some(Answer::Addresses(addresses)) => found.extend(addresses),
            Some(Answer::NoSuchName) => {}
            Some(Answer::Refused(code)) => {
                let sentence = format!("the name server refused {name}: {code:?}");
                failure = Some(io::Error::other(sentence));
            }
            None => {
                let sentence = format!("the name server did not answer for {name}");
                failure = Some(io::Error::new(io::ErrorKind::TimedOut, sentence));
            }
        }
    }
    match failure {
        _ if !found.is_empty() => Ok(found),
        Some(error) => Err(error),
        None => Err(io::Error::new(io::ErrorKind::NotFound, format!("no address for {name}"))),
    }
}

/// Unpredictable enough for an id: the standard library seeds its hashers at random.
fn random_id() -> u16 {
    let bits = RandomState::new().build_hasher().finish().to_le_bytes();
    u16::from_le_bytes([bits[0], bits[1]])
}
