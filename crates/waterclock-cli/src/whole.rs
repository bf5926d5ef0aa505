//! The program as a whole: all commands in one description, for completions and the man page.

use crate::{args, convert, demo, environment, explain, generate, lab};
use clap::Command;
use waterclock_lab::scene::nearest;

/// The words that are commands, where they come first.
pub(crate) const WORDS: [&str; 7] =
    ["explain", "convert", "lab", "demo", "env", "generate", "help"];

pub(crate) fn command() -> Command {
    let help = Command::new("help")
        .about("Prints the help of the program, or of a topic.")
        .arg(clap::Arg::new("topic").value_parser(["timeouts"]));
    let all = [
        named(explain::command(), "explain"),
        named(convert::command(), "convert"),
        lab::command(),
        named(demo::command(), "demo"),
        named(environment::command(), "env"),
        named(generate::command(), "generate"),
        help,
    ];
    args::command().disable_help_subcommand(true).subcommands(all)
}

/// The command that somebody may have meant by a host of such a name.
pub(crate) fn meant(url: &str) -> Option<&'static str> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.trim_end_matches('/');
    let near = nearest(host, &WORDS)?;
    // Few misspell the first letter, and many hosts have short names.
    (near != host && near.chars().next() == host.chars().next()).then_some(near)
}

/// Alone it is called by both words.
fn named(command: Command, name: &'static str) -> Command {
    command.name(name).disable_version_flag(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_may_be_a_command_that_was_misspelled() {
        assert_eq!(meant("https://explan/"), Some("explain"));
        assert_eq!(meant("http://convrt"), Some("convert"));
        for url in ["https://example.com/", "http://demo/", "https://localhost:80/", ""] {
            assert_eq!(meant(url), None, "{url}");
        }
    }

    #[test]
    fn it_is_sound_and_has_all_words() {
        let command = command();
        command.clone().debug_assert();
        let found: Vec<&str> = command.get_subcommands().map(Command::get_name).collect();
        assert_eq!(found, WORDS);
    }
}
