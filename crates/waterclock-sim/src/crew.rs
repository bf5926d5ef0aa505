//! [`Crew`]: who waits for what, and whose turn it is.

use crate::chance::Chance;
use crate::net::{Id, Net};
use std::sync::{Arc, Condvar};
use waterclock::world::Woke;
use waterclock_proto::tick::Tick;

/// One thing that is waited for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Want {
    pub(crate) id: Id,
    pub(crate) read: bool,
    pub(crate) write: bool,
}

/// What a wait is for.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) what: Vec<Want>,
    pub(crate) until: Tick,
    /// A signal handler has run in this thread.
    pub(crate) interrupted: bool,
}

/// The threads of a world. Number 0 is whoever calls without being one of
/// [`SimWorld::threads`](crate::SimWorld::threads).
pub(crate) struct Crew {
    pub(crate) members: Vec<Member>,
    /// Whose turn it is.
    pub(crate) turn: Option<usize>,
    /// Draws whose turn comes next.
    chance: Chance,
    /// Why nobody will ever have a turn again.
    pub(crate) fallen: Option<String>,
}

pub(crate) struct Member {
    pub(crate) state: State,
    pub(crate) called: Arc<Condvar>,
}

pub(crate) enum State {
    /// It has not begun.
    New,
    /// It has its turn; or it is number 0 and does not wait.
    Running,
    Waiting(Wanted),
    Ended,
}

impl Crew {
    pub(crate) fn new(seed: u64) -> Self {
        let mut crew = Crew {
            members: Vec::new(),
            turn: None,
            chance: Chance::new(seed.rotate_left(32) ^ 0x7468_7265_6164_7321),
            fallen: None,
        };
        crew.join(State::Running);
        crew
    }

    /// One more thread; its number.
    pub(crate) fn join(&mut self, state: State) -> usize {
        self.members.push(Member { state, called: Arc::new(Condvar::new()) });
        self.members.len() - 1
    }

    pub(crate) fn enter(&mut self, thread: usize, state: State) {
        if let Some(member) = self.members.get_mut(thread) {
            member.state = state;
        }
    }

    pub(crate) fn waiting(&self) -> impl Iterator<Item = (usize, &Wanted)> {
        self.members.iter().enumerate().filter_map(|(thread, member)| match &member.state {
            State::Waiting(wanted) => Some((thread, wanted)),
            _ => None,
        })
    }

    /// The first instant until which somebody waits.
    pub(crate) fn earliest(&self) -> Tick {
        self.waiting().map(|(_, wanted)| wanted.until).min().unwrap_or(Tick::NEVER)
    }

    /// A signal handler runs in one of the threads that wait, whichever the seed says.
    pub(crate) fn interrupt(&mut self) {
        let waiting: Vec<usize> = self.waiting().map(|(thread, _)| thread).collect();
        let drawn = draw(&mut self.chance, &waiting);
        if let Some(State::Waiting(wanted)) =
            drawn.and_then(|thread| self.members.get_mut(thread)).map(|member| &mut member.state)
        {
            wanted.interrupted = true;
        }
    }
}

impl Net {
    /// Why a wait would come back now; `None` if it would not.
    pub(crate) fn woke(&self, wanted: &Wanted) -> Option<Woke> {
        if wanted.what.iter().any(|want| self.is_ready(want) == Some(true)) {
            return Some(Woke::Ready);
        }
        if wanted.interrupted {
            return Some(Woke::Interrupted);
        }
        (self.now >= wanted.until).then_some(Woke::Expired)
    }

    /// Draws one of the threads that can go on now.
    pub(crate) fn draw_turn(&mut self) -> Option<usize> {
        let able = |(thread, member): (usize, &Member)| match &member.state {
            State::New => Some(thread),
            State::Waiting(wanted) => self.woke(wanted).map(|_| thread),
            State::Running | State::Ended => None,
        };
        let able: Vec<usize> = self.crew.members.iter().enumerate().filter_map(able).collect();
        self.crew.turn = draw(&mut self.crew.chance, &able);
        self.crew.turn
    }
}

fn draw(chance: &mut Chance, from: &[usize]) -> Option<usize> {
    if from.len() < 2 {
        return from.first().copied();
    }
    let index = chance.up_to(from.len() as u64 - 1);
    from.get(usize::try_from(index).unwrap_or_default()).copied()
}
