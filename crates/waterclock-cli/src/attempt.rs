//! One call, and what there is to tell about it.

use crate::args::{Options, View};
use crate::body::{Sink, stdout};
use crate::exit::Exit;
use crate::exports;
use crate::live::Live;
use crate::output::{cannot_write, complain, tell};
use crate::progress::Progress;
use crate::report::{self, Head, Trouble};
use crate::resume::{self, Answer, Part};
use crate::store;
use crate::whole;
use crate::write_out::{self, Template};
use sha2::{Digest as _, Sha256};
use std::io::{self, IsTerminal, Write};
use waterclock::capture::Capture;
use waterclock::run::{ErrorRecord, ResponseRecord, Run};
use waterclock::screen::{self, Style, escape};
use waterclock::{Error, ErrorKind, Limit, Response, Tick, Timeline};

/// The body is moved in pieces of this size.
const PIECE: usize = 64 * 1024;

/// How the call ended.
pub(crate) enum Ended {
    /// The body is complete.
    Done(Timeline),
    /// The status is a failure, for this reason.
    Status(Timeline, u16, String),
    /// The call failed.
    Call(Error),
    /// The body or the document could not be written.
    Output(io::Error),
    /// As `Output`, with a call that had begun.
    BodyOutput(io::Error, Timeline),
    /// The body is not what its Content-Range says.
    Range(Timeline, ErrorKind, u16, String),
}

/// One call and what there is to tell about it.
pub(crate) struct Attempt<'o> {
    pub(crate) options: &'o Options,
    pub(crate) style: Style,
    pub(crate) sink: Sink,
    /// What there is of the body, if it is to be completed.
    pub(crate) part: Option<Part>,
    pub(crate) run: Run,
    /// Records the sockets, if that is wanted.
    pub(crate) capture: Option<Capture>,
    /// What is to be written about the call.
    pub(crate) write_out: Option<Template>,
    /// Says what the call waits for.
    pub(crate) live: Option<Live>,
    head: Option<Head>,
    trouble: Option<Trouble>,
    /// What else is to be said below the screen.
    tips: Vec<String>,
    /// Whether a file that has a part of the body can be completed.
    resumable: bool,
    /// The bytes that complete a part, by their Content-Range.
    rest: Option<u64>,
}

impl<'o> Attempt<'o> {
    pub(crate) fn new(options: &'o Options, style: Style, sink: Sink, run: Run) -> Self {
        let (part, head, trouble, tips) = (None, None, None, Vec::new());
        Attempt {
            options,
            style,
            sink,
            part,
            run,
            capture: None,
            write_out: None,
            live: None,
            head,
            trouble,
            tips,
            resumable: false,
            rest: None,
        }
    }

    /// Moves the body to where it goes, piece by piece.
    pub(crate) fn receive(&mut self, mut response: Response) -> Ended {
        // What follows may be written where the line is.
        let apart =
            matches!(self.sink, Sink::Nowhere | Sink::Raw(_)) && !io::stdout().is_terminal();
        self.live = self.live.take().filter(|_| apart);
        let status = response.status();
        let refusal = self.look(&response);
        if let Some(next) = response.take_next() {
            let url = escape(next.url().as_str()).into_owned();
            self.tips.push(format!("The response redirects to {url}; --follow (-L) goes there."));
        }
        let mut head = Head::of(&response);
        let mut sum = self.wants_document().then(Sha256::new);
        let mut bytes = 0;
        let discard = !matches!(refusal, Use::Wanted);
        let moved = self.move_body(&mut response, discard, &mut sum, &mut bytes);
        head.count(response.body_received(), bytes);
        self.head = Some(head);
        let complete = moved.is_ok();
        let sum = sum.filter(|_| complete).map(|sum| sum.finalize().into());
        self.run.response = Some(ResponseRecord::of(&response, bytes, sum));
        match (self.sink.begun(), complete) {
            (Some(path), true) => resume::forget(path),
            (Some(path), false) => {
                let rest = self.rest.is_some();
                self.resumable = self.may_resume() && resume::note(path, &response, rest);
            }
            (None, _) => {}
        }
        match (moved, refusal) {
            (Ok(()), Use::Refused(why)) => Ended::Status(response.close(), status, why),
            (Ok(()), _) => Ended::Done(response.close()),
            (Err(Stopped::Call(error)), _) => Ended::Call(error),
            (Err(Stopped::Output(error)), _) => Ended::BodyOutput(error, response.close()),
            (Err(Stopped::Range(kind, text)), _) => {
                Ended::Range(response.close(), kind, status, text)
            }
        }
    }

