//! A process with a hard bound on its time.

use std::io::{self, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::listener::spawn;
use crate::stop::lock;

/// The end of a process is looked for this often: what its time can be wrong by.
const GRAIN: Duration = Duration::from_millis(1);
/// Of what a process says, so much is kept.
const KEPT: usize = 64 * 1024;

pub(super) struct Job {
    pub(super) words: Vec<String>,
    pub(super) unset: &'static [&'static str],
    pub(super) set: Vec<(&'static str, String)>,
}

pub(super) enum End {
    Code(i32),
    Signal,
    Killed,
}

pub(super) struct Ran {
    pub(super) started: Instant,
    pub(super) ended: Instant,
    pub(super) end: End,
    pub(super) stderr: String,
}

/// Runs it to its end, or kills it with all its children.
pub(super) fn run(job: &Job, patience: Duration, cancel: &AtomicBool) -> io::Result<Ran> {
    let mut command = command(job)?;
    let started = Instant::now();
    let mut child = command.spawn()?;
    let heard = listen(&mut child);
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break Some(status);
        }
        let cancelled = cancel.load(Ordering::Relaxed);
        if cancelled || started.elapsed() >= patience {
            kill(&mut child);
            if cancelled {
                return Err(io::Error::new(io::ErrorKind::Interrupted, "interrupted"));
            }
            break None;
        }
        sleep(GRAIN);
    };
    let ended = Instant::now();
    let end = status.map_or(End::Killed, end);
    Ok(Ran { started, ended, end, stderr: heard.words() })
}

fn command(job: &Job) -> io::Result<Command> {
    let nothing = || io::Error::new(io::ErrorKind::InvalidInput, "there is no program");
    let (program, arguments) = job.words.split_first().ok_or_else(nothing)?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    for name in job.unset {
        command.env_remove(name);
    }
    command.envs(job.set.iter().map(|(name, value)| (name, value)));
    // A group of its own, so that what it starts can be killed with it.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    Ok(command)
}

fn end(status: ExitStatus) -> End {
    status.code().map_or(End::Signal, End::Code)
}

fn kill(child: &mut Child) {
    #[cfg(unix)]
    {
        use rustix::process::{Pid, Signal, kill_process_group};
        let id = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        // Not waited for yet, so the number is still its own.
        let _ = id.map(|id| kill_process_group(id, Signal::KILL));
    }
    let _ = child.kill();
    let _ = child.wait();
}

/// What a process says, read by a thread so that it never has to wait for us.
struct Heard {
    words: Arc<Mutex<Vec<u8>>>,
    done: Arc<AtomicBool>,
}

fn listen(child: &mut Child) -> Heard {
    let heard = Heard { words: Arc::default(), done: Arc::default() };
    let (words, done) = (Arc::clone(&heard.words), Arc::clone(&heard.done));
    let Some(mut pipe) = child.stderr.take() else { return heard };
    let _ = spawn("lab-stderr", move || {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = pipe.read(&mut buffer) {
            let mut words = lock(&words);
            words.extend_from_slice(buffer.get(..count).unwrap_or_default());
            let surplus = words.len().saturating_sub(KEPT);
            words.drain(..surplus);
        }
        done.store(true, Ordering::Release);
    });
    heard
}

impl Heard {
    /// A child of the process may hold the pipe open: what is there after a moment is taken.
    fn words(&self) -> String {
        for _ in 0..100 {
            if self.done.load(Ordering::Acquire) {
                break;
            }
            sleep(GRAIN);
        }
        String::from_utf8_lossy(&lock(&self.words)).into_owned()
    }
}
