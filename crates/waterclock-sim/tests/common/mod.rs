//! A client's side in a few lines, written against the `World` trait alone.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests too")]
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(unreachable_pub, reason = "tests are no libraries")]

use std::io::{self, ErrorKind, IoSlice};
use std::sync::Arc;
use std::time::Duration;
use waterclock::world::{Endpoint, Interest, Opened, PendingLookup, Socket, SocketOptions, World};
use waterclock_proto::tick::Tick;
use waterclock_sim::SimWorld;

pub const PEER: &str = "192.0.2.1:80";

pub fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// The instant `count` milliseconds after the world began.
pub fn at(count: u64) -> Tick {
    Tick::ZERO.after(ms(count))
}

pub fn endpoint(address: &str) -> Endpoint {
    Endpoint::Tcp(address.parse().unwrap())
}

pub fn open(world: &SimWorld, address: &str) -> Opened {
    world.open(&endpoint(address), &SocketOptions::default()).unwrap()
}

/// Connects, waiting as long as it takes.
pub fn connect(world: &SimWorld, address: &str) -> Box<dyn Socket> {
    let Opened { mut socket, connected } = open(world, address);
    if !connected {
        world.wait(&mut [Interest::write(socket.source())], Tick::NEVER).unwrap();
    }
    socket.connected().unwrap();
    socket
}

/// Everything until the end of the stream, in the pieces and at the instants at which it came.
pub fn read_to_end(world: &SimWorld, socket: &mut dyn Socket) -> Vec<(Tick, Vec<u8>)> {
    let mut pieces = Vec::new();
    loop {
        match read(socket) {
            Ok(piece) if piece.is_empty() => return pieces,
            Ok(piece) => pieces.push((world.now(), piece)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                world.wait(&mut [Interest::read(socket.source())], Tick::NEVER).unwrap();
            }
            Err(error) => panic!("{error} after {pieces:?}"),
        }
    }
}

pub fn read(socket: &mut dyn Socket) -> io::Result<Vec<u8>> {
    let mut out = vec![0; 100_000];
    let count = socket.read(&mut out)?;
    out.truncate(count);
    Ok(out)
}

pub fn write(socket: &mut dyn Socket, bytes: &[u8]) -> io::Result<usize> {
    socket.write(&[IoSlice::new(bytes)])
}

/// Writes everything, waiting as long as it takes.
pub fn write_all(world: &SimWorld, socket: &mut dyn Socket, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        match write(socket, bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                world.wait(&mut [Interest::write(socket.source())], Tick::NEVER).unwrap();
            }
            Err(error) => panic!("{error}"),
        }
    }
}

pub fn kind<T: std::fmt::Debug>(result: io::Result<T>) -> ErrorKind {
    result.unwrap_err().kind()
}

pub fn look_up(world: &Arc<SimWorld>, name: &str) -> PendingLookup {
    let (pending, answer) = PendingLookup::new(world.signal().unwrap());
    world.lookup(name, 443, answer);
    pending
}
