//! The configuration file: options that every request gets, unless its command line says otherwise.
//!
//! A key is an option's long name. The command line goes before it, and `--no-config` leaves it out.

use crate::args;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use toml_span::Span;
use toml_span::value::{Key, Value, ValueInner};
use waterclock_lab::scene::nearest;

/// More than this is no configuration.
const LARGEST: u64 = 256 * 1024;
/// The parser calls itself for each bracket that is open.
const DEEPEST: usize = 200;
/// What only a command line can say.
const NOT_HERE: [&str; 3] = ["help", "version", "no-config"];

/// Where the file is, and who says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) path: PathBuf,
    /// The variable that names it, or the folder that it is in.
    pub(crate) from: &'static str,
}

impl Place {
    /// Whether to fail so means that there is no file. One that is named has to be there, but a
    /// home may be no folder (`/dev/null`), or, after setpriv or su, another user's.
    pub(crate) fn has_none(&self, error: io::ErrorKind) -> bool {
        use io::ErrorKind::{NotADirectory, NotFound, PermissionDenied};
        self.from != "WATERCLOCK_CONFIG"
            && matches!(error, NotFound | NotADirectory | PermissionDenied)
    }
}

/// The file that is read, if it is there. An empty variable counts as unset.
pub(crate) fn place(variable: impl Fn(&str) -> Option<OsString>) -> Option<Place> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let in_folder = |folder: PathBuf| folder.join("waterclock").join("config.toml");
    if let Some(path) = set("WATERCLOCK_CONFIG") {
        return Some(Place { path, from: "WATERCLOCK_CONFIG" });
    }
    if let Some(folder) = set("XDG_CONFIG_HOME") {
        return Some(Place { path: in_folder(folder), from: "XDG_CONFIG_HOME" });
    }
    set("HOME").map(|home| Place { path: in_folder(home.join(".config")), from: "HOME" })
}

/// One option of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    /// The option's long name.
    pub(crate) name: String,
    /// None for one without a value.
    pub(crate) value: Option<String>,
    pub(crate) line: usize,
}

impl Setting {
    /// As it would be written on the command line.
    pub(crate) fn argument(&self) -> String {
        match &self.value {
            Some(value) => format!("--{}={value}", self.name),
            None => format!("--{}", self.name),
        }
    }
}

/// What the file says; nothing if there is none.
///
/// # Errors
/// In words, with the file and the line.
pub(crate) fn read(place: &Place) -> Result<Vec<Setting>, String> {
    let shown = place.path.display().to_string().escape_debug().to_string();
    let cannot = |error: io::Error| format!("cannot read the configuration file {shown}: {error}");
    let text = match text(&place.path) {
        Ok(text) => text,
        Err(error) if place.has_none(error.kind()) => return Ok(Vec::new()),
        Err(error) => return Err(cannot(error)),
    };
    settings(&text).map_err(|Wrong { line, message }| format!("{shown}, line {line}: {message}"))
}

fn text(path: &Path) -> io::Result<String> {
    use io::Read as _;
    let mut text = String::new();
    let read = std::fs::File::open(path)?.take(LARGEST + 1).read_to_string(&mut text)?;
    if read as u64 > LARGEST {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is larger than 256 KiB"));
    }
    Ok(text)
}

/// What is wrong with the file.
#[derive(Debug, PartialEq, Eq)]
struct Wrong {
    line: usize,
    message: String,
}

fn settings(text: &str) -> Result<Vec<Setting>, Wrong> {
    let at = |span: Span, message: String| Wrong { line: line(text, span.start), message };
    if text.bytes().filter(|byte| matches!(byte, b'[' | b'{')).count() > DEEPEST {
        return Err(Wrong { line: 1, message: "there are too many brackets".to_owned() });
    }
    let mut parsed = toml_span::parse(text)
        .map_err(|error| at(error.span, format!("this is not TOML: {}", first_line(&error))))?;
    let ValueInner::Table(table) = parsed.take() else { return Ok(Vec::new()) };
    let mut entries: Vec<(Key<'_>, Value<'_>)> = table.into_iter().collect();
    entries.sort_by_key(|(key, _)| key.span.start);
    let known = options();
    let mut found = Vec::new();
    for (key, value) in entries {
        let option = known.iter().find(|option| option.name == *key.name);
        let Some(option) = option else { return Err(at(key.span, unknown(&key.name, &known))) };
        let line = line(text, key.span.start);
        let of = |value| Setting { name: option.name.clone(), value, line };
        let span = value.span;
        let values =
            option.values(value).map_err(|wanted| at(span, format!("{}: {wanted}", key.name)))?;
        found.extend(values.into_iter().map(of));
    }
    Ok(found)
}

fn first_line(error: &toml_span::Error) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}

fn line(text: &str, place: usize) -> usize {
    text.bytes().take(place).filter(|&byte| byte == b'\n').count() + 1
}

fn unknown(name: &str, known: &[Known]) -> String {
    let names: Vec<&str> = known.iter().map(|option| option.name.as_str()).collect();
    let meant = nearest(name, &names).map(|near| format!("; did you mean {near:?}?"));
    let hint = meant.unwrap_or_else(|| "; `waterclock --help` lists all of them".to_owned());
    format!("there is no option {name:?}{hint}")
}

/// An option that may stand in the file.
struct Known {
    name: String,
    takes_value: bool,
    /// Whether it may be given several times.
    is_list: bool,
}

