//! `waterclock demo`: what servers can do to a client, on this machine and without a network.
//!
//! Names, TLS and servers are real, on loopback sockets. Each act runs the command line that is
//! shown, through the same parser; only the resolver and the trusted roots are the demo's own.

mod act;
mod scenes;
mod stage;

use crate::args::{Screen, screen};
use crate::exit::Exit;
use crate::output::{print, tell};
use crate::report::wrap;
use crate::subcommand;
use crate::terminal::{self, Stream};
use act::Played;
use clap::{Arg, Command};
use scenes::{SCENES, Scene};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::{fs, io};
use waterclock::run::Secrets;
use waterclock::screen::Style;

/// Runs the scenes that the arguments name.
pub(crate) fn main(arguments: &[OsString]) -> u8 {
    let matches = match subcommand::read(command(), arguments) {
        Ok(matches) => matches,
        Err(exit) => return exit,
    };
    let style = terminal::style(&Screen::read(&matches), Stream::Out);
    let words: Vec<&str> =
        matches.get_many::<String>("scenes").into_iter().flatten().map(String::as_str).collect();
    match choose(&words) {
        Ok(None) => print(&list()).into(),
        Ok(Some(scenes)) => {
            play(&scenes, &style, matches.get_one::<PathBuf>("save").map(PathBuf::as_path))
        }
        Err(unknown) => {
            tell(&format!(
                "waterclock: there is no scene \"{}\"; see `waterclock demo list`\n",
                unknown.escape_debug()
            ));
            Exit::Usage.into()
        }
    }
}

pub(crate) fn command() -> Command {
    Command::new("waterclock demo")
        .about("Shows waterclock against misbehaving servers of its own, offline.")
        .after_help(list())
        .term_width(80)
        .disable_help_flag(true)
        .arg(Arg::new("scenes").value_name("SCENE|list|all").num_args(0..).help("Default: seed"))
        .arg(
            Arg::new("save")
                .long("save")
                .value_name("FOLDER")
                .value_parser(clap::value_parser!(PathBuf))
                .help("Writes the run of each call to FOLDER/SCENE-N.json"),
        )
        .args(screen().into_iter().filter(|arg| arg.get_id() != "version"))
}

/// The scenes to play; `None` for the list of them.
fn choose<'w>(words: &[&'w str]) -> Result<Option<Vec<&'static Scene>>, &'w str> {
    match words {
        [] => Ok(Some(SCENES.iter().take(1).collect())),
        ["list"] => Ok(None),
        ["all"] => Ok(Some(SCENES.iter().collect())),
        names => {
            let find =
                |name: &&'w str| SCENES.iter().find(|scene| scene.name == *name).ok_or(*name);
            names.iter().map(find).collect::<Result<_, _>>().map(Some)
        }
    }
}

fn list() -> String {
    let mut out = String::from("Scenes:\n");
    for scene in &SCENES {
        out += &format!("  {:<10} {}\n", scene.name, scene.title);
    }
    out
}

/// Plays the scenes one after the other. Success means that each ended as it should.
fn play(scenes: &[&Scene], style: &Style, folder: Option<&Path>) -> u8 {
    let mut differed = Vec::new();
    for (index, scene) in scenes.iter().enumerate() {
        let mut out = String::new();
        if index > 0 {
            out.push('\n');
        } else {
            wrap(
                &mut out,
                "All of this happens on this machine: names, TLS and servers are the demo's own, on \
                 127.0.0.1, and misbehave on purpose.",
                0,
                0,
                style,
            );
            out.push('\n');
        }
        wrap(&mut out, &format!("{}: {}", scene.name, scene.title), 0, 0, style);
        if print(&out) != Exit::Done {
            return Exit::Output.into();
        }
        match scene.play(style) {
            Ok(played) => {
                if let Some(folder) = folder
                    && let Err(error) = save(folder, scene, &played)
                {
                    tell(&format!("waterclock: {}: {error}\n", folder.display()));
                    return Exit::Output.into();
                }
                let problems = played.into_iter().filter_map(|played| played.problem);
                differed.extend(problems.map(|problem| format!("{}: {problem}", scene.name)));
            }
            Err(error) => {
                differed.push(format!("{}: the scene could not be set: {error}", scene.name));
            }
        }
    }
    for problem in &differed {
        tell(&format!("waterclock: the demo went otherwise than it should: {problem}\n"));
    }
    u8::from(!differed.is_empty())
}

/// Writes the runs of a scene, to be explained or converted later.
fn save(folder: &Path, scene: &Scene, played: &[Played]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for (index, played) in played.iter().enumerate() {
        let file = folder.join(format!("{}-{}.json", scene.name, index + 1));
        fs::write(file, played.run.to_json(Secrets::Redacted))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scenes_have_different_names_and_fit_a_line() {
        let mut names: Vec<_> = SCENES.iter().map(|scene| scene.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), SCENES.len());
        assert!(list().lines().all(|line| line.len() <= 80), "{}", list());
    }

    #[test]
    fn words_choose_scenes() {
        let names = |words: &[&str]| -> Vec<&str> {
            choose(words).unwrap().unwrap().iter().map(|scene| scene.name).collect()
        };
        assert_eq!(names(&[]), ["seed"]);
        assert_eq!(names(&["dns", "tls"]), ["dns", "tls"]);
        assert_eq!(names(&["all"]).len(), SCENES.len());
        assert!(choose(&["list"]).unwrap().is_none());
        assert_eq!(choose(&["seed", "nope"]).err(), Some("nope"));
    }
}
