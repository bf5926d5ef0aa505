//! The client's namespaces: a test starts itself again in them.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

/// Set in the process that is in namespaces of its own.
const THERE: &str = "WATERCLOCK_TEST_NETWORK";

/// Runs `test`, in namespaces of its own; `name` is that of the test with its module.
pub(crate) fn in_a_network(name: &str, test: impl FnOnce()) {
    if std::env::var_os(THERE).is_some() {
        return test();
    }
    if let Some(missing) = missing() {
        // Not with `eprintln!`, which is not shown for tests that pass.
        let _ = writeln!(io::stderr(), "SKIPPED: {name}: {missing}");
        return;
    }
    let mut again = unshared(std::env::current_exe().unwrap());
    again.args(["--exact", name, "--nocapture", "--test-threads=1"]).env(THERE, "1");
    for variable in ["SSLKEYLOGFILE", "SSL_CERT_FILE", "SSL_CERT_DIR", "http_proxy", "https_proxy"]
    {
        again.env_remove(variable);
    }
    let output = again.stdin(Stdio::null()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}\n{errors}");
}

fn unshared(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--net", "--mount"]).arg(program);
    command
}

/// What this machine does not have, in words.
fn missing() -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("network namespaces need root".to_owned());
    }
    if !Path::new("/dev/net/tun").exists() {
        return Some("there is no /dev/net/tun".to_owned());
    }
    for (program, argument) in [("python3", "-V"), ("ip", "-V"), ("mount", "-V")] {
        if !runs(Command::new(program).arg(argument)) {
            return Some(format!("{program} is not installed"));
        }
    }
    (!runs(&mut unshared("true"))).then(|| "`unshare --net --mount true` fails".to_owned())
}

fn runs(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}
