//! Any client, run as a process through scenes, and what its limit really bounded.
//!
//! In the words of the command `{url}` becomes the URL, `{ca}` the file with the certificate to
//! trust, `{t}` the limit in seconds, `{proxy}` the proxy's URL and `{dns}` the name server's
//! address. The process has certificate and proxy also in the variables that clients look at, and
//! two of ours: `WATERCLOCK_LAB_DNS`, and `WATERCLOCK_LAB_REPORT`, a file into which a client can
//! write how many seconds its call took and, on further lines, how it ended. Otherwise time is
//! measured from the first sign of the client at the scene's servers until it has left them, or its
//! process has ended.

mod folder;
mod judge;
mod process;
mod sentence;

use std::io;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

pub use folder::Folder;
pub use judge::{Bounded, Measured, judge};
pub use sentence::sentence;

use crate::Authority;
use crate::scene::{Options, Scene, Stage, Tested};
use process::{End, Job};

/// The limit that the ready scenes were written for.
pub const WRITTEN_FOR: Duration = Duration::from_millis(120);

/// How a client is tried.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The program and its arguments, with what stands in braces.
    pub words: Vec<String>,
    /// What `{t}` becomes. The times of scenes are multiplied by what it is to [`WRITTEN_FOR`].
    pub limit: Duration,
    /// When the process is killed, after its start.
    pub patience: Duration,
    /// Whether the URL has the scene's name as its host, for a client that asks the scene's name
    /// server.
    pub named: bool,
}

/// How a client fared in a scene.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The scene's name.
    pub scene: String,
    /// What it tests.
    pub tests: Option<Tested>,
    /// How the process ended.
    pub ended: Ended,
    /// How long the call took.
    pub took: Duration,
    /// How that was measured.
    pub measured: Measured,
    /// What it said: its report, else the last line of its standard error. Not escaped.
    pub said: String,
    /// What became of the limit.
    pub bounded: Bounded,
}

/// How a process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// With exit code 0.
    Well,
    /// With another exit code; `None` is a signal.
    Badly(Option<i32>),
    /// It had to be killed.
    Killed,
    /// It was not run, or what it did shows nothing, for this reason.
    Skipped(&'static str),
}

impl Trial {
    /// Runs the client through a scene. Setting `cancel` kills it; the error is then of the kind
    /// `Interrupted`. Other errors: the scene could not be set, or the program not be started.
    pub fn run(&self, scene: &Scene, cancel: &AtomicBool) -> io::Result<Outcome> {
        if !self.named && scene.is_only_a_lookup() {
            return Ok(self.outcome(scene, Ended::Skipped(NEEDS_NAME), NEVER, None));
        }
        let factor = self.limit.as_secs_f64() / WRITTEN_FOR.as_secs_f64();
        let stage =
            Stage::start(&scene.clone().scaled(factor), &Options::default().notices_leaving())?;
        let folder = Folder::new()?;
        let ca = match stage.ca_pem() {
            Some(pem) => pem.to_owned(),
            // The command may name the file in any case.
            None => Authority::new()?.pem().to_owned(),
        };
        let ca = folder.file("ca.pem", &ca)?;
        let report = folder.path().join("report");
        let job = self.job(&stage, &ca, &report);
        let ran = process::run(&job, self.patience, cancel)?;
        let contact = stage.first_contact();
        let begin = contact.map_or(ran.started, |first| first.max(ran.started));
        let left = stage.all_left().filter(|left| *left + EXIT < ran.ended);
        let end = left.unwrap_or(ran.ended);
        let mut took = end.saturating_duration_since(begin);
        let from = match (contact, left) {
            (None, _) => Measured::FromStart,
            (Some(_), None) => Measured::UntilExit,
            (Some(_), Some(_)) => Measured::FromContact,
        };
        let ended = match ran.end {
            End::Killed => {
                took = self.patience;
                Ended::Killed
            }
            _ if stage.proxy_was_used() == Some(false) => Ended::Skipped(PASSED_PROXY),
            End::Code(0) => Ended::Well,
            End::Code(code) => Ended::Badly(Some(code)),
            End::Signal => Ended::Badly(None),
        };
        let reported = std::fs::read_to_string(&report).ok().and_then(|text| read_report(&text));
        let reported = reported.filter(|_| ended != Ended::Killed);
        let mut outcome = self.outcome(scene, ended, (took, from), reported);
        if outcome.said.is_empty() {
            outcome.said = last_line(&ran.stderr);
        }
        Ok(outcome)
    }

