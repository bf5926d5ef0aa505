//! `waterclock convert`: exports of a run that was saved.

use crate::exit::Exit;
use crate::exports::{self, Exports};
use crate::output::tell;
use crate::subcommand;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use waterclock::run::Run;
use waterclock::screen::escape;
use waterclock_export::{Keys, NotRecorded};

/// Converts the run that the arguments name.
pub(crate) fn main(arguments: &[OsString]) -> u8 {
    let matches = match subcommand::read(command(), arguments) {
        Ok(matches) => matches,
        Err(exit) => return exit,
    };
    match convert(&matches) {
        Ok(exit) => exit.into(),
        Err(usage) => {
            tell(&format!("waterclock: {}\n", escape(&usage)));
            Exit::Usage.into()
        }
    }
}

pub(crate) fn command() -> Command {
    Command::new("waterclock convert")
        .about("Exports a run that was saved with --save or --json. It needs no network.")
        .override_usage("waterclock convert RUN.json --har|--html|--svg|--pcapng|... FILE")
        .after_help("FILE may be - for standard output. The same options stand in a request:\n  waterclock https://example.com --html run.html --har run.har")
        .term_width(80)
        .disable_help_flag(true)
        .arg(
            Arg::new("run")
                .value_name("RUN.json")
                .required_unless_present("help")
                .value_parser(value_parser!(PathBuf))
                .help("The run document"),
        )
        .args(exports::args())
        .arg(
            Arg::new("with-secrets")
                .long("with-secrets")
                .action(ArgAction::SetTrue)
                .help("Leaves credentials and cookies in, if the run document has them"),
        )
        .arg(
            Arg::new("help")
                .long("help")
                .short('h')
                .action(ArgAction::SetTrue)
                .help("Prints this help"),
        )
}

/// # Errors
/// In words, if the command line or the document cannot be used; nothing was written then.
fn convert(matches: &ArgMatches) -> Result<Exit, String> {
    let wanted = Exports::read(matches);
    wanted.check(&[])?;
    if wanted.is_empty() {
        return Err("there is no format to convert to; add --html FILE or another, see \
                    `waterclock convert --help`"
            .to_owned());
    }
    let path = matches.get_one::<PathBuf>("run").ok_or("there is no run to convert")?;
    let run = read(path)?;
    recorded(&run, &wanted).map_err(|error| format!("{}: {error}", path.display()))?;
    let secrets = exports::secrets(matches.get_flag("with-secrets"));
    Ok(if wanted.write(&run, secrets, false) { Exit::Done } else { Exit::Output })
}

/// Whether the run has what a packet capture needs.
///
/// # Errors
/// In words.
fn recorded(run: &Run, wanted: &Exports) -> Result<(), String> {
    let included = wanted.keys == Keys::Included;
    match &run.wire {
        _ if !wanted.has_packets() && included => Err(exports::NO_PACKETS.to_owned()),
        _ if !wanted.has_packets() => Ok(()),
        None => Err(NotRecorded.to_string()),
        Some(wire) if included && wire.keys.is_none() => Err("it has no secrets of TLS; they are \
             kept with --capture --pcapng-keys, when the request is made"
            .to_owned()),
        Some(_) => Ok(()),
    }
}

/// The run that was saved at `path`.
///
/// # Errors
/// In words that name the file.
pub(crate) fn read(path: &Path) -> Result<Run, String> {
    let name = path.display();
    let text =
        std::fs::read_to_string(path).map_err(|error| format!("cannot read {name}: {error}"))?;
    Run::from_json(&text).map_err(|error| format!("{name}: {error}"))
}
