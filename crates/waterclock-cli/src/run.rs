//! One request, from the command line to the exit code.

use crate::access::{self, Login, NoLogin};
use crate::args::{self, Data, Options};
use crate::attempt::{Attempt, Ended};
use crate::body::Sink;
use crate::client::{self, NoSession};
use crate::config;
use crate::exit::Exit;
use crate::live::Live;
use crate::output::{cannot_write, complain, tell};
use crate::repeat::Calls;
use crate::request::Plan;
use crate::resume::Part;
use crate::state::State;
use crate::terminal::{self, Stream};
use crate::{curl, help, recording, signal, whole, write_out};
use std::ffi::OsString;
use waterclock::capture::Capture;
use waterclock::run::{RequestRecord, Run};
use waterclock::screen::escape;
use waterclock::world::real::RealWorld;
use waterclock::{ErrorKind, Method, Session};

/// Makes the request that the arguments ask for.
pub(crate) fn main(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let arguments = match configured(arguments.into_iter().collect()) {
        Ok(arguments) => arguments,
        Err(usage) => {
            tell(&format!("waterclock: {}\n  --no-config leaves it out.\n", escape(&usage)));
            return Exit::Usage.into();
        }
    };
    let matches = match args::command().try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(error) => {
            let _ = error.print();
            return Exit::Usage.into();
        }
    };
    if matches.get_flag("h") {
        return crate::output::print(help::SHORT).into();
    }
    if matches.get_flag("help") {
        return help::topic(None).into();
    }
    if matches.get_flag("version") {
        return crate::output::print(concat!("waterclock ", env!("CARGO_PKG_VERSION"), "\n"))
            .into();
    }
    let options = Options::read(&matches);
    let result = if options.curl { curl::main(&options) } else { request(&options) };
    match result {
        Ok(exit) => exit.into(),
        Err(usage) => {
            let word = options.words.first().and_then(|word| whole::meant(word));
            let tip = word.map(|word| format!("  Did you mean `waterclock {word}`?\n"));
            tell(&format!("waterclock: {usage}\n{}", tip.unwrap_or_default()));
            Exit::Usage.into()
        }
    }
}

/// The arguments, and before them what the configuration file says.
fn configured(mut arguments: Vec<OsString>) -> Result<Vec<OsString>, String> {
    // Help must be there however broken the file is.
    let without = ["--no-config", "--help", "-h", "--version", "-V"];
    let is_own = |word: &&OsString| *word != "--";
    let is_without = |word: &OsString| without.iter().any(|option| word == option);
    if arguments.iter().take_while(is_own).any(is_without) {
        return Ok(arguments);
    }
    if let Some(place) = config::place(|name| std::env::var_os(name)) {
        let settings = config::read(&place)?;
        let after_program = 1.min(arguments.len());
        let options = settings.iter().map(|setting| setting.argument().into());
        arguments.splice(after_program..after_program, options.collect::<Vec<_>>());
    }
    Ok(arguments)
}

