//! Commands as text. That curl makes the same request of them is tested in `tests/curl.rs`.

use super::*;

fn command(line: &[&str]) -> Command {
    let words = std::iter::once("waterclock").chain(line.iter().copied());
    let matches = crate::args::command().try_get_matches_from(words).unwrap();
    Command::of(&Options::read(&matches), &|_| None).unwrap()
}

fn line(words: &[&str]) -> String {
    let words = command(words).words;
    words.iter().map(|word| quote::for_shell(word)).collect::<Vec<_>>().join(" ")
}

fn notes(words: &[&str]) -> String {
    command(words).notes.join("\n")
}

#[test]
fn requests() {
    for (words, wanted) in [
        (&["h.test"][..], "curl --compressed https://h.test/"),
        (&["HEAD", ":8080/x"], "curl --head --compressed http://localhost:8080/x"),
        (&["DELETE", "h.test", "q==a b"], "curl -X DELETE --compressed 'https://h.test/?q=a+b'"),
        (
            &["h.test", "a=it's", "n:=1"],
            r#"curl --compressed -H 'Content-Type: application/json' --data-raw '{"a":"it'\''s","n":1}' https://h.test/"#,
        ),
        (
            &["PUT", "h.test", "-d", "@x y"],
            "curl -X PUT --compressed -H Expect: --data-binary '@x y' https://h.test/",
        ),
        (&["h.test", "--stdin"], "curl -X POST --compressed -H Expect: -T - https://h.test/"),
        (
            &["h.test", "a=<x", "-F", "f=@x;y.txt;type=text/plain", "-F", "v=1;type=a/b"],
            "curl --compressed -H Expect: --form-string 'a=<x' -F 'f=@\"x;y.txt\";type=text/plain' \
             -F 'v=1;type=a/b' https://h.test/",
        ),
        (
            &["--no-decode", "h.test"],
            "curl -H 'Accept-Encoding: gzip, deflate, br, zstd' https://h.test/",
        ),
        (&["--no-compressed", "h.test"], "curl -H 'Accept-Encoding: identity' https://h.test/"),
        (&["h.test/[1]"], "curl --compressed --globoff 'https://h.test/[1]'"),
        (
            &["-b", "a=1", "-b", "b=2", "-b", "jar.txt", "h.test", "X-A;", "Accept:"],
            "curl -b 'a=1; b=2' -b jar.txt -H 'X-A;' -H Accept: --compressed https://h.test/",
        ),
        (
            &["-u", "me:p w", "--digest", "-m", "0.5", "-L", "--keep-method", "h.test"],
            "curl --max-time 0.5 -u 'me:p w' --digest -L --max-redirs 30 --post301 --post302 \
             --compressed https://h.test/",
        ),
        (
            &["-O", "-C", "-", "-f", "-i", "h.test/a%20b"],
            "curl --compressed -o 'a b' -C - -i -f https://h.test/a%20b",
        ),
        (
            &["-x", "proxy", "--no-env", "--resolve", "h.test:443:127.0.0.1", "-k", "h.test"],
            "curl --compressed --resolve h.test:443:127.0.0.1 -x http://proxy:80 -k \
             https://h.test/",
        ),
        (
            &["--retry", "2", "h.test"],
            "curl --retry 2 --retry-connrefused --compressed https://h.test/",
        ),
    ] {
        assert_eq!(line(words), wanted);
    }
}

#[test]
fn what_curl_has_not_is_said() {
    let lost = notes(&["-t", "0.1", "--head-timeout", "1", "--attempt-timeout", "2", "h.test"]);
    assert!(lost.contains("for each wait"), "{lost}");
    assert!(lost.contains("--head-timeout") && lost.contains("--attempt-timeout"), "{lost}");
    assert!(notes(&["--retry", "1", "h.test", "a=b"]).contains("send a POST twice"));
    assert!(notes(&["--retry", "1", "--no-retry-after", "h.test"]).contains("--no-retry-after"));
    assert!(notes(&["-L", "-X", "PATCH", "h.test"]).contains("curl's -X"));
    assert_eq!(notes(&["--strict", "1", "h.test"]), "", "nothing else can fire before it");
}

#[test]
fn proxies_get_the_port_that_is_meant() {
    for (given, wanted) in [
        ("proxy", "http://proxy:80"),
        ("u:p@[::1]", "http://u:p@[::1]:80"),
        ("https://proxy/", "https://proxy:443"),
        ("socks5h://proxy", "socks5h://proxy"),
        ("http://proxy:3128/", "http://proxy:3128"),
    ] {
        assert_eq!(with_port(given), wanted);
    }
}
