//! Values of a scene file with their places, and what is said about wrong ones.

use std::time::Duration;

use toml_span::value::{Key, Table, Value, ValueInner};

use super::edit::nearest;
use super::error::SceneError;

pub(super) type Result<T> = std::result::Result<T, SceneError>;

const LONGEST: Duration = Duration::from_secs(3600);
/// More than the buffers of both kernels; less than hurts.
const LARGEST: usize = 64 << 20;

/// A value of the file.
#[derive(Clone, Copy)]
pub(super) struct Node<'a> {
    pub(super) text: &'a str,
    pub(super) value: &'a Value<'a>,
}

/// A table of the file. Reading it begins with the names of all its keys.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    text: &'a str,
    place: usize,
    table: &'a Table<'a>,
}

impl<'a> Node<'a> {
    pub(super) fn error(&self, message: impl Into<String>) -> SceneError {
        SceneError::at(self.text, self.value.span.start, message)
    }

    fn wanted(&self, what: &str) -> SceneError {
        let found = match self.value.as_ref() {
            ValueInner::String(text) => format!("{:?}", shortened(text)),
            ValueInner::Integer(number) => number.to_string(),
            ValueInner::Float(number) => number.to_string(),
            ValueInner::Boolean(yes) => yes.to_string(),
            ValueInner::Array(_) => "a list".to_owned(),
            ValueInner::Table(_) => "a table".to_owned(),
        };
        self.error(format!("expected {what}, found {found}"))
    }

    pub(super) fn string(&self) -> Result<&'a str> {
        self.value.as_str().ok_or_else(|| self.wanted("a text in quotes"))
    }

    pub(super) fn boolean(&self) -> Result<bool> {
        self.value.as_bool().ok_or_else(|| self.wanted("true or false"))
    }

    pub(super) fn list(&self) -> Result<impl Iterator<Item = Node<'a>> + use<'a>> {
        let items = self.value.as_array().ok_or_else(|| self.wanted("a list"))?;
        let text = self.text;
        Ok(items.iter().map(move |value| Node { text, value }))
    }

    /// A table in which no other keys than these may stand.
    pub(super) fn fields(&self, known: &[&str]) -> Result<Fields<'a>> {
        let fields = self.any_fields()?;
        fields.only(known)?;
        Ok(fields)
    }

    pub(super) fn any_fields(&self) -> Result<Fields<'a>> {
        let table = self.value.as_table().ok_or_else(|| self.wanted("a table"))?;
        Ok(Fields { text: self.text, place: self.value.span.start, table })
    }

    /// A number of bytes or of times.
    pub(super) fn count(&self) -> Result<usize> {
        let number = self.value.as_integer().and_then(|number| usize::try_from(number).ok());
        number
            .filter(|number| *number <= LARGEST)
            .ok_or_else(|| self.wanted(&format!("a whole number from 0 to {LARGEST}")))
    }

    pub(super) fn status(&self) -> Result<u16> {
        let number = self.value.as_integer().and_then(|number| u16::try_from(number).ok());
        number
            .filter(|number| (100..=999).contains(number))
            .ok_or_else(|| self.wanted("a status from 100 to 999"))
    }

    pub(super) fn duration(&self) -> Result<Duration> {
        let seconds = match self.value.as_ref() {
            ValueInner::String(text) => seconds(text),
            ValueInner::Float(number) => Some(*number),
            ValueInner::Integer(number) => i32::try_from(*number).ok().map(f64::from),
            _ => None,
        };
        let duration = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        duration.filter(|duration| *duration <= LONGEST).ok_or_else(|| {
            self.wanted("a duration up to an hour: \"80ms\", \"0.5s\", \"2m\" or seconds")
        })
    }

    /// A duration, or `None` for `"never"`.
    pub(super) fn duration_or_never(&self) -> Result<Option<Duration>> {
        if self.value.as_str() == Some("never") {
            return Ok(None);
        }
        let wanted = |_| self.wanted("a duration such as \"80ms\", or \"never\"");
        self.duration().map(Some).map_err(wanted)
    }

    /// One of these words.
    pub(super) fn word<T: Copy>(&self, words: &[(&str, T)]) -> Result<T> {
        let given = self.value.as_str();
        if let Some((_, meaning)) = words.iter().find(|(word, _)| Some(*word) == given) {
            return Ok(*meaning);
        }
        let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let quoted: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
        let mut error = self.wanted(&format!("one of {}", quoted.join(", ")));
        if let Some(near) = given.and_then(|given| nearest(given, &names)) {
            error.message += &format!("; did you mean {near:?}?");
        }
        Err(error)
    }
}

