//! What the tests share: calls that are recorded, and tshark.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use waterclock::capture::Capture;
use waterclock::run::{ErrorRecord, RequestRecord, ResponseRecord, Run, Secrets};
use waterclock::tls::{KeyLogging, Roots, TlsSettings};
use waterclock::world::real::RealWorld;
use waterclock::{Request, Session, SessionBuilder};
use waterclock_export::{Keys, pcapng};
use waterclock_lab::Authority;

/// A builder that nothing of the environment disturbs.
pub(crate) fn builder() -> SessionBuilder {
    Session::builder().trust_env(false)
}

/// Settings that trust `authority` alone.
pub(crate) fn trust(authority: &Authority) -> TlsSettings {
    let roots = Roots::pem(authority.pem().as_bytes()).unwrap();
    TlsSettings::builder().roots(roots).key_logging(KeyLogging::Off).build().unwrap()
}

/// Makes a call with its sockets recorded, secrets of TLS included.
pub(crate) fn record(
    builder: SessionBuilder,
    request: impl FnOnce(&Session) -> Request<'_>,
) -> Run {
    let capture = Capture::new().with_keys();
    let session = builder.capture(&capture).build().unwrap();
    let mut prepared = request(&session).prepare().unwrap();
    let mut run = Run::new(RealWorld::shared().wall(), RequestRecord::of(&prepared));
    let ended = session.send(&mut prepared).and_then(|mut response| {
        let body = response.content()?;
        run.response = Some(ResponseRecord::of(&response, body.len() as u64, None));
        Ok(response.timeline().clone())
    });
    match ended {
        Ok(timeline) => run.timeline = Some(timeline),
        Err(error) => {
            run.error = Some(ErrorRecord::of(&error));
            run.timeline = error.timeline().cloned();
        }
    }
    run.wire = Some(capture.take(run.timeline.as_ref().unwrap().started()));
    run
}

/// How many waits a run has had, a folded run of them counted once.
pub(crate) fn waits(run: &Run) -> usize {
    let timeline = run.timeline.as_ref().unwrap();
    timeline.spans().iter().filter(|span| span.phase.is_wait()).count()
}

/// What tshark has seen in a file.
#[derive(Debug)]
pub(crate) struct Seen {
    /// Requests and responses.
    pub(crate) http: Vec<String>,
    /// Of all packets.
    pub(crate) comments: Vec<String>,
}

/// A packet capture on disk; removed at the end.
pub(crate) struct File(PathBuf);

impl File {
    pub(crate) fn of(run: &Run, keys: Keys) -> File {
        File::new(&pcapng(run, Secrets::Redacted, keys).unwrap())
    }

    /// A path of its own for each call.
    pub(crate) fn path(extension: &str) -> PathBuf {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}-{number}.{extension}", std::process::id());
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
    }

    pub(crate) fn new(bytes: &[u8]) -> File {
        let path = File::path("pcapng");
        std::fs::write(&path, bytes).unwrap();
        File(path)
    }

    /// The lines that tshark prints for packets that pass `filter`.
    #[track_caller]
    pub(crate) fn filtered(&self, filter: &str, fields: &[&str]) -> Vec<String> {
        let mut command = program("tshark");
        // A port that some protocol has a claim to would be taken for it.
        // Names come from the file alone.
        command.args(["-N", "n", "-o", "tcp.try_heuristic_first:TRUE"]);
        for name in ["tcp", "ip"] {
            command.args(["-o", &format!("{name}.check_checksum:TRUE")]);
        }
        command.arg("-r").arg(&self.0).args(["-Y", filter, "-T", "fields", "-E", "aggregator=|"]);
        for field in fields {
            command.args(["-e", field]);
        }
        lines(command.output().unwrap())
    }

    /// What the HTTP dissector says, and the comments of all packets.
    #[track_caller]
    pub(crate) fn read(&self) -> Seen {
        let fields = ["_ws.col.Protocol", "_ws.col.Info", "frame.comment"];
        let mut seen = Seen { http: Vec::new(), comments: Vec::new() };
        for line in self.filtered("frame", &fields) {
            let [protocol, info, comments] = line.splitn(3, '\t').collect::<Vec<_>>()[..] else {
                panic!("{line}")
            };
            if protocol.starts_with("HTTP") {
                seen.http.push(info.to_owned());
            }
            let comments = comments.split('|').filter(|comment| !comment.is_empty());
            seen.comments.extend(comments.map(str::to_owned));
        }
        seen
    }

    /// What capinfos says of the file.
    #[track_caller]
    pub(crate) fn about(&self) -> String {
        let output = program("capinfos").arg(&self.0).output().unwrap();
        lines(output).join("\n")
    }

    /// Nothing that tshark finds fault with: checksums, sequence numbers, lengths.
    #[track_caller]
    pub(crate) fn is_sound(&self) {
        let faults = "tcp.analysis.flags || _ws.malformed || _ws.expert.severity == error \
                      || !(tcp.checksum.status == 1) || ip.checksum.status == 0";
        let fields = ["frame.number", "_ws.col.Info", "_ws.expert.message"];
        assert_eq!(self.filtered(faults, &fields), [""; 0]);
        assert!(self.about().contains("SYNTHETIC: headers rebuilt from socket calls."));
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[track_caller]
fn lines(output: Output) -> Vec<String> {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

fn program(name: &str) -> Command {
    let mut command = Command::new(name);
    // Nobody's preferences.
    command.env("WIRESHARK_CONFIG_DIR", env!("CARGO_TARGET_TMPDIR")).env("LC_ALL", "C.UTF-8");
    command
}

/// Whether tshark and capinfos are there. Says so loudly if they are not.
pub(crate) fn installed() -> bool {
    static THERE: OnceLock<bool> = OnceLock::new();
    *THERE.get_or_init(|| {
        let runs = |name| program(name).arg("-v").output().is_ok();
        let there = runs("tshark") && runs("capinfos");
        if !there {
            // Not with eprintln!, which is kept back while a test passes.
            let text = "SKIPPED: tshark is not installed; run scripts/setup";
            let _ = writeln!(std::io::stderr(), "{text}");
        }
        there
    })
}