    fn job(&self, stage: &Stage, ca: &Path, report: &Path) -> Job {
        let ca = ca.to_string_lossy().into_owned();
        let named = stage.named_url().filter(|_| self.named);
        let proxy = stage.proxy_url().unwrap_or_default();
        let dns = stage.name_server().map(|address| address.to_string()).unwrap_or_default();
        let places = [
            ("{url}", named.unwrap_or_else(|| stage.url())),
            ("{ca}", ca.clone()),
            ("{t}", seconds(self.limit)),
            ("{proxy}", proxy.clone()),
            ("{dns}", dns.clone()),
        ];
        let filled = |word: &String| {
            places.iter().fold(word.clone(), |word, (place, text)| word.replace(place, text))
        };
        let mut set: Vec<(&str, String)> = CERTIFICATES.map(|name| (name, ca.clone())).to_vec();
        set.push(("WATERCLOCK_LAB_REPORT", report.to_string_lossy().into_owned()));
        set.push(("WATERCLOCK_LAB_DNS", dns));
        if !proxy.is_empty() {
            set.extend(
                ["http_proxy", "https_proxy", "HTTPS_PROXY"].map(|name| (name, proxy.clone())),
            );
        }
        Job { words: self.words.iter().map(filled).collect(), unset: &PROXIES, set }
    }

    fn outcome(
        &self,
        scene: &Scene,
        ended: Ended,
        outside: (Duration, Measured),
        reported: Option<(Duration, String)>,
    ) -> Outcome {
        let ((took, measured), said) = match reported {
            Some((took, said)) => ((took, Measured::ByClient), said),
            None => (outside, String::new()),
        };
        let bounded = judge(scene, &ended, took, self.limit, measured);
        let (scene, tests) = (scene.name.clone(), scene.tests.clone());
        Outcome { scene, tests, ended, took, measured, said, bounded }
    }
}

/// Who leaves in the last moments of its process leaves by its end.
const EXIT: Duration = Duration::from_millis(5);

const NEVER: (Duration, Measured) = (Duration::ZERO, Measured::FromStart);
const NEEDS_NAME: &str = "needs --named and a client that asks the scene's name server";
const PASSED_PROXY: &str = "the client did not use the proxy";

/// Variables that name a file of certificates: curl, OpenSSL and what is built on it, requests, Node.
const CERTIFICATES: [&str; 4] =
    ["CURL_CA_BUNDLE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"];

/// Variables that would send a client elsewhere.
const PROXIES: [&str; 8] = [
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
];

/// Seconds as every program reads them: `0.12`.
fn seconds(time: Duration) -> String {
    let text = format!("{:.6}", time.as_secs_f64());
    let text = text.trim_end_matches('0');
    text.trim_end_matches('.').to_owned()
}

fn read_report(text: &str) -> Option<(Duration, String)> {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let seconds = first.trim().parse().ok()?;
    let took = Duration::try_from_secs_f64(seconds).ok()?;
    Some((took, rest.split_whitespace().collect::<Vec<_>>().join(" ")))
}

fn last_line(text: &str) -> String {
    let mut lines = text.lines().rev().map(str::trim);
    lines.find(|line| !line.is_empty()).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_have_no_more_digits_than_needed() {
        let ms = Duration::from_millis;
        assert_eq!(seconds(ms(120)), "0.12");
        assert_eq!(seconds(ms(2_000)), "2");
        assert_eq!(seconds(ms(10_500)), "10.5");
    }

    #[test]
    fn a_report_is_seconds_and_words() {
        let read = |text| read_report(text).map(|(took, said)| (took.as_millis(), said));
        assert_eq!(read("0.1225\nReadTimeout:  slow\n"), Some((122, "ReadTimeout: slow".into())));
        assert_eq!(read("1"), Some((1000, String::new())));
        assert_eq!(read(""), None);
        assert_eq!(read("-1\nx"), None);
        assert_eq!(read("nan"), None);
    }

    #[test]
    fn the_last_line_with_words_counts() {
        assert_eq!(last_line("Traceback:\n  x\nTimeout: slow\n\n"), "Timeout: slow");
        assert_eq!(last_line(""), "");
    }
}