impl<'a> Fields<'a> {
    pub(super) fn get(&self, name: &str) -> Option<Node<'a>> {
        let value = self.table.get(name)?;
        Some(Node { text: self.text, value })
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.table.contains_key(name)
    }

    /// Names and values in the order of the file.
    pub(super) fn entries(&self) -> Vec<(&'a str, Node<'a>)> {
        let text = self.text;
        let mut entries: Vec<_> = self.table.iter().collect();
        entries.sort_by_key(|(key, _)| key.span.start);
        let named = entries.into_iter();
        named.map(|(key, value)| (key.name.as_ref(), Node { text, value })).collect()
    }

    /// What `name` has to be, read by `read`; `None` if it is not there.
    pub(super) fn read<T>(
        &self,
        name: &str,
        read: impl FnOnce(&Node<'a>) -> Result<T>,
    ) -> Result<Option<T>> {
        self.get(name).map(|node| read(&node)).transpose()
    }

    pub(super) fn required(&self, name: &str) -> Result<Node<'a>> {
        self.get(name).ok_or_else(|| self.error(format!("there is no {name:?} here")))
    }

    pub(super) fn error(&self, message: impl Into<String>) -> SceneError {
        SceneError::at(self.text, self.place, message)
    }

    /// So many bytes at a time, and the time between.
    pub(super) fn drip(&self) -> Result<Option<(usize, Duration)>> {
        match (self.read("drip", Node::count)?, self.read("every", Node::duration)?) {
            (Some(size), Some(every)) if size > 0 => Ok(Some((size, every))),
            (None, None) => Ok(None),
            _ => Err(self.error("drip and every go together: drip = 8, every = \"100ms\"")),
        }
    }

    /// The first unknown key is refused.
    pub(super) fn only(&self, known: &[&str]) -> Result<()> {
        let unknown = |key: &&Key<'a>| !known.contains(&key.name.as_ref());
        let unknown = self.table.keys().filter(unknown).min_by_key(|key| key.span.start);
        let Some(key) = unknown else { return Ok(()) };
        let meant = nearest(&key.name, known).map(|near| format!("; did you mean {near:?}?"));
        let message = format!(
            "unknown key {:?}{} (allowed here: {})",
            shortened(&key.name),
            meant.unwrap_or_default(),
            known.join(", ")
        );
        Err(SceneError::at(self.text, key.span.start, message))
    }
}

/// `80ms`, `0.5s`, `2m`: digits with at most one dot, and a unit.
fn seconds(text: &str) -> Option<f64> {
    let units = [("ms", 0.001), ("s", 1.0), ("m", 60.0)];
    let (digits, factor) =
        units.iter().find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, factor)))?;
    let is_number = digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.chars().all(|c| c.is_ascii_digit() || c == '.');
    let number: f64 = Some(digits).filter(|_| is_number)?.parse().ok()?;
    Some(number * factor)
}

/// A message is one line.
fn shortened(text: &str) -> String {
    const MOST: usize = 40;
    if text.chars().count() <= MOST {
        return text.to_owned();
    }
    text.chars().take(MOST - 3).chain("...".chars()).collect()
}
