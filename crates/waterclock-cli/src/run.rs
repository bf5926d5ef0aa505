//! One request, from the command line to the exit code.

use crate::args::{self, Options};
use crate::body::{Sink, stdout};
use crate::exit::Exit;
use crate::output::{cannot_write, complain, tell};
use crate::report::{self, Head, Trouble};
use crate::request::{Plan, removed};
use crate::terminal::{self, Stream};
use crate::{help, signal, trust};
use sha2::{Digest as _, Sha256};
use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;
use waterclock::run::{ErrorRecord, RequestRecord, ResponseRecord, Run, Secrets};
use waterclock::screen::{Style, escape};
use waterclock::world::SocketOptions;
use waterclock::world::real::RealWorld;
use waterclock::{Error, Response, Session, Timeline};

/// The body is moved in pieces of this size.
const PIECE: usize = 64 * 1024;

/// Makes the request that the arguments ask for.
pub(crate) fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let matches = match args::command().try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(error) => {
            let _ = error.print();
            return Exit::Usage.into();
        }
    };
    if matches.get_flag("h") {
        return crate::output::print(help::SHORT);
    }
    if matches.get_flag("help") {
        return help::topic(None);
    }
    if matches.get_flag("version") {
        return crate::output::print(concat!("waterclock ", env!("CARGO_PKG_VERSION"), "\n"));
    }
    let options = Options::read(&matches);
    match request(&options) {
        Ok(exit) => exit.into(),
        Err(usage) => {
            tell(&format!("waterclock: {usage}\n"));
            Exit::Usage.into()
        }
    }
}

/// # Errors
/// In words, if the command line cannot be used; nothing was sent then.
fn request(options: &Options) -> Result<Exit, String> {
    let plan = Plan::read(options)?;
    let sink = Sink::choose(options.output.as_deref(), options.json).map_err(|e| e.to_string())?;
    let run = Run::new(
        RealWorld::shared().wall(),
        RequestRecord::refused(&plan.method.to_string(), &plan.url),
    );
    let style = terminal::style(&options.screen, Stream::Err);
    let mut attempt = Attempt { options, style, sink, run, head: None, trouble: None };
    let cancel = signal::cancel_on_interrupt().map_err(|error| error.to_string())?;
    if let Err(error) = attempt.sink.check() {
        return Ok(attempt.end(Ended::Output(error)));
    }
    let session = match session(options) {
        Ok(session) => session,
        Err(NoSession::Usage(text)) => return Err(text),
        Err(NoSession::Error(error)) => return Ok(attempt.end(Ended::Call(error))),
    };
    let ended = match plan.prepare(&session, options, &cancel)? {
        Err(error) => Ended::Call(error),
        Ok(mut prepared) => {
            attempt.run.request = RequestRecord::of(&prepared);
            attempt.run.started_at = RealWorld::shared().wall();
            match session.send(&mut prepared) {
                Err(error) => Ended::Call(error),
                Ok(response) => attempt.receive(response),
            }
        }
    };
    Ok(attempt.end(ended))
}

enum NoSession {
    Usage(String),
    Error(Error),
}

fn session(options: &Options) -> Result<Session, NoSession> {
    let tls = trust::settings(&options.trust).map_err(|error| {
        let hint = error.hint().map(|hint| format!("\n  {hint}")).unwrap_or_default();
        NoSession::Usage(format!("{error}{hint}"))
    })?;
    let mut builder = Session::builder().tls(tls);
    if let Some(address) = options.local_address {
        let local_address = Some(address);
        builder = builder.socket(SocketOptions { local_address, ..SocketOptions::default() });
    }
    for rule in &options.resolve {
        builder = builder.resolve(rule.clone());
    }
    if let Some(proxy) = &options.proxy {
        builder = builder.proxy(proxy);
    }
    if let Some(path) = &options.unix_socket {
        builder = builder.unix_socket(path);
    }
    for name in removed(options) {
        builder = builder.without_header(&name);
    }
    builder.build().map_err(NoSession::Error)
}

/// How the call ended.
enum Ended {
    /// The body is complete.
    Done(Timeline),
    /// The body is complete, and `--fail` makes the status a failure.
    Status(Timeline, u16),
    /// The call failed.
    Call(Error),
    /// The body or the document could not be written.
    Output(io::Error),
    /// As `Output`, with a call that had begun.
    BodyOutput(io::Error, Timeline),
}

/// One call and what there is to tell about it.
struct Attempt<'o> {
    options: &'o Options,
    style: Style,
    sink: Sink,
    run: Run,
    head: Option<Head>,
    trouble: Option<Trouble>,
}