fn options() -> Vec<Known> {
    let command = args::command();
    let of = |arg: &clap::Arg| {
        let name = arg.get_long().filter(|name| !NOT_HERE.contains(name))?.to_owned();
        let action = arg.get_action();
        let is_list = matches!(action, clap::ArgAction::Append | clap::ArgAction::Count);
        Some(Known { name, takes_value: action.takes_values(), is_list })
    };
    command.get_arguments().filter_map(of).collect()
}

impl Known {
    /// The values to give it with: none at all for `false`.
    fn values(&self, mut value: Value<'_>) -> Result<Vec<Option<String>>, &'static str> {
        match (value.take(), self.takes_value) {
            (ValueInner::Boolean(on), false) => Ok(if on { vec![None] } else { Vec::new() }),
            (ValueInner::Integer(times @ 0..=9), false) if self.is_list => {
                Ok((0..times).map(|_| None).collect())
            }
            (_, false) => Err("expected true or false"),
            (ValueInner::Array(items), true) if self.is_list => {
                items.into_iter().map(|mut item| scalar(item.take()).map(Some)).collect()
            }
            (ValueInner::Array(_), true) => Err("expected one value, not a list"),
            (one, true) => Ok(vec![Some(scalar(one)?)]),
        }
    }
}

fn scalar(value: ValueInner<'_>) -> Result<String, &'static str> {
    match value {
        ValueInner::String(text) => Ok(text.into_owned()),
        ValueInner::Integer(number) => Ok(number.to_string()),
        ValueInner::Float(number) => Ok(number.to_string()),
        _ => Err("expected a text in quotes or a number"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(text: &str) -> Vec<String> {
        settings(text).unwrap().iter().map(Setting::argument).collect()
    }

    fn wrong(text: &str) -> (usize, String) {
        let Wrong { line, message } = settings(text).unwrap_err();
        (line, message)
    }

    #[test]
    fn options_in_the_order_of_the_file() {
        let text = "total = 2.5\nheader = [\"X-Team: blue\", \"Accept:\"]\nfollow = true\n\
                    fail = false\nquiet = 2\ncolor = 'never'\n";
        assert_eq!(
            arguments(text),
            [
                "--total=2.5",
                "--header=X-Team: blue",
                "--header=Accept:",
                "--follow",
                "--quiet",
                "--quiet",
                "--color=never"
            ]
        );
        assert_eq!(arguments(""), [""; 0]);
        assert_eq!(arguments("# nothing\n"), [""; 0]);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        assert_eq!(
            wrong("total = 1\n\nfolow = true\n"),
            (3, "there is no option \"folow\"; did you mean \"follow\"?".to_owned())
        );
        let (line, message) = wrong("[section]\nx = 1\n");
        assert_eq!(line, 1, "{message}");
        assert!(wrong("help = true").1.starts_with("there is no option \"help\""));
        assert_eq!(wrong("follow = 'yes'"), (1, "follow: expected true or false".to_owned()));
        assert_eq!(wrong("total = [1, 2]"), (1, "total: expected one value, not a list".into()));
        assert_eq!(
            wrong("header = [true]"),
            (1, "header: expected a text in quotes or a number".to_owned())
        );
        let (line, message) = wrong("total = 1\ntotal == 2\n");
        assert!(line == 2 && message.starts_with("this is not TOML"), "{line} {message}");
        assert_eq!(wrong(&"[".repeat(100_000)).1, "there are too many brackets");
    }

    #[test]
    fn no_file_makes_it_panic() {
        let text = "total = 2.5\nheader = [\"X: 'é'\", \"\"\"a\nb\"\"\"]\nfollow = true # no\n";
        for end in (0..=text.len()).filter(|&end| text.is_char_boundary(end)) {
            let _ = settings(&text[..end]);
            for c in ['[', '"', '=', '\0', '\n', '한'] {
                let _ = settings(&format!("{}{c}{}", &text[..end], &text[end..]));
            }
        }
    }

    #[test]
    fn the_place_is_the_one_that_is_named() {
        let of = |names: &[&str]| {
            place(|name| names.contains(&name).then(|| format!("/{name}").into()))
                .map(|place| (place.path.display().to_string(), place.from))
        };
        assert_eq!(
            of(&["WATERCLOCK_CONFIG", "HOME"]),
            Some(("/WATERCLOCK_CONFIG".to_owned(), "WATERCLOCK_CONFIG"))
        );
        assert_eq!(
            of(&["XDG_CONFIG_HOME", "HOME"]),
            Some(("/XDG_CONFIG_HOME/waterclock/config.toml".to_owned(), "XDG_CONFIG_HOME"))
        );
        assert_eq!(
            of(&["HOME"]),
            Some(("/HOME/.config/waterclock/config.toml".to_owned(), "HOME"))
        );
        assert_eq!(of(&[]), None);
        assert_eq!(place(|_| Some(OsString::new())), None);
    }

    #[test]
    fn only_where_it_is_not_named_may_it_be_missing() {
        use io::ErrorKind::{InvalidData, IsADirectory, NotADirectory, NotFound, PermissionDenied};
        for from in ["HOME", "XDG_CONFIG_HOME", "WATERCLOCK_CONFIG"] {
            let place = Place { path: PathBuf::from("/x"), from };
            for error in [NotFound, NotADirectory, PermissionDenied] {
                assert_eq!(place.has_none(error), from != "WATERCLOCK_CONFIG", "{from} {error}");
            }
            assert!(!place.has_none(InvalidData) && !place.has_none(IsADirectory), "{from}");
        }
    }
}
