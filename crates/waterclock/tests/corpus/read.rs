//! Reads the data files; `data/README.md` has the format. Whatever is not understood is an error with
//! file and line.

use crate::case::{Caps, Case, Then, Want, Wanted};
use crate::escapes::bytes;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use waterclock::{CloseReason, ErrorKind, Method};

/// What a `connection:` says, but `kept`.
const REASONS: [(&str, CloseReason); 7] = [
    ("requested-by-peer", CloseReason::RequestedByPeer),
    ("http10", CloseReason::Http10),
    ("close-delimited", CloseReason::CloseDelimited),
    ("stray-bytes", CloseReason::StrayBytes),
    ("upgrade", CloseReason::Upgrade),
    ("framing-conflict", CloseReason::FramingConflict),
    ("closed-by-peer", CloseReason::ClosedByPeer),
];

/// What a `want:` says, but a status.
const KINDS: [ErrorKind; 8] = [
    ErrorKind::Protocol,
    ErrorKind::Closed,
    ErrorKind::IncompleteBody,
    ErrorKind::Receive,
    ErrorKind::Decode,
    ErrorKind::TooLarge,
    ErrorKind::Redirect,
    ErrorKind::Timeout,
];

/// Settings that say what is sent and how.
const GIVEN: [&str; 6] = ["from", "method", "send", "then", "caps", "follow"];
/// Settings that say what must come of it.
const WANTED: [&str; 8] =
    ["want", "says", "reason", "body", "trailers", "fields", "without", "connection"];

/// A setting's value, and the line that it begins in.
type Settings = BTreeMap<String, (usize, String)>;

/// All cases of all files.
///
/// # Panics
/// With file, line and reason, if there is a mistake.
pub(crate) fn all() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/data");
    let mut files: Vec<_> =
        fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "txt"));
    files.sort();
    let mut cases = Vec::new();
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&file).unwrap();
        cases.extend(cases_of(&name, &text).unwrap_or_else(|error| panic!("{error}")));
    }
    cases
}

/// The cases of one file.
pub(crate) fn cases_of(file: &str, text: &str) -> Result<Vec<Case>, String> {
    let mut reader = Reader { file, section: None, case: None, cases: Vec::new() };
    for (line, key, value) in logical_lines(file, text)? {
        reader.setting(line, key, value)?;
    }
    reader.end_case()?;
    Ok(reader.cases)
}

/// `(line, key, value)`: a value goes on in lines that begin with a space, whose own spaces at both
/// ends do not count.
fn logical_lines<'t>(file: &str, text: &'t str) -> Result<Vec<(usize, &'t str, String)>, String> {
    let mut found: Vec<(usize, &str, String)> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        if line.starts_with(' ') {
            let (.., value) =
                found.last_mut().ok_or(format!("{file}:{number}: nothing goes on"))?;
            value.push_str(line.trim());
            continue;
        }
        let Some((key, value)) = line.split_once(':') else {
            return Err(format!("{file}:{number}: not `key: value`"));
        };
        found.push((number, key, value.trim().to_owned()));
    }
    Ok(found)
}

struct Reader<'a> {
    file: &'a str,
    /// The section's name and what it says for all of its cases.
    section: Option<(String, Settings)>,
    case: Option<Begun>,
    cases: Vec<Case>,
}

/// A case that is being read.
struct Begun {
    line: usize,
    name: String,
    value: Option<String>,
    own: Settings,
}

impl Reader<'_> {
    fn setting(&mut self, line: usize, key: &str, value: String) -> Result<(), String> {
        let problem = |what: String| format!("{}:{line}: {what}", self.file);
        match key {
            "section" => {
                self.end_case()?;
                self.section = Some((value, Settings::new()));
                return Ok(());
            }
            "case" => {
                self.end_case()?;
                let (name, value) = match value.split_once(" | ") {
                    Some((name, value)) => (name.trim().to_owned(), Some(value.trim().to_owned())),
                    None => (value, None),
                };
                self.case = Some(Begun { line, name, value, own: Settings::new() });
                return Ok(());
            }
            _ if GIVEN.contains(&key) || WANTED.contains(&key) => {}
            _ => return Err(problem(format!("an unknown key {key:?}"))),
        }
        let settings = match (&mut self.case, &mut self.section) {
            (Some(case), _) => &mut case.own,
            (None, Some((_, settings))) => settings,
            (None, None) => return Err(problem("there is no section yet".into())),
        };
        match settings.insert(key.to_owned(), (line, value)) {
            None => Ok(()),
            Some(_) => Err(problem(format!("{key} is said twice"))),
        }
    }

    fn end_case(&mut self) -> Result<(), String> {
        let Some(case) = self.case.take() else { return Ok(()) };
        let at = format!("{}:{}", self.file, case.line);
        let (section, shared) = self.section.as_ref().ok_or(format!("{at}: no section yet"))?;
        let mut settings = shared.clone();
        if case.own.contains_key("want") {
            settings.retain(|key, _| !WANTED.contains(&key.as_str()));
        }
        settings.extend(case.own);
        let name = format!("{section}: {}", case.name);
        let fields = Fields { file: self.file, at: &at, settings, value: case.value };
        self.cases.push(fields.case(case.line, name)?);
        Ok(())
    }
}

