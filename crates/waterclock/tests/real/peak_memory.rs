//! The peak of a process' memory. Used by a test, and by the benchmark that prints it.

use waterclock::Response;

/// By how many bytes the resident memory has grown while `work` was done, at its peak.
pub(crate) fn grown_by(work: impl FnOnce()) -> u64 {
    // Forgets the peak so far; see proc_pid_clear_refs(5).
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = status("VmRSS:");
    work();
    status("VmHWM:").saturating_sub(before)
}

fn status(field: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(field)).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

/// Reads a body in pieces and gives its length.
pub(crate) fn drain(response: &mut Response) -> u64 {
    let mut piece = vec![0; 64 * 1024];
    let mut length = 0;
    loop {
        match response.read_body(&mut piece).unwrap() {
            0 => return length,
            count => length += count as u64,
        }
    }
}