    /// What the head means for the body.
    fn look(&mut self, response: &Response) -> Use {
        let status = response.status();
        if let Some(part) = &self.part
            && let Some(target) = self.sink.target()
        {
            let name = escape(&target.path().display().to_string()).into_owned();
            match part.judge(response) {
                Answer::Rest { bytes } => {
                    target.append();
                    self.rest = Some(bytes);
                }
                Answer::Whole => {
                    self.tips.push(format!("{name} was begun again: the server sent all of it."));
                    self.part = None;
                }
                Answer::Complete => {
                    self.tips.push(format!("{name} is complete: {} bytes.", part.length()));
                    resume::forget(target.path());
                    return Use::Nothing;
                }
                Answer::Useless(why) => {
                    return Use::Refused(format!("{why}, and {name} was left as it was"));
                }
            }
        }
        // As with curl: what failed leaves no file that looks like a result.
        if self.options.fail && status >= 400 {
            return Use::Refused(format!("the status is {status}, and --fail was given"));
        }
        if let Some(target) = self.sink.target() {
            target.see(response.headers());
        }
        Use::Wanted
    }

    /// What is in the file must be the body alone, and asking for a part of it must make sense.
    fn may_resume(&self) -> bool {
        !self.options.include && self.run.request.method == "GET"
    }

    fn progress(&self, response: &Response) -> Option<Progress> {
        let to_file = matches!(self.sink, Sink::File(_));
        let wanted = to_file && self.options.quiet == 0 && !self.options.file.no_progress;
        (wanted && io::stderr().is_terminal()).then(|| {
            let before = self.part.as_ref().map_or(0, Part::length);
            let timeline = response.timeline();
            let total = timeline.limits().get(Limit::Total);
            let left = total.map(|total| total.saturating_sub(timeline.elapsed()));
            let expected = response.body_expected();
            Progress::new(&self.sink.name(), self.style, before, expected, left)
        })
    }

    fn move_body(
        &mut self,
        response: &mut Response,
        discard: bool,
        sum: &mut Option<Sha256>,
        bytes: &mut u64,
    ) -> Result<(), Stopped> {
        let mut progress = if discard { None } else { self.progress(response) };
        let mut nowhere = Sink::Nowhere;
        let sink = if discard { &mut nowhere } else { &mut self.sink };
        if self.options.include {
            sink.write(&head_bytes(response)).map_err(Stopped::Output)?;
        }
        let mut piece = vec![0; PIECE];
        loop {
            let left = self.rest.filter(|_| !discard).map(|rest| rest.saturating_sub(*bytes));
            let count = match response.read_body(&mut piece) {
                Ok(0) => match left {
                    Some(missing @ 1..) => {
                        let _ = sink.break_off();
                        return Err(Stopped::too_short(*bytes, missing));
                    }
                    _ => break,
                },
                Ok(count) => count,
                Err(error) => {
                    // What came before is worth seeing; a second failure would hide the first.
                    let _ = sink.break_off();
                    return Err(Stopped::Call(error));
                }
            };
            let fits = left.map_or(count, |left| usize::try_from(left).unwrap_or(count).min(count));
            let new = piece.get(..fits).unwrap_or_default();
            *bytes += fits as u64;
            if let Some(sum) = sum {
                sum.update(new);
            }
            sink.write(new).map_err(Stopped::Output)?;
            if fits < count {
                let _ = sink.break_off();
                return Err(Stopped::too_long());
            }
            if let Some(progress) = &mut progress {
                progress.show(response.body_received());
            }
        }
        sink.end().map_err(Stopped::Output)
    }

    fn wants_document(&self) -> bool {
        self.options.json || self.options.save.is_some() || !self.options.exports.is_empty()
    }

    /// Tells everything, and gives the exit code.
    pub(crate) fn end(mut self, ended: Ended) -> Exit {
        let exit = self.conclude(ended);
        self.show(exit);
        let written = self.write_documents();
        let exit = if exit == Exit::Done { written } else { exit };
        self.write_out(exit)
    }

    /// The end of one of many calls, of which there is nothing to see but what `--write-out` says.
    pub(crate) fn end_of_many(mut self, ended: Ended) -> (Run, Exit) {
        let exit = self.conclude(ended);
        let exit = self.write_out(exit);
        (self.run, exit)
    }

    /// Takes the end into the run.
    fn conclude(&mut self, ended: Ended) -> Exit {
        self.live = None;
        let exit = match ended {
            Ended::Done(timeline) => {
                self.run.timeline = Some(timeline);
                Exit::Done
            }
            Ended::Status(timeline, status, message) => {
                self.run.error = Some(ErrorRecord::new("status", &*message, Some(status)));
                self.run.timeline = Some(timeline);
                self.trouble = Some(Trouble::new(message));
                Exit::Status
            }
            Ended::Call(error) => {
                self.run.error = Some(ErrorRecord::of(&error));
                self.run.timeline = error.timeline().cloned();
                let mut trouble = Trouble::of(&error);
                if error.kind() == ErrorKind::Resolve
                    && let Some(word) = whole::meant(&self.run.request.url)
                {
                    let tip = format!("If that was no host: did you mean `waterclock {word}`?");
                    trouble.remarks.push(tip);
                }
                self.trouble = Some(trouble);
                Exit::Call(error.kind())
            }
            Ended::Range(timeline, kind, status, message) => {
                self.run.error = Some(ErrorRecord::new(kind.name(), &*message, Some(status)));
                self.run.timeline = Some(timeline);
                self.trouble = Some(Trouble::new(message));
                Exit::Call(kind)
            }
            Ended::Output(error) => self.output_failed(&error),
            Ended::BodyOutput(error, timeline) => {
                self.run.timeline = Some(timeline);
                self.output_failed(&error)
            }
        };
        let exit = self.judge(exit);
        self.remark_partial_file(exit);
        if let (Some(error), Some(trouble)) = (&mut self.run.error, &self.trouble) {
            error.remarks.clone_from(&trouble.remarks);
        }
        self.run.remarks.clone_from(&self.tips);
        exit
    }

