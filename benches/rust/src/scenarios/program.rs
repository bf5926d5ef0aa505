//! Programs that make one request: how long they take, how much memory, how large they are; and the
//! memory of a gigabyte.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use waterclock_benches::client::Result;
use waterclock_benches::clients::{ALL, Kind};

use crate::measure::{in_turns, median};
use crate::report::{Good, Report};
use crate::server::Running;

const START: &str = "one-shot program";
const GIB: &str = "1 GiB";
/// In a round.
const STARTS: usize = 10;

pub(crate) fn run(report: &mut Report, program: Option<&str>) -> Result<()> {
    let names = [START, GIB];
    if !report.table("Programs, on all CPUs (ratio to raw)", &names) {
        return Ok(());
    }
    let server = Running::start()?;
    if report.wants(START) {
        one_shots(report, &server)?;
        if let Some(program) = program {
            the_program(report, &server, Path::new(program))?;
        }
    }
    if report.wants(GIB) {
        gigabyte(report, &server)?;
    }
    Ok(())
}

fn one_shots(report: &mut Report, server: &Running) -> Result<()> {
    let url = server.url("plain", "/");
    let [walls] = in_turns(report.rounds, path, |path| Ok([wall(path, &url)?]))?;
    report.row(&format!("{START}: wall"), "ms", Good::Low, &walls);
    let slow = server.get("slow");
    let [peaks] = in_turns(3, path, |path| Ok([peak(path, &[slow])?]))?;
    report.row(&format!("{START}: peak memory"), "MB", Good::Absolute, &peaks);
    let [sizes] = in_turns(1, path, |path| Ok([stripped(path)?]))?;
    report.row(&format!("{START}: stripped"), "MB", Good::Absolute, &sizes);
    Ok(())
}

/// The program `waterclock` itself, in its library's column.
fn the_program(report: &mut Report, server: &Running, path: &Path) -> Result<()> {
    let url = server.url("plain", "/");
    let ours = |value: f64| -> Vec<Vec<f64>> {
        ALL.iter()
            .map(|kind| if kind.name == "waterclock" { vec![value] } else { vec![] })
            .collect()
    };
    let walls = (0..report.rounds).map(|_| wall(path, &url)).collect::<Result<Vec<_>>>()?;
    let figures = [
        ("wall", "ms", median(&walls)),
        ("peak memory", "MB", peak(path, &[server.get("slow")])?),
        ("stripped", "MB", stripped(path)?),
    ];
    for (what, unit, value) in figures {
        report.row(&format!("the program waterclock: {what}"), unit, Good::Absolute, &ours(value));
    }
    Ok(())
}

fn gigabyte(report: &mut Report, server: &Running) -> Result<()> {
    let size = (1_u64 << 30).to_string();
    let url = server.url("plain", &format!("/bytes/{size}"));
    let [peaks] = in_turns(1, path, |path| Ok([peak(path, &[&url])?]))?;
    report.row(&format!("{GIB} download: peak memory"), "MB", Good::Absolute, &peaks);
    let url = server.url("plain", "/upload");
    let [peaks] = in_turns(1, path, |path| Ok([peak(path, &[&url, &size])?]))?;
    report.row(&format!("{GIB} upload: peak memory"), "MB", Good::Absolute, &peaks);
    Ok(())
}

/// The client's one-shot program, which is beside this one.
fn path(kind: &Kind) -> Result<Option<PathBuf>> {
    let name = format!("one_shot_{}", kind.name.replace('-', "_"));
    Ok(Some(std::env::current_exe()?.with_file_name(name)))
}

fn quiet(path: &Path) -> Command {
    let mut command = Command::new(path);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Milliseconds from before its start to after its end: the median of some.
fn wall(path: &Path, url: &str) -> Result<f64> {
    let mut walls = Vec::new();
    for _ in 0..STARTS {
        let begin = Instant::now();
        let status = quiet(path).arg(url).status()?;
        walls.push(begin.elapsed().as_secs_f64() * 1e3);
        if !status.success() {
            return Err(format!("{}: {status}", path.display()).into());
        }
    }
    Ok(median(&walls))
}

/// Megabytes of resident memory at the peak, looked at until the program ends. (The kernel's own
/// figure for a child that has ended counts what its parent had when it forked.)
fn peak(path: &Path, arguments: &[&str]) -> Result<f64> {
    let mut child = quiet(path).args(arguments).spawn()?;
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0.0;
    loop {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        if let Some(kilobytes) = text.lines().find_map(|line| line.strip_prefix("VmHWM:")) {
            peak = kilobytes.trim().trim_end_matches(" kB").parse::<f64>()? / 1e3 * 1.024;
        }
        match child.try_wait()? {
            None => thread::sleep(Duration::from_micros(300)),
            Some(code) if code.success() => return Ok(peak),
            Some(code) => return Err(format!("{}: {code}", path.display()).into()),
        }
    }
}

/// Megabytes of the file without its symbols.
fn stripped(path: &Path) -> Result<f64> {
    let copy = std::env::temp_dir().join(format!("stripped-{}", std::process::id()));
    let status = Command::new("strip").arg("-o").arg(&copy).arg(path).status()?;
    let size = std::fs::metadata(&copy)?.len() as f64 / 1e6;
    std::fs::remove_file(&copy)?;
    if status.success() { Ok(size) } else { Err("strip failed".into()) }
}
