//! Files for other tools: which formats there are, and where they go.

use crate::body::stdout;
use crate::output::{cannot_write, complain};
use clap::{Arg, ArgMatches};
use std::io::{self, Write};
use waterclock::run::{Run, Secrets};

/// What a run can be exported to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Har,
    Trace,
    Otlp,
    Html,
    Svg,
}

impl Format {
    /// In the order of the help. A packet capture has its place here, too.
    const ALL: [Format; 5] = [Format::Har, Format::Trace, Format::Otlp, Format::Html, Format::Svg];

    const fn option(self) -> &'static str {
        match self {
            Format::Har => "har",
            Format::Trace => "trace",
            Format::Otlp => "otlp",
            Format::Html => "html",
            Format::Svg => "svg",
        }
    }

    const fn help(self) -> &'static str {
        match self {
            Format::Har => "An HTTP archive (HAR 1.2), for developer tools",
            Format::Trace => "A trace for Perfetto and chrome://tracing",
            Format::Otlp => "OpenTelemetry spans (OTLP/JSON)",
            Format::Html => "One page with the waterfall, the verdict and all tables",
            Format::Svg => "The waterfall as a picture",
        }
    }

    fn of(self, run: &Run, secrets: Secrets) -> String {
        match self {
            Format::Har => waterclock_export::har(run, secrets),
            Format::Trace => waterclock_export::trace(run),
            Format::Otlp => waterclock_export::otlp(run, secrets),
            Format::Html => waterclock_export::html(run, secrets),
            Format::Svg => waterclock_export::svg(run),
        }
    }
}

/// The exports that were asked for, each with its file; `-` is standard output.
#[derive(Debug, Default)]
pub(crate) struct Exports(Vec<(Format, String)>);

/// The options that ask for exports.
pub(crate) fn args() -> impl Iterator<Item = Arg> {
    Format::ALL.into_iter().map(|format| {
        Arg::new(format.option()).long(format.option()).value_name("FILE").help(format.help())
    })
}

impl Exports {
    pub(crate) fn read(matches: &ArgMatches) -> Self {
        let wanted = |format: Format| {
            matches.get_one::<String>(format.option()).map(|file| (format, file.clone()))
        };
        Exports(Format::ALL.into_iter().filter_map(wanted).collect())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether standard output is taken by one of them.
    pub(crate) fn take_stdout(&self) -> bool {
        self.0.iter().any(|(_, file)| file == "-")
    }

    /// # Errors
    /// In words, if something else goes to standard output than one of them; `others` are the options
    /// that want it, too.
    pub(crate) fn check(&self, others: &[&str]) -> Result<(), String> {
        let taken = self.0.iter().filter(|(_, file)| file == "-");
        let mut taking: Vec<String> =
            taken.map(|(format, _)| format!("--{} -", format.option())).collect();
        if taking.is_empty() {
            return Ok(());
        }
        taking.extend(others.iter().map(|&option| option.to_owned()));
        match taking.len() {
            1 => Ok(()),
            _ => Err(format!("only one can go to standard output: {}", taking.join(", "))),
        }
    }

    /// Makes them all, then writes one after the other; of those that cannot be written it complains,
    /// unless it is to be `quiet`. Says whether all were written.
    pub(crate) fn write(&self, run: &Run, secrets: Secrets, quiet: bool) -> bool {
        let made: Vec<(&str, String)> =
            self.0.iter().map(|(format, file)| (file.as_str(), format.of(run, secrets))).collect();
        let mut all = true;
        for (file, text) in made {
            let (name, written) = match file {
                "-" => ("standard output", print(&text)),
                path => (path, std::fs::write(path, &text)),
            };
            if let Err(error) = written {
                all = false;
                if !quiet {
                    complain(&cannot_write(name, &error));
                }
            }
        }
        all
    }
}

fn print(text: &str) -> io::Result<()> {
    stdout()?.write_all(text.as_bytes())
}

/// What `--with-secrets` means.
pub(crate) const fn secrets(shown: bool) -> Secrets {
    if shown { Secrets::Shown } else { Secrets::Redacted }
}