/// The settings of one case, its own and its section's.
struct Fields<'a> {
    file: &'a str,
    at: &'a str,
    settings: Settings,
    value: Option<String>,
}

impl Fields<'_> {
    fn case(mut self, line: usize, name: String) -> Result<Case, String> {
        self.take("from").filter(|text| !text.is_empty()).ok_or(self.problem("no `from`"))?;
        self.fill_in()?;
        let method = self.take("method").unwrap_or_else(|| "GET".into());
        let method = method.parse::<Method>().map_err(|_| self.problem("not a method"))?;
        let send = self.take("send").ok_or(self.problem("no `send`"))?;
        let then = match self.take("then").as_deref() {
            None | Some("hold") => Then::Hold,
            Some("fin") => Then::Fin,
            Some("cut") => Then::Cut,
            Some("reset") => Then::Reset,
            Some(_) => return Err(self.problem("`then` is hold, fin, cut or reset")),
        };
        let follow = match self.take("follow").as_deref() {
            None => false,
            Some("yes") => true,
            Some(_) => return Err(self.problem("`follow` is yes, or not there")),
        };
        let caps = self.caps()?;
        let send = self.bytes(&send)?;
        let want = self.want()?;
        if let Some(key) = self.settings.keys().next() {
            return Err(self.problem(&format!("`{key}` does not go with this `want`")));
        }
        Ok(Case { file: self.file.into(), line, name, method, send, then, caps, follow, want })
    }

    /// Puts the case's value where `{}` stands.
    fn fill_in(&mut self) -> Result<(), String> {
        let value = self.value.take();
        let mut used = false;
        for key in ["send", "body", "fields", "says"] {
            if let (Some(value), Some((_, text))) = (&value, self.settings.get_mut(key)) {
                used |= text.contains("{}");
                *text = text.replace("{}", value);
            }
        }
        match (value, used) {
            (Some(_), false) => Err(self.problem("nothing has a {} for its value")),
            (None, _) if self.settings.get("send").is_some_and(|(_, text)| text.contains("{}")) => {
                Err(self.problem("no value for {}"))
            }
            _ => Ok(()),
        }
    }

    fn caps(&mut self) -> Result<Caps, String> {
        let mut caps = Caps::default();
        for part in self.take("caps").unwrap_or_default().split(',').filter(|part| !part.is_empty())
        {
            let (name, number) = part.trim().split_once(' ').unwrap_or((part, ""));
            let number = number.parse::<u32>().map_err(|_| self.problem("not `NAME NUMBER`"))?;
            match name {
                "body" => caps.body = Some(number.into()),
                "decoded" => caps.decoded = Some(number.into()),
                "ratio" => caps.ratio = Some(number),
                _ => return Err(self.problem("`caps` are body, decoded and ratio")),
            }
        }
        Ok(caps)
    }

    fn want(&mut self) -> Result<Want, String> {
        let want = self.take("want").ok_or(self.problem("no `want`"))?;
        if let Some(&kind) = KINDS.iter().find(|kind| kind.name() == want) {
            let body = self.take("body").map(|text| self.bytes(&text)).transpose()?;
            return Ok(Want::Error { kind, says: self.take("says"), body });
        }
        let status = want.parse().map_err(|_| self.problem("`want` is a status or an error"))?;
        let connection = self.take("connection").ok_or(self.problem("no `connection`"))?;
        let kept = match REASONS.iter().find(|(name, _)| *name == connection) {
            Some((_, reason)) => Err(*reason),
            None if connection == "kept" => Ok(()),
            None => return Err(self.problem("an unknown `connection`")),
        };
        let without = self.take("without").unwrap_or_default();
        let body = self.take("body").unwrap_or_default();
        Ok(Want::Response(Box::new(Wanted {
            status,
            reason: self.take("reason").map(|text| self.bytes(&text)).transpose()?,
            body: self.bytes(&body)?,
            trailers: self.pairs("trailers")?,
            fields: self.pairs("fields")?,
            without: without.split_whitespace().map(str::to_owned).collect(),
            kept,
        })))
    }

    /// `Name: value` and more of them, each behind `\n`.
    fn pairs(&mut self, key: &str) -> Result<Vec<(String, Vec<u8>)>, String> {
        let text = self.take(key).unwrap_or_default();
        let mut pairs = Vec::new();
        for line in text.split("\\n").filter(|line| !line.is_empty()) {
            let (name, value) =
                line.split_once(':').ok_or(self.problem(&format!("no colon in `{key}`")))?;
            pairs.push((name.trim().to_owned(), self.bytes(value.trim())?));
        }
        Ok(pairs)
    }

    fn take(&mut self, key: &str) -> Option<String> {
        self.settings.remove(key).map(|(_, value)| value)
    }

    fn bytes(&self, text: &str) -> Result<Vec<u8>, String> {
        bytes(text).map_err(|what| self.problem(&what))
    }

    fn problem(&self, what: &str) -> String {
        format!("{}: {what}", self.at)
    }
}

