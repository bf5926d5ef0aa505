//! A server in the simulated world that an input has written: what it says to each request, when,
//! and how it leaves.

use crate::input::Input;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use waterclock::Tick;
use waterclock_sim::{Peer, Wire};

/// What follows a request head, whichever connection it came over.
#[derive(Clone, Debug, Default)]
pub struct Turn {
    delay: Duration,
    raw: Vec<u8>,
    answer: Answer,
    /// What comes behind that, in pieces of that size and at that pace.
    late: Vec<u8>,
    piece: usize,
    every: Duration,
    leaves: Leaves,
}

/// A marked answer, behind what is raw and at the same instant.
#[derive(Clone, Copy, Debug, Default)]
enum Answer {
    #[default]
    Whole,
    Chunked,
    /// Without a head.
    Content,
    Nothing,
}

#[derive(Clone, Copy, Debug, Default)]
enum Leaves {
    #[default]
    Not,
    Closes,
    Resets,
    /// Takes nothing more, and keeps the connection.
    Stalls,
}

impl Turn {
    /// Reads a turn: three bytes of choices, and two texts that `0xff` ends.
    pub fn read(input: &mut Input<'_>) -> Turn {
        let ms = |count: u8| Duration::from_millis(u64::from(count));
        let (choice, delay, pace) = (input.byte(), input.byte(), input.byte());
        Turn {
            delay: ms(delay) * 4,
            answer: match choice & 3 {
                0 => Answer::Whole,
                1 => Answer::Chunked,
                2 => Answer::Content,
                _ => Answer::Nothing,
            },
            leaves: match choice >> 2 & 3 {
                0 => Leaves::Not,
                1 => Leaves::Closes,
                2 => Leaves::Resets,
                _ => Leaves::Stalls,
            },
            piece: 1 + usize::from(pace >> 4),
            every: ms(1 + (pace & 15)) * 20,
            raw: input.until(0xff).to_vec(),
            late: input.until(0xff).to_vec(),
        }
    }
}

/// The turns that are left, for all connections.
pub type Turns = Arc<Mutex<VecDeque<Turn>>>;

/// The server's end of one connection.
pub struct Server {
    turns: Turns,
    arrived: Vec<u8>,
    acts: VecDeque<(Tick, Act)>,
    /// Whether something came late: a later answer may then be taken for another request's, as
    /// nobody can tell. It is not marked any more.
    blurred: bool,
}

enum Act {
    Send(Vec<u8>),
    Leave(Leaves),
}

impl Server {
    pub fn new(turns: &Turns) -> Self {
        let turns = Arc::clone(turns);
        Server { turns, arrived: Vec::new(), acts: VecDeque::new(), blurred: false }
    }

    /// Plans what follows the request in front, if its head is all there.
    fn plan(&mut self, now: Tick) -> bool {
        let Some(end) = self.arrived.windows(4).position(|four| four == b"\r\n\r\n") else {
            return false;
        };
        let head: Vec<u8> = self.arrived.drain(..end + 4).collect();
        let turn = self.turns.lock().expect("one thread").pop_front().unwrap_or_default();
        let mark = if self.blurred { "late".to_owned() } else { mark_of(&head) };
        let mut at = now.after(turn.delay);
        let mut bytes = turn.raw;
        bytes.extend(answer(turn.answer, &mark));
        self.acts.push_back((at, Act::Send(bytes)));
        for piece in turn.late.chunks(turn.piece.max(1)) {
            self.blurred = true;
            at = at.after(turn.every);
            self.acts.push_back((at, Act::Send(piece.to_vec())));
        }
        self.acts.push_back((at, Act::Leave(turn.leaves)));
        true
    }
}

/// The request's own name, which goes with it over redirects.
fn mark_of(head: &[u8]) -> String {
    let text = String::from_utf8_lossy(head);
    let mark = text.lines().find_map(|line| line.strip_prefix("X-Request: "));
    mark.unwrap_or("unknown").to_owned()
}

/// An answer that only this request may be given.
fn answer(answer: Answer, mark: &str) -> Vec<u8> {
    let content = format!("<<{mark}>>");
    let size = content.len();
    match answer {
        Answer::Whole => format!("HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n{content}"),
        Answer::Chunked => format!(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{size:x}\r\n{content}\r\n0\r\n\r\n"
        ),
        Answer::Content => content,
        Answer::Nothing => String::new(),
    }
    .into_bytes()
}

impl Peer for Server {
    fn poll(&mut self, wire: &mut Wire) {
        let bytes = wire.take_all();
        self.arrived.extend(bytes);
        while !self.acts.is_empty() || self.plan(wire.now()) {
            match self.acts.front() {
                Some((at, _)) if *at > wire.now() => return wire.wake_at(*at),
                // For good: it stays in front.
                Some((_, Act::Leave(Leaves::Stalls))) => return,
                _ => {}
            }
            match self.acts.pop_front() {
                Some((_, Act::Send(bytes))) => wire.send(bytes),
                Some((_, Act::Leave(Leaves::Closes))) => return wire.close(),
                Some((_, Act::Leave(Leaves::Resets))) => return wire.reset(),
                _ => {}
            }
        }
    }
}
