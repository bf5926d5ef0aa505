//! The peers as curl sees them: what one of them answers to curl, it must answer to us, and where a
//! test of ours fails, these say whether the peer works at all.

use crate::peer::{Dante, Httpbin, Microsocks, Nginx, PASSWORD, Squid, Tinyproxy, USER};
use crate::support::find;
use std::process::Command;

/// curl's exit code and standard output, with nothing known of the surroundings.
pub(crate) fn curl(arguments: &[&str]) -> Option<(i32, String)> {
    let mut command = Command::new(find("curl")?);
    command.env_clear().args(["-q", "-s", "-S", "--max-time", "15"]).args(arguments);
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    eprintln!("curl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    Some((output.status.code().unwrap(), text))
}

/// What the last status was.
const STATUS: &[&str] = &["-o", "/dev/null", "-w", "%{http_code}"];

fn assert_curl(arguments: &[&str], code: i32, text: &str) {
    if let Some(result) = curl(arguments) {
        assert_eq!(result, (code, text.to_owned()), "curl {arguments:?}");
    }
}

fn assert_status(arguments: &[&str], status: &str) {
    assert_curl(&[arguments, STATUS].concat(), 0, status);
}

#[test]
fn socks_servers_serve_every_version() {
    let (Some(nginx), Some(dante), Some(open), Some(guarded)) =
        (Nginx::start(), Dante::start(), Microsocks::start(), Microsocks::with_password())
    else {
        return;
    };
    let ca = nginx.authority_file();
    let named = |url: String| url.replace("127.0.0.1", "localhost");
    let through = |proxy: &str, url: &str, code: i32, text: &str| {
        assert_curl(&["--cacert", &ca, "--proxy", proxy, url], code, text);
    };
    for [plain, tls] in [nginx.urls("/host"), nginx.urls("/host").map(named)] {
        let host = if plain.contains("localhost") { "localhost" } else { "127.0.0.1" };
        // Dante does not know SOCKS4a, nor does any server that is packaged.
        for scheme in ["socks4", "socks5", "socks5h"] {
            let proxy = format!("{scheme}://{}", dante.address());
            through(&proxy, &plain, 0, host);
            through(&proxy, &tls, 0, host);
        }
        through(&format!("socks5h://{}", open.address()), &tls, 0, host);
        let proxy = format!("socks5h://{USER}:{PASSWORD}@{}", guarded.address());
        through(&proxy, &tls, 0, host);
    }
    // 97: the proxy said no.
    for userinfo in ["", "user:wrong@"] {
        let proxy = format!("socks5h://{userinfo}{}", guarded.address());
        through(&proxy, &nginx.url("/host"), 97, "");
    }
}

#[test]
fn proxies_speak_tls_and_want_a_password() {
    let (Some(nginx), Some(squid)) = (Nginx::start(), Squid::shared()) else { return };
    let [plain, tls] = nginx.urls("/host").map(|url| url.replace("127.0.0.1", "shop.test"));
    let files = [nginx.authority_file(), squid.authority_file()];
    let options = ["--cacert", &files[0], "--proxy-cacert", &files[1], "--proxy"];
    let userinfo = format!("{USER}:{PASSWORD}@");
    for proxy in [
        squid.url(),
        squid.tls_url(),
        squid.guarded_url(&userinfo),
        squid.guarded_tls_url(&userinfo),
    ] {
        for url in [&plain, &tls] {
            assert_curl(&[&options[..], &[&proxy, url]].concat(), 0, "shop.test");
        }
    }
    for proxy in [squid.guarded_tls_url(""), squid.guarded_tls_url("user:wrong@")] {
        assert_status(&[&options[..], &[&proxy, &plain]].concat(), "407");
    }
    let Some(tinyproxy) = Tinyproxy::start() else { return };
    let [plain, tls] = nginx.urls("/host");
    for url in [&plain, &tls] {
        let proxy = tinyproxy.url(&userinfo);
        assert_curl(&[&options[..], &[&proxy, url]].concat(), 0, "127.0.0.1");
    }
    assert_status(&[&options[..], &[&tinyproxy.url(""), &plain]].concat(), "407");
}

#[test]
fn nginx_redirects_refuses_and_asks() {
    let Some(nginx) = Nginx::start() else { return };
    let ca = nginx.authority_file();
    for path in ["/301", "/302", "/303", "/307", "/308", "/relative", "/to-plain", "/to-tls"] {
        for url in nginx.urls(path) {
            assert_status(&["--cacert", &ca, "-L", &url], "200");
        }
    }
    let post = |path: &str, text: &str| {
        assert_curl(&["-L", "-d", "content", &nginx.url(path)], 0, text);
    };
    post("/302", "hello\n");
    post("/307", "POST content");
    assert_curl(&["-L", "--max-redirs", "5", &nginx.url("/loop"), "-o", "/dev/null"], 47, "");
    assert_status(&[&nginx.url("/private/numbers.txt")], "401");
    let user = format!("{USER}:{PASSWORD}");
    assert_status(&["-u", &user, &nginx.url("/private/numbers.txt")], "200");
    assert_status(&[&nginx.url("/unavailable")], "503");
    assert_status(&[&nginx.url("/rarely/numbers.txt")], "200");
    assert_status(&[&nginx.url("/rarely/numbers.txt")], "429");
    assert_status(&[&nginx.url("/often/404.html")], "200");
    let retry = ["-f", "--retry", "5", &nginx.url("/often/404.html")];
    assert_curl(&retry, 0, "<p>nothing here</p>\n");
}

#[test]
fn httpbin_redirects_sets_cookies_and_asks() {
    let Some(httpbin) = Httpbin::shared() else { return };
    for path in ["/redirect/3", "/relative-redirect/3", "/absolute-redirect/3"] {
        assert_status(&["-L", &httpbin.url(path)], "200");
    }
    let cookies = curl(&["-L", "-b", "", &httpbin.url("/cookies/set?a=1&b=2")]);
    let Some((0, text)) = cookies else { panic!("{cookies:?}") };
    assert!(text.contains("\"a\": \"1\"") && text.contains("\"b\": \"2\""), "{text}");
    assert_status(&["-u", "u:p", &httpbin.url("/basic-auth/u/p")], "200");
    assert_status(&["-u", "u:q", &httpbin.url("/basic-auth/u/p")], "401");
    for path in ["auth/u/p", "auth/u/p/MD5", "auth/u/p/SHA-256", "auth-int/u/p/MD5"] {
        let url = httpbin.url(&format!("/digest-auth/{path}"));
        // Without its cookies it challenges for ever.
        assert_status(&["--digest", "-b", "", "-u", "u:p", &url], "200");
    }
    let url = httpbin.url("/post");
    let form = curl(&["-F", "field=value", "-F", "file=content;filename=name.txt", &url]);
    let Some((0, text)) = form else { panic!("{form:?}") };
    assert!(text.contains("\"field\": \"value\"") && text.contains("\"file\": \"content\""));
}