#[test]
fn a_section_says_what_its_cases_share() {
    let text = concat!(
        "# Comment\nsection: s\nfrom: RFC\nsend: a{}\\r\n  \\n b \\x20\nthen: fin\nwant: protocol\n",
        "says: no {}\ncase: one | 1\ncase: two | \\x00\nthen: reset\nwant: 204\nconnection: kept\n",
        "fields: A: b\\nC: d\n",
    );
    let cases = cases_of("f.txt", text).unwrap();
    assert_eq!((cases[0].name.as_str(), cases[0].line, cases[0].then), ("s: one", 9, Then::Fin));
    assert_eq!(
        (cases[0].send.as_slice(), cases[1].send.as_slice()),
        (&b"a1\r\n b  "[..], &b"a\0\r\n b  "[..])
    );
    assert_eq!((cases[1].then, cases[1].section()), (Then::Reset, "s"));
    let Want::Error { kind: ErrorKind::Protocol, says, .. } = &cases[0].want else { panic!() };
    assert_eq!(says.as_deref(), Some("no 1"));
    let Want::Response(wanted) = &cases[1].want else { panic!() };
    assert_eq!(wanted.fields, [("A".into(), b"b".to_vec()), ("C".into(), b"d".to_vec())]);
}

#[test]
fn a_mistake_is_named_with_file_and_line() {
    let section = "section: s\nfrom: RFC\nsend: x\nwant: protocol\n";
    for (text, expected) in [
        ("case: a", "f.txt:1: no section yet"),
        ("want: protocol", "f.txt:1: there is no section yet"),
        ("  a", "f.txt:1: nothing goes on"),
        ("what", "f.txt:1: not `key: value`"),
        ("section: s\nbody\n", "f.txt:2: not `key: value`"),
        ("section: s\nfrom: a\nfrom: b\n", "f.txt:3: from is said twice"),
        ("section: s\nbodi: x\n", "f.txt:2: an unknown key \"bodi\""),
        ("section: s\ncase: a\n", "f.txt:2: no `from`"),
        ("section: s\nfrom: RFC\ncase: a\n", "f.txt:3: no `send`"),
        (&format!("{section}case: a | 5"), "f.txt:5: nothing has a {} for its value"),
        (&format!("{section}case: a\nsend: {{}}"), "f.txt:5: no value for {}"),
        (&format!("{section}case: a\nsend: \\q"), "f.txt:5: an unknown escape \\q"),
        (&format!("{section}case: a\nthen: die"), "f.txt:5: `then` is hold, fin, cut or reset"),
        (&format!("{section}case: a\nwant: 200"), "f.txt:5: no `connection`"),
        (&format!("{section}case: a\nwant: fine"), "f.txt:5: `want` is a status or an error"),
        (
            &format!("{section}case: a\nconnection: kept"),
            "f.txt:5: `connection` does not go with this `want`",
        ),
        (&format!("{section}case: a\ncaps: body"), "f.txt:5: not `NAME NUMBER`"),
        (&format!("{section}case: a\nmethod: G T"), "f.txt:5: not a method"),
    ] {
        assert_eq!(cases_of("f.txt", text).map(|cases| cases.len()), Err(expected.to_owned()));
    }
}