impl Attempt<'_> {
    /// Moves the body to where it goes, piece by piece.
    fn receive(&mut self, mut response: Response) -> Ended {
        let status = response.status();
        let failed = self.options.fail && status >= 400;
        let mut head = Head::of(&response);
        let mut sum = self.wants_document().then(Sha256::new);
        let mut bytes = 0;
        let moved = self.move_body(&mut response, failed, &mut sum, &mut bytes);
        head.count(response.body_received(), bytes);
        self.head = Some(head);
        let complete = moved.is_ok();
        let sum = sum.filter(|_| complete).map(|sum| sum.finalize().into());
        self.run.response = Some(ResponseRecord::of(&response, bytes, sum));
        match moved {
            Ok(()) if failed => Ended::Status(response.close(), status),
            Ok(()) => Ended::Done(response.close()),
            Err(Stopped::Call(error)) => Ended::Call(error),
            Err(Stopped::Output(error)) => Ended::BodyOutput(error, response.close()),
        }
    }

    fn move_body(
        &mut self,
        response: &mut Response,
        failed: bool,
        sum: &mut Option<Sha256>,
        bytes: &mut u64,
    ) -> Result<(), Stopped> {
        // As with curl: what failed leaves no file that looks like a result.
        let mut nowhere = Sink::Nowhere;
        let sink = if failed { &mut nowhere } else { &mut self.sink };
        if self.options.include {
            sink.write(&head_bytes(response)).map_err(Stopped::Output)?;
        }
        let mut piece = vec![0; PIECE];
        loop {
            let count = match response.read_body(&mut piece) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) => {
                    // What came before is worth seeing; a second failure would hide the first.
                    let _ = sink.break_off();
                    return Err(Stopped::Call(error));
                }
            };
            let new = piece.get(..count).unwrap_or_default();
            *bytes += count as u64;
            if let Some(sum) = sum {
                sum.update(new);
            }
            sink.write(new).map_err(Stopped::Output)?;
        }
        sink.end().map_err(Stopped::Output)
    }

    fn wants_document(&self) -> bool {
        self.options.json || self.options.save.is_some()
    }

    /// Tells everything, and gives the exit code.
    fn end(mut self, ended: Ended) -> Exit {
        let exit = match ended {
            Ended::Done(timeline) => {
                self.run.timeline = Some(timeline);
                Exit::Done
            }
            Ended::Status(timeline, status) => {
                let message = format!("the status is {status}, and --fail was given");
                self.run.error = Some(ErrorRecord::new("status", &*message, Some(status)));
                self.run.timeline = Some(timeline);
                self.trouble = Some(Trouble::new(message));
                Exit::Status
            }
            Ended::Call(error) => {
                self.run.error = Some(ErrorRecord::of(&error));
                self.run.timeline = error.timeline().cloned();
                self.trouble = Some(Trouble::of(&error));
                Exit::Call(error.kind())
            }
            Ended::Output(error) => self.output_failed(&error),
            Ended::BodyOutput(error, timeline) => {
                self.run.timeline = Some(timeline);
                self.output_failed(&error)
            }
        };
        self.remark_partial_file(exit);
        self.show(exit);
        let written = self.write_document();
        if exit == Exit::Done { written } else { exit }
    }

    fn output_failed(&mut self, error: &io::Error) -> Exit {
        let status = self.run.response.as_ref().map(ResponseRecord::status);
        let message = cannot_write(&self.sink.name(), error);
        let record = message.clone().unwrap_or_else(|| "the reader of the output is gone".into());
        self.run.error = Some(ErrorRecord::new("output", record, status));
        self.trouble = message.map(Trouble::new);
        Exit::Output
    }

    fn remark_partial_file(&mut self, exit: Exit) {
        let Some(trouble) = self.trouble.as_mut().filter(|_| exit != Exit::Status) else { return };
        if let Some(path) = self.sink.begun() {
            let name = path.display().to_string();
            trouble.remarks.push(format!("{} has what came before.", escape(&name)));
        }
    }

    fn show(&self, exit: Exit) {
        // A reader that went away (`| head`) wants to know nothing more.
        let gone = exit == Exit::Output && self.trouble.is_none();
        match (&self.run.timeline, &self.trouble) {
            _ if gone || self.options.quiet > 1 => {}
            (Some(timeline), trouble) if self.options.quiet == 0 => {
                let head = self.head.as_ref();
                tell(&report::screen(head, timeline, trouble.as_ref(), &self.style));
            }
            (_, Some(trouble)) => tell(&trouble.brief()),
            (_, None) => {}
        }
    }

    fn write_document(&self) -> Exit {
        if !self.wants_document() {
            return Exit::Done;
        }
        let secrets = match self.options.with_secrets {
            true => Secrets::Shown,
            false => Secrets::Redacted,
        };
        let text = self.run.to_json(secrets);
        let mut exit = Exit::Done;
        if let Some(path) = &self.options.save
            && let Err(error) = std::fs::write(path, &text)
        {
            self.complain(&path.display().to_string(), &error);
            exit = Exit::Output;
        }
        if self.options.json
            && let Err(error) = stdout().and_then(|mut out| out.write_all(text.as_bytes()))
        {
            self.complain("standard output", &error);
            exit = Exit::Output;
        }
        exit
    }

    fn complain(&self, name: &str, error: &io::Error) {
        if self.options.quiet < 2 {
            complain(&cannot_write(name, error));
        }
    }
}

/// Why the body is not complete where it should be.
enum Stopped {
    Call(Error),
    Output(io::Error),
}

/// Status line and fields as they came.
fn head_bytes(response: &Response) -> Vec<u8> {
    let mut out = format!("{} {} {}\r\n", response.version(), response.status(), response.reason())
        .into_bytes();
    for (name, value) in response.headers().iter() {
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(value);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"\r\n");
    out
}
