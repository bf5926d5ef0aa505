//! `waterclock lab`: misbehaving servers for the tests of any client, and what its limits bound.

mod check;
mod clients;
mod document;
mod log;
mod options;
mod serve;
mod table;

use crate::args::Screen;
use crate::exit::Exit;
use crate::output::{print, tell};
use crate::subcommand;
use crate::terminal::{self, Stream};
use clap::{ArgMatches, Command};
use std::ffi::OsString;
use waterclock::screen::{Style, escape};
use waterclock_lab::scene::{FORMAT, Scene, ready, sources};

/// Does what the arguments after `lab` ask for.
pub(crate) fn main(arguments: &[OsString]) -> u8 {
    let first = arguments.first().and_then(|word| word.to_str());
    let rest = arguments.get(1..).unwrap_or_default();
    match first {
        None => print(&list()).into(),
        Some("check") => with(options::check(), rest, check::main),
        Some("clients") => with(options::clients(), rest, clients::main),
        Some("format") => print(FORMAT).into(),
        Some("show") => with(options::show(), rest, show),
        Some(_) => with(options::serve(), arguments, serve::main),
    }
}

/// The lab with its commands, for completions and the man page.
pub(crate) fn command() -> Command {
    let format = Command::new("format").about("Prints what can stand in the file of a scene.");
    let all = [
        options::check().name("check"),
        options::clients().name("clients"),
        options::show().name("show"),
        format,
    ];
    let lab = options::serve().name("lab").disable_help_subcommand(true);
    lab.subcommands(all).subcommand_negates_reqs(true)
}

/// Reads the arguments of one of the lab's commands, and does `what`.
fn with(command: Command, arguments: &[OsString], what: fn(&ArgMatches, &Style) -> Exit) -> u8 {
    let command = options::common(command);
    // Asked for before anything else is looked at, but not by the client's command.
    let is_own = |word: &&OsString| *word != "--";
    if arguments.iter().take_while(is_own).any(|word| word == "-h" || word == "--help") {
        return print(&command.clone().render_long_help().to_string()).into();
    }
    let matches = match subcommand::read(command, arguments) {
        Ok(matches) => matches,
        Err(exit) => return exit,
    };
    what(&matches, &terminal::style(&Screen::read(&matches), Stream::Out)).into()
}

/// The ready scenes, a line each.
fn list() -> String {
    let mut out = String::from("Scenes (waterclock lab SCENE serves one; more in lab --help):\n");
    for scene in ready() {
        out += &format!("  {:<16} {}\n", scene.name, gist(&scene));
    }
    out
}

/// What a scene is about, on half a line.
fn gist(scene: &Scene) -> String {
    if let Some(tested) = &scene.tests {
        return tested.what.clone();
    }
    let first = scene.description.split(". ").next().unwrap_or_default();
    let first = first.trim_end_matches('.');
    if first.chars().count() <= MOST {
        return first.to_owned();
    }
    let cut: String = first.chars().take(MOST - 3).collect();
    let whole_words = cut.rsplit_once(' ').map_or(cut.as_str(), |(words, _)| words);
    format!("{whole_words}...")
}

/// The columns of a gist.
const MOST: usize = 60;

/// A ready scene, or one from a file.
fn scene(word: &str) -> Result<Scene, String> {
    if let Some(scene) = Scene::ready(word) {
        return Ok(scene);
    }
    let looks_like_a_file = word.contains(['/', '.']);
    match std::fs::read_to_string(word) {
        Ok(text) => Scene::parse(&text)
            .map_err(|error| format!("{}: {}", escape(word), escape(&error.to_string()))),
        Err(error) if looks_like_a_file => Err(format!("cannot read {}: {error}", escape(word))),
        Err(_) => Err(format!(
            "there is no scene \"{}\"; see `waterclock lab`, or name a file",
            escape(word)
        )),
    }
}

/// `waterclock lab show SCENE`: its file, to begin one's own from.
fn show(matches: &ArgMatches, _: &Style) -> Exit {
    let name = matches.get_one::<String>("scene").map(String::as_str).unwrap_or_default();
    match sources().iter().find(|(known, _)| *known == name) {
        Some((_, text)) => print(text),
        None => usage(&format!("there is no scene \"{}\"; see `waterclock lab`", escape(name))),
    }
}

fn usage(message: &str) -> Exit {
    tell(&format!("waterclock: {message}\n"));
    Exit::Usage
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_fits_a_terminal() {
        assert!(list().lines().all(|line| line.len() <= 80), "{}", list());
        assert_eq!(list().lines().count(), 1 + sources().len());
    }

    #[test]
    fn no_scene_is_called_like_a_command() {
        for (name, _) in sources() {
            assert!(!["check", "clients", "format", "show"].contains(name));
        }
    }

    #[test]
    fn what_is_no_scene_is_said() {
        assert_eq!(
            scene("sed").map(|scene| scene.name),
            Err("there is no scene \"sed\"; see `waterclock lab`, or name a file".to_owned())
        );
        assert!(scene("/no/where.toml").unwrap_err().starts_with("cannot read /no/where.toml: "));
    }
}