/// # Errors
/// In words, if the command line cannot be used; nothing was sent then.
fn request(options: &Options) -> Result<Exit, String> {
    let body = options.file.output.as_deref() == Some("-");
    let others = [(options.json, "--json"), (body, "--output -")];
    let others = others.into_iter().filter_map(|(wanted, option)| wanted.then_some(option));
    options.exports.check(&others.collect::<Vec<_>>())?;
    let capture = recording::capture(options)?;
    if options.write_out.as_deref() == Some("@-") && matches!(options.data, Data::Stdin) {
        return Err("standard input cannot be both --stdin and --write-out @-".to_owned());
    }
    let write_out = options.write_out.as_deref().map(write_out::read).transpose()?;
    let mut plan = Plan::read(options)?;
    let mut state = State::open(&options.cookies, &plan.url, RealWorld::shared().wall())?;
    let cancel = signal::cancel_on_interrupt().map_err(|error| error.to_string())?;
    let login = match Login::given(&options.credentials, &cancel) {
        Ok(login) => login,
        Err(NoLogin::Usage(text)) => return Err(text),
        Err(NoLogin::Interrupted) => return Ok(Exit::Call(ErrorKind::Cancelled)),
    };
    state.remember(&plan.headers, login.as_ref());
    plan.inherit(state.headers());
    plan.cookies.append(&mut state.given);
    if let Some(repeat) = options.repeat {
        return Calls { options, plan, state, login, write_out, cancel }.make(repeat);
    }
    let sink = Sink::choose(options, &plan.url)?;
    let method = plan.method.to_string();
    let run = Run::new(RealWorld::shared().wall(), RequestRecord::refused(&method, &plan.url));
    let style = terminal::style(&options.screen, Stream::Err);
    let mut attempt = Attempt::new(options, style, sink, run);
    attempt.capture = capture.clone();
    attempt.write_out = write_out;
    if let Err(error) = attempt.sink.check() {
        return Ok(attempt.end(Ended::Output(error)));
    }
    attempt.part = part(options, &mut plan, &mut attempt.sink)?;
    attempt.live = Live::start(options, style);
    let (recorder, live) = (capture.as_ref(), attempt.live.as_ref());
    let session = match open(options, &mut plan, &mut state, login.as_ref(), recorder, live) {
        Ok(session) => session,
        Err(NoSession::Usage(text)) => return Err(text),
        Err(NoSession::Error(error)) => return Ok(attempt.end(Ended::Call(error))),
    };
    let mut prepared = match plan.prepare(&session, options, &cancel)? {
        Ok(prepared) => prepared,
        // What cannot be sent is not kept either.
        Err(error) => return Ok(attempt.end(Ended::Call(error))),
    };
    attempt.run.request = RequestRecord::of(&prepared);
    attempt.run.started_at = RealWorld::shared().wall();
    let ended = match session.send(&mut prepared) {
        Err(error) => Ended::Call(error),
        Ok(response) => attempt.receive(response),
    };
    Ok(keep(options, &mut state, &session, attempt.end(ended)))
}

/// The session that makes the call, with the cookies and credentials that there are.
pub(crate) fn open(
    options: &Options,
    plan: &mut Plan,
    state: &mut State,
    login: Option<&Login>,
    capture: Option<&Capture>,
    live: Option<&Live>,
) -> Result<Session, NoSession> {
    let netrc = access::netrc(&options.credentials).map_err(NoSession::Usage)?;
    let login = login.or(state.login());
    plan.auth = login.map(Login::auth).transpose()?;
    client::session(options, std::mem::take(&mut state.cookies), netrc, capture, live)
}

/// Asks for the rest of a file, with `--continue`.
fn part(options: &Options, plan: &mut Plan, sink: &mut Sink) -> Result<Option<Part>, String> {
    if !options.file.resume {
        return Ok(None);
    }
    let Some(target) = sink.target() else {
        return Err("--continue needs a file; add -o FILE or -O".to_owned());
    };
    let ranged = plan.headers.iter().any(|header| header.name.eq_ignore_ascii_case("Range"));
    if plan.method != Method::Get || ranged || options.include {
        return Err("--continue is for a GET without a Range of its own and without -i".to_owned());
    }
    let part = Part::find(target.path()).map_err(|error| {
        let name = target.path().display().to_string();
        format!("cannot read {}: {error}", name.escape_debug())
    })?;
    for (name, value) in part.iter().flat_map(Part::headers) {
        plan.set_header(name, &value);
    }
    Ok(part)
}

/// Writes what outlives the call.
pub(crate) fn keep(options: &Options, state: &mut State, session: &Session, exit: Exit) -> Exit {
    let failed = match state.save(&session.cookies().snapshot()) {
        Some((path, Err(error))) => Some(cannot_write(&path.display().to_string(), &error)),
        _ => None,
    };
    if options.quiet == 0 {
        state.remarks.drain(..).for_each(|remark| complain(&Some(remark)));
    }
    if let Some(message) = &failed
        && options.quiet < 2
    {
        complain(message);
    }
    if failed.is_some() && exit == Exit::Done { Exit::Output } else { exit }
}
