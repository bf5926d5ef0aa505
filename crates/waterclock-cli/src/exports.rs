//! Files for other tools: which formats there are, and where they go.

use crate::body::stdout;
use crate::output::{cannot_write, complain};
use crate::store;
use clap::{Arg, ArgAction, ArgMatches};
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use waterclock::run::{Run, Secrets};
use waterclock_export::{Keys, NotRecorded};

/// What a run can be exported to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Har,
    Trace,
    Otlp,
    Html,
    Svg,
    Pcapng,
}

impl Format {
    /// In the order of the help.
    const ALL: [Format; 6] =
        [Format::Har, Format::Trace, Format::Otlp, Format::Html, Format::Svg, Format::Pcapng];

    const fn option(self) -> &'static str {
        match self {
            Format::Har => "har",
            Format::Trace => "trace",
            Format::Otlp => "otlp",
            Format::Html => "html",
            Format::Svg => "svg",
            Format::Pcapng => "pcapng",
        }
    }

    const fn help(self) -> &'static str {
        match self {
            Format::Har => "An HTTP archive (HAR 1.2), for developer tools",
            Format::Trace => "A trace for Perfetto and chrome://tracing",
            Format::Otlp => "OpenTelemetry spans (OTLP/JSON)",
            Format::Html => "One page with the waterfall, the verdict and all tables",
            Format::Svg => "The waterfall as a picture",
            Format::Pcapng => {
                "What went over the sockets, as packets for Wireshark; each wait is a comment. \
                 Without TLS it has ALL TEXT of the call"
            }
        }
    }

    /// # Errors
    /// If the run was not recorded, and that is needed.
    fn of(self, run: &Run, secrets: Secrets, keys: Keys) -> Result<Vec<u8>, NotRecorded> {
        Ok(match self {
            Format::Har => waterclock_export::har(run, secrets).into_bytes(),
            Format::Trace => waterclock_export::trace(run).into_bytes(),
            Format::Otlp => waterclock_export::otlp(run, secrets).into_bytes(),
            Format::Html => waterclock_export::html(run, secrets).into_bytes(),
            Format::Svg => waterclock_export::svg(run).into_bytes(),
            Format::Pcapng => waterclock_export::pcapng(run, secrets, keys)?,
        })
    }
}

/// The exports that were asked for, each with its file; `-` is standard output.
#[derive(Debug)]
pub(crate) struct Exports {
    files: Vec<(Format, String)>,
    /// What becomes of the secrets of TLS.
    pub(crate) keys: Keys,
}

const KEYS: &str = "pcapng-keys";
const KEYS_HELP: &str = "Adds the secrets of TLS, which decrypt them: whoever has the file can then \
    read EVERYTHING, credentials and cookies too";

/// What is said where the secrets have no place.
pub(crate) const NO_PACKETS: &str = "--pcapng-keys goes with --pcapng FILE";

/// The options that ask for exports.
pub(crate) fn args() -> impl Iterator<Item = Arg> {
    let files = Format::ALL.into_iter().map(|format| {
        Arg::new(format.option()).long(format.option()).value_name("FILE").help(format.help())
    });
    files.chain([Arg::new(KEYS).long(KEYS).action(ArgAction::SetTrue).help(KEYS_HELP)])
}

impl Exports {
    pub(crate) fn read(matches: &ArgMatches) -> Self {
        let wanted = |format: Format| {
            matches.get_one::<String>(format.option()).map(|file| (format, file.clone()))
        };
        let files = Format::ALL.into_iter().filter_map(wanted).collect();
        let keys = if matches.get_flag(KEYS) { Keys::Included } else { Keys::LeftOut };
        Exports { files, keys }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Whether a packet capture is among them, for which the call has to be recorded.
    pub(crate) fn has_packets(&self) -> bool {
        self.files.iter().any(|(format, _)| *format == Format::Pcapng)
    }

    /// Whether standard output is taken by one of them.
    pub(crate) fn take_stdout(&self) -> bool {
        self.files.iter().any(|(_, file)| file == "-")
    }

    /// # Errors
    /// In words, if something else goes to standard output than one of them; `others` are the options
    /// that want it, too.
    pub(crate) fn check(&self, others: &[&str]) -> Result<(), String> {
        let taken = self.files.iter().filter(|(_, file)| file == "-");
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
        let make = |(format, file): &(Format, String)| {
            (*format, file.clone(), format.of(run, secrets, self.keys))
        };
        let made: Vec<_> = self.files.iter().map(make).collect();
        let mut all = true;
        for (format, file, content) in made {
            let write = |content: Vec<u8>| match file.as_str() {
                "-" => stdout()?.write_all(&content),
                path => store::overwrite(Path::new(path), &content, format == Format::Pcapng),
            };
            let name = if file == "-" { "standard output" } else { &file };
            // The message is whole; see `cannot_write`.
            let content = content.map_err(|error| io::Error::new(ErrorKind::InvalidData, error));
            let written = content.and_then(write);
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

/// What `--with-secrets` means.
pub(crate) const fn secrets(shown: bool) -> Secrets {
    if shown { Secrets::Shown } else { Secrets::Redacted }
}
