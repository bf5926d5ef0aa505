//! `waterclock explain RUN.json`: a saved run shown again, and what other limits would have done with
//! it. Nothing is sent.

mod command;

use crate::args::{Screen, View, wanted};
use crate::exit::Exit;
use crate::output::{print, tell};
use crate::report;
use crate::slo::Bounds;
use crate::subcommand;
use crate::terminal::{self, Stream};
use crate::write_out;
use clap::ArgMatches;
pub(crate) use command::command;
use command::{asked, client};
use std::ffi::OsString;
use std::io::Read;
use std::path::Path;
use waterclock::clients::{Client, Question};
use waterclock::run::{Run, Secrets};
use waterclock::screen::{self, Style, escape};
use waterclock::{Limit, Limits, Timeline};

/// Explains the run that the arguments name.
pub(crate) fn main(arguments: &[OsString]) -> u8 {
    let matches = match subcommand::read(command(), arguments) {
        Ok(matches) => matches,
        Err(exit) => return exit,
    };
    match explain(&matches) {
        Ok((text, exit)) => match print(&text) {
            Exit::Done => exit.into(),
            failed => failed.into(),
        },
        Err(usage) => {
            tell(&format!("waterclock: {usage}\n"));
            Exit::Usage.into()
        }
    }
}

/// # Errors
/// In words, if there is nothing to explain.
fn explain(matches: &ArgMatches) -> Result<(String, Exit), String> {
    let Some(path) = matches.get_one::<std::path::PathBuf>("run") else {
        return Err(
            "there is no RUN.json; make one with --save, or see `waterclock explain -h`".into()
        );
    };
    let mut run = read(path)?;
    let bounds = matches.get_one::<Bounds>("slo").cloned().unwrap_or_default();
    let exit = if bounds.judge(&mut run).is_empty() { Exit::Done } else { Exit::Slo };
    if let Some(format) = matches.get_one::<String>("write-out") {
        return filled(format, &run).map(|text| (text, exit));
    }
    told(matches, &run).map(|text| (text, exit))
}

/// # Errors
/// In words, if there is nothing to tell.
fn told(matches: &ArgMatches, run: &Run) -> Result<String, String> {
    if matches.get_flag("json") {
        let shown = matches.get_flag("with-secrets");
        return Ok(run.to_json(if shown { Secrets::Shown } else { Secrets::Redacted }));
    }
    let style = terminal::style(&Screen::read(matches), Stream::Out);
    let view = View::read(matches);
    let (asked, client) = (asked(matches), client(matches));
    if asked.is_empty() && client.is_none() {
        return Ok(shown(run, view, &style));
    }
    let Some(timeline) = &run.timeline else {
        return Err("the call had not begun, so no limit could have fired".to_owned());
    };
    if let Some((name, settings)) = client {
        let limits = if asked.is_empty() { *timeline.limits() } else { other_limits(matches) };
        let question = question(&name, &settings, &limits)?;
        return Ok(screen::as_client(&question, timeline, &style));
    }
    Ok(what_if(&asked, &other_limits(matches), timeline, view, &style))
}

/// What `--write-out` asks for, of the call: its own exit code is among that.
fn filled(format: &str, run: &Run) -> Result<String, String> {
    let exit_code = write_out::exit_code(run.error.as_ref());
    let written = write_out::render(&write_out::read(format)?, run, exit_code);
    written.complain();
    tell(&written.err);
    Ok(written.out)
}

/// The document in a file, or on standard input if that is asked for.
fn read(path: &Path) -> Result<Run, String> {
    let mut text = String::new();
    let stdin = path == Path::new("-");
    let name = if stdin { "standard input".to_owned() } else { path.display().to_string() };
    let name = escape(&name);
    let count = match stdin {
        true => std::io::stdin().lock().read_to_string(&mut text),
        false => std::fs::File::open(path).and_then(|mut file| file.read_to_string(&mut text)),
    };
    count.map_err(|error| format!("cannot read {name}: {error}"))?;
    Run::from_json(&text).map_err(|error| format!("cannot use {name}: {error}"))
}

fn shown(run: &Run, view: View, style: &Style) -> String {
    match (view, &run.timeline) {
        (View::OneLine, Some(timeline)) => screen::one_line(timeline) + "\n",
        (View::Table(table), _) => report::saved(run, table, style),
        (View::OneLine, None) => report::saved(run, screen::Table::Waterfall, style),
    }
}

/// The limits that were asked for, and no others.
fn other_limits(matches: &ArgMatches) -> Limits {
    let wanted = wanted(matches);
    let none = Limits::none().with(Limit::Continue, None);
    if wanted.timeout.is_none() && wanted.strict.is_none() {
        return wanted.named.iter().fold(none, |limits, &(limit, value)| limits.with(limit, value));
    }
    wanted.limits().with(Limit::Continue, None)
}

fn what_if(asked: &str, limits: &Limits, timeline: &Timeline, view: View, style: &Style) -> String {
    match view {
        View::OneLine => screen::one_line(&timeline.under(limits)) + "\n",
        View::Table(table) => screen::what_if(asked, limits, timeline, table, style),
    }
}

/// A client with the settings that are given, else with the one that is nearest to these limits.
fn question(name: &str, settings: &str, limits: &Limits) -> Result<Question, String> {
    let Some(client) = Client::from_name(name) else {
        let names: Vec<&str> = Client::ALL.iter().map(|client| client.name()).collect();
        let (name, names) = (escape(name), names.join(", "));
        return Err(format!("there are no rules for \"{name}\"; there are for {names}"));
    };
    if settings.is_empty() { client.ask_as(limits) } else { client.ask(settings) }
}
