//! `waterclock generate`: completions for shells, and the man page.

use crate::exit::Exit;
use crate::output::{print, tell};
use crate::subcommand;
use crate::whole;
use clap::{Arg, ArgAction, Command};
use clap_complete::Shell;
use std::ffi::OsString;

const KINDS: [(&str, &str); 6] = [
    ("complete-bash", "completions for bash"),
    ("complete-zsh", "completions for zsh"),
    ("complete-fish", "completions for fish"),
    ("complete-elvish", "completions for elvish"),
    ("complete-powershell", "completions for PowerShell"),
    ("man", "the man page, in roff"),
];

/// Prints what the arguments ask for.
pub(crate) fn main(arguments: &[OsString]) -> u8 {
    let matches = match subcommand::read(command(), arguments) {
        Ok(matches) => matches,
        Err(exit) => return exit,
    };
    let kind = matches.get_one::<String>("kind").map(String::as_str).unwrap_or_default();
    match made(kind) {
        Ok(text) => print(&text).into(),
        Err(error) => {
            tell(&format!("waterclock: {kind} could not be made: {error}\n"));
            Exit::Output.into()
        }
    }
}

pub(crate) fn command() -> Command {
    let list: String = KINDS.iter().map(|(kind, what)| format!("  {kind:<20} {what}\n")).collect();
    Command::new("waterclock generate")
        .about("Prints completions for a shell, or the man page.")
        .after_help(format!("Kinds:\n{list}\nbash: waterclock generate complete-bash > ~/.local/share/bash-completion/completions/waterclock"))
        .term_width(80)
        .max_term_width(80)
        .disable_help_flag(true)
        .arg(
            Arg::new("kind")
                .value_name("KIND")
                .required_unless_present("help")
                .value_parser(KINDS.map(|(kind, _)| kind))
                .hide_possible_values(true)
                .help("What to print"),
        )
        .arg(Arg::new("help").long("help").short('h').action(ArgAction::SetTrue).help("Prints this help"))
}

fn made(kind: &str) -> Result<String, std::io::Error> {
    let mut command = whole::command();
    let mut out = Vec::new();
    let shell = kind.strip_prefix("complete-").and_then(|name| name.parse::<Shell>().ok());
    match shell {
        Some(shell) => clap_complete::generate(shell, &mut command, "waterclock", &mut out),
        None => clap_mangen::Man::new(command).render(&mut out)?,
    }
    String::from_utf8(out).map_err(|error| std::io::Error::other(error.to_string()))
}