    /// Looks at the bounds of `--slo`.
    fn judge(&mut self, exit: Exit) -> Exit {
        // A reader that went away wants to know nothing more.
        if exit == Exit::Output && self.trouble.is_none() {
            return exit;
        }
        let passed = self.options.slo.judge(&mut self.run);
        if passed.is_empty() {
            return exit;
        }
        let message = self.run.error.as_ref().map(|error| error.message.clone());
        let fresh = || Trouble::new(message.unwrap_or_default());
        self.trouble.get_or_insert_with(fresh).remarks.extend(passed);
        if exit == Exit::Done { Exit::Slo } else { exit }
    }

    fn output_failed(&mut self, error: &io::Error) -> Exit {
        let status = self.run.response.as_ref().map(|record| record.status);
        let message = cannot_write(&self.sink.name(), error);
        let record = message.clone().unwrap_or_else(|| "the reader of the output is gone".into());
        self.run.error = Some(ErrorRecord::new("output", record, status));
        self.trouble = message.map(Trouble::new);
        Exit::Output
    }

    fn remark_partial_file(&mut self, exit: Exit) {
        let Some(trouble) =
            self.trouble.as_mut().filter(|_| !matches!(exit, Exit::Status | Exit::Slo))
        else {
            return;
        };
        if let Some(path) = self.sink.begun() {
            let name = path.display().to_string();
            trouble.remarks.push(format!("{} has what came before.", escape(&name)));
            if self.resumable {
                trouble
                    .remarks
                    .push("To go on there: the same command with --continue.".to_owned());
            }
        }
    }

    fn show(&self, exit: Exit) {
        // A reader that went away (`| head`) wants to know nothing more.
        let gone = exit == Exit::Output && self.trouble.is_none();
        match (&self.run.timeline, &self.trouble) {
            _ if gone || self.options.quiet > 1 => {}
            (Some(timeline), _) if self.options.quiet == 0 => tell(&self.view(timeline)),
            (_, Some(trouble)) => tell(&trouble.brief()),
            (_, None) => {}
        }
    }

    /// Takes what was recorded into the run.
    fn take_recording(&mut self) {
        if let Some(capture) = &self.capture {
            let started = self.run.timeline.as_ref().map_or(Tick::NEVER, Timeline::started);
            self.run.wire = Some(capture.take(started));
        }
    }

    fn view(&self, timeline: &Timeline) -> String {
        match self.options.view {
            View::OneLine => screen::one_line(timeline) + "\n",
            View::Table(table) => {
                let (head, trouble) = (self.head.as_ref(), self.trouble.as_ref());
                let mut out = report::screen(head, table, timeline, trouble, &self.style);
                report::tips(&mut out, &self.tips, &self.style);
                out
            }
        }
    }

    fn write_documents(&mut self) -> Exit {
        if !self.wants_document() {
            return Exit::Done;
        }
        self.take_recording();
        let mut exit = Exit::Done;
        let secrets = exports::secrets(self.options.with_secrets);
        if !self.options.exports.write(&self.run, secrets, self.options.quiet > 1) {
            exit = Exit::Output;
        }
        if !self.options.capture {
            self.run.wire = None;
        }
        let text = self.run.to_json(secrets);
        if let Some(path) = &self.options.save
            && let Err(error) = store::overwrite(path, text.as_bytes(), self.options.capture)
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

    /// Writes what `--write-out` asks for, after everything else.
    fn write_out(&self, exit: Exit) -> Exit {
        let Some(template) = &self.write_out else { return exit };
        let written = write_out::render(template, &self.run, exit.code());
        let all = write_out::write(&written, self.options.quiet);
        if all || exit != Exit::Done { exit } else { Exit::Output }
    }

    fn complain(&self, name: &str, error: &io::Error) {
        if self.options.quiet < 2 {
            complain(&cannot_write(name, error));
        }
    }
}

/// What is done with a body.
enum Use {
    Wanted,
    /// It is read and forgotten.
    Nothing,
    /// As `Nothing`, and the call has failed, for this reason.
    Refused(String),
}

/// Why the body is not complete where it should be.
enum Stopped {
    Call(Error),
    Output(io::Error),
    /// It ended well, and is not what its Content-Range says.
    Range(ErrorKind, String),
}

impl Stopped {
    fn too_short(received: u64, missing: u64) -> Self {
        let text = format!(
            "the body ended after {received} bytes, {missing} before the end of its Content-Range"
        );
        Stopped::Range(ErrorKind::IncompleteBody, text)
    }

    fn too_long() -> Self {
        let text = "the body goes on behind the end of its Content-Range".to_owned();
        Stopped::Range(ErrorKind::Protocol, text)
    }
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
