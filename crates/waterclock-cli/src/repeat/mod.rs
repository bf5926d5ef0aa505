//! `--repeat N`: the same call again and again, and what each phase took in them.

mod summary;
mod table;

use crate::access::Login;
use crate::args::Options;
use crate::attempt::{Attempt, Ended};
use crate::body::{Sink, stdout};
use crate::client::NoSession;
use crate::exit::Exit;
use crate::exports;
use crate::live::Live;
use crate::output::{cannot_write, complain, tell};
use crate::request::Plan;
use crate::run::{keep, open};
use crate::state::State;
use crate::store;
use crate::terminal::{self, Stream};
use crate::write_out::Template;
use clap::{Arg, ArgAction, value_parser};
use std::io::Write;
use summary::Summary;
use waterclock::run::{RequestRecord, Run};
use waterclock::world::real::RealWorld;
use waterclock::{CancelHandle, ErrorKind, Session};

/// What goes to a file or is recorded, which one call alone can.
const ONE_CALL: [&str; 12] = [
    "output",
    "remote-name",
    "continue",
    "continue-at",
    "include",
    "stdin",
    "capture",
    "har",
    "trace",
    "otlp",
    "html",
    "svg",
];

/// The options.
pub(crate) fn args() -> [Arg; 2] {
    [
        Arg::new("repeat")
            .long("repeat")
            .value_name("N")
            .value_parser(value_parser!(u32).range(1..=100_000))
            .conflicts_with_all(ONE_CALL)
            .conflicts_with_all(["pcapng", "oneline", "blame", "curl"])
            .help("Makes the call N times and shows min, median, 95th percentile and max by phase"),
        Arg::new("fresh")
            .long("fresh")
            .action(ArgAction::SetTrue)
            .requires("repeat")
            .help("With --repeat: a new connection for each call"),
    ]
}

/// How often, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Repeat {
    pub(crate) count: u32,
    pub(crate) fresh: bool,
}

/// What all calls have in common.
pub(crate) struct Calls<'o> {
    pub(crate) options: &'o Options,
    pub(crate) plan: Plan,
    pub(crate) state: State,
    pub(crate) login: Option<Login>,
    pub(crate) write_out: Option<Template>,
    pub(crate) cancel: CancelHandle,
}

impl Calls<'_> {
    /// Makes them, one after the other, and shows what they came to: so far, if it is interrupted.
    ///
    /// # Errors
    /// In words, if the command line cannot be used.
    pub(crate) fn make(mut self, repeat: Repeat) -> Result<Exit, String> {
        let mut summary = Summary::new(self.plan.method.as_str(), &self.plan.url, repeat.count);
        let mut documents = Vec::new();
        let mut session = None;
        let style = terminal::style(&self.options.screen, Stream::Err);
        // --write-out may write where the line is.
        let live = match self.write_out {
            None => Live::start(self.options, style),
            Some(_) => None,
        };
        for _ in 0..repeat.count {
            if self.cancel.is_cancelled() {
                break;
            }
            let session = match self.session(&mut session, live.as_ref(), repeat.fresh) {
                Ok(session) => session,
                Err(NoSession::Usage(text)) => return Err(text),
                Err(NoSession::Error(error)) => {
                    return Ok(self.attempt().end(Ended::Call(error)));
                }
            };
            let (run, exit) = self.call(self.plan.clone(), session)?;
            if exit == Exit::Call(ErrorKind::Cancelled) {
                break;
            }
            if self.options.json || self.options.save.is_some() {
                documents.push(run.to_json(exports::secrets(self.options.with_secrets)));
            }
            summary.add(&run, exit);
        }
        drop(live);
        let interrupted = summary.calls() < repeat.count;
        let exit = if interrupted { Exit::Call(ErrorKind::Cancelled) } else { summary.exit() };
        if self.options.quiet == 0 {
            tell(&table::render(&summary, &style));
        }
        let exit = if self.write(&documents) || exit != Exit::Done { exit } else { Exit::Output };
        Ok(match session {
            Some(session) => keep(self.options, &mut self.state, &session, exit),
            None => exit,
        })
    }

    /// The session of the next call.
    fn session<'s>(
        &mut self,
        current: &'s mut Option<Session>,
        live: Option<&Live>,
        fresh: bool,
    ) -> Result<&'s Session, NoSession> {
        if fresh && let Some(used) = current.take() {
            self.state.cookies = used.cookies().snapshot();
        }
        if current.is_none() {
            let login = self.login.as_ref();
            let made = open(self.options, &mut self.plan, &mut self.state, login, None, live)?;
            return Ok(current.insert(made));
        }
        current.as_ref().ok_or_else(|| NoSession::Usage("there is no session".to_owned()))
    }

    fn attempt(&self) -> Attempt<'_> {
        let request = RequestRecord::refused(self.plan.method.as_str(), &self.plan.url);
        let style = terminal::style(&self.options.screen, Stream::Err);
        let run = Run::new(RealWorld::shared().wall(), request);
        let mut attempt = Attempt::new(self.options, style, Sink::Nowhere, run);
        attempt.write_out.clone_from(&self.write_out);
        attempt
    }

    fn call(&self, plan: Plan, session: &Session) -> Result<(Run, Exit), String> {
        let mut attempt = self.attempt();
        let ended = match plan.prepare(session, self.options, &self.cancel)? {
            Err(error) => Ended::Call(error),
            Ok(mut prepared) => {
                attempt.run.request = RequestRecord::of(&prepared);
                match session.send(&mut prepared) {
                    Err(error) => Ended::Call(error),
                    Ok(response) => attempt.receive(response),
                }
            }
        };
        Ok(attempt.end_of_many(ended))
    }

    /// Writes the run documents as one JSON array, and says whether that could be done.
    fn write(&self, documents: &[String]) -> bool {
        let items: Vec<&str> = documents.iter().map(|text| text.trim_end()).collect();
        let text = format!("[{}]\n", items.join(",\n"));
        let mut all = true;
        let mut check = |name: &str, result: std::io::Result<()>| {
            if let Err(error) = result {
                all = false;
                if self.options.quiet < 2 {
                    complain(&cannot_write(name, &error));
                }
            }
        };
        if let Some(path) = &self.options.save {
            check(&path.display().to_string(), store::overwrite(path, text.as_bytes(), false));
        }
        if self.options.json {
            let written = stdout().and_then(|mut out| out.write_all(text.as_bytes()));
            check("standard output", written);
        }
        all
    }
}
