//! What the sockets read and wrote, as a member of a document.

use super::read::{ReadError, cut};
use super::seconds::Seconds;
use crate::capture::{Direction, Piece, Wire, WireConnection, WireFailure};
use crate::world::Endpoint;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

/// The recording.
#[derive(Clone, Deserialize, Serialize)]
pub(super) struct WirePart {
    /// Bytes that were over the budget.
    dropped: u64,
    connections: Vec<ConnectionPart>,
    /// The lines of an NSS key log.
    #[serde(skip_serializing_if = "Option::is_none")]
    keys: Option<Vec<String>>,
}

#[derive(Clone, Deserialize, Serialize)]
struct ConnectionPart {
    number: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    remote_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unix_socket: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    local_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    opened: Option<Seconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    connected: Option<Seconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    peer_ended: Option<Seconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failed: Option<FailurePart>,
    #[serde(skip_serializing_if = "Option::is_none")]
    closed: Option<Seconds>,
    dropped: u64,
    pieces: Vec<PiecePart>,
}

#[derive(Clone, Deserialize, Serialize)]
struct FailurePart {
    at: Seconds,
    message: String,
    by_peer: bool,
}

#[derive(Clone, Deserialize, Serialize)]
struct PiecePart {
    at: Seconds,
    direction: String,
    /// In Base64.
    bytes: String,
}

pub(super) fn wire(wire: &Wire) -> WirePart {
    let lines = |keys: &String| keys.lines().map(str::to_owned).collect();
    WirePart {
        dropped: wire.dropped,
        connections: wire.connections.iter().map(connection).collect(),
        keys: wire.keys.as_ref().map(lines),
    }
}

fn connection(connection: &WireConnection) -> ConnectionPart {
    let (remote_address, unix_socket) = match &connection.remote {
        Endpoint::Tcp(address) => (Some(address.to_string()), None),
        Endpoint::Unix(path) => (None, Some(path.to_string_lossy().into_owned())),
    };
    ConnectionPart {
        number: connection.number,
        remote_address,
        unix_socket,
        host: connection.host.clone(),
        local_address: connection.local.map(|address| address.to_string()),
        opened: connection.opened.map(Seconds),
        connected: connection.connected.map(Seconds),
        peer_ended: connection.peer_ended.map(Seconds),
        failed: connection.failed.as_ref().map(failure),
        closed: connection.closed.map(Seconds),
        dropped: connection.dropped,
        pieces: connection.pieces.iter().map(piece).collect(),
    }
}

fn failure(failure: &WireFailure) -> FailurePart {
    let message = failure.message.clone();
    FailurePart { at: Seconds(failure.at), message, by_peer: failure.by_peer }
}

fn piece(piece: &Piece) -> PiecePart {
    PiecePart {
        at: Seconds(piece.at),
        direction: piece.direction.name().to_owned(),
        bytes: STANDARD.encode(&piece.bytes),
    }
}

type Read<T> = Result<T, ReadError>;

/// Makes of a member what it was made of.
pub(super) fn read(part: &WirePart) -> Read<Wire> {
    let mut connections = Vec::with_capacity(part.connections.len());
    for (index, part) in part.connections.iter().enumerate() {
        connections.push(read_connection(&format!("wire.connections[{index}]"), part)?);
    }
    let text = |lines: &Vec<String>| lines.iter().map(|line| format!("{line}\n")).collect();
    Ok(Wire { connections, dropped: part.dropped, keys: part.keys.as_ref().map(text) })
}

fn read_connection(path: &str, part: &ConnectionPart) -> Read<WireConnection> {
    let remote = match (&part.remote_address, &part.unix_socket) {
        (Some(text), None) => Endpoint::Tcp(address(format!("{path}.remote_address"), text)?),
        (None, Some(text)) => Endpoint::Unix(PathBuf::from(text)),
        _ => {
            let words = "a connection goes either to a remote_address or to a unix_socket";
            return Err(ReadError::member(path, words));
        }
    };
    let local = part.local_address.as_deref();
    let local = local.map(|text| address(format!("{path}.local_address"), text)).transpose()?;
    let pieces = part.pieces.iter().enumerate();
    let pieces = pieces.map(|(index, part)| read_piece(&format!("{path}.pieces[{index}]"), part));
    let at = |seconds: Option<Seconds>| seconds.map(|seconds| seconds.0);
    Ok(WireConnection {
        number: part.number,
        remote,
        host: part.host.clone(),
        local,
        opened: at(part.opened),
        connected: at(part.connected),
        pieces: pieces.collect::<Read<_>>()?,
        dropped: part.dropped,
        peer_ended: at(part.peer_ended),
        failed: part.failed.as_ref().map(|part| WireFailure {
            at: part.at.0,
            message: part.message.clone(),
            by_peer: part.by_peer,
        }),
        closed: at(part.closed),
    })
}

fn read_piece(path: &str, part: &PiecePart) -> Read<Piece> {
    let both = [Direction::Sent, Direction::Received];
    let direction = both.into_iter().find(|direction| direction.name() == part.direction);
    let direction = direction.ok_or_else(|| {
        let said = cut(&part.direction, 40);
        let words = format!("there is no direction \"{said}\", only sent and received");
        ReadError::member(format!("{path}.direction"), words)
    })?;
    let bytes = STANDARD.decode(&part.bytes).map_err(|error| {
        ReadError::member(format!("{path}.bytes"), format!("it is not Base64: {error}"))
    })?;
    Ok(Piece { at: part.at.0, direction, bytes })
}

fn address(path: String, text: &str) -> Read<SocketAddr> {
    SocketAddr::from_str(text).map_err(|_| {
        ReadError::member(path, format!("\"{}\" is no address with a port", cut(text, 60)))
    })
}
