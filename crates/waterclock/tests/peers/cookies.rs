//! Cookies: set by httpbin and nginx, and kept in a file that curl writes and reads too.

use crate::curl::curl;
use crate::peer::{Httpbin, Nginx};
use crate::support::{PATIENCE, builder, session};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};
use waterclock::cookies::{CookieJar, SessionCookies};
use waterclock::{ResolveOverride, Response, Session};

fn cookies(response: &mut Response) -> Value {
    response.json::<Value>().unwrap()["cookies"].take()
}

#[test]
fn cookies_that_are_set_are_sent() {
    let Some(httpbin) = Httpbin::shared() else { return };
    let session = session();
    let mut response = session.get(httpbin.url("/cookies/set?a=1&b=two")).send().unwrap();
    // They came with the redirect, and the next hop has them already.
    assert_eq!((response.history().len(), response.url().path()), (1, "/cookies"));
    assert_eq!(cookies(&mut response), json!({"a": "1", "b": "two"}));
    assert_eq!(session.cookies().snapshot().len(), 2);
    let mut response = session.get(httpbin.url("/cookies/delete?a")).send().unwrap();
    assert_eq!(cookies(&mut response), json!({"b": "two"}));
    let mut response = session.get(httpbin.url("/cookies/set/b/three")).send().unwrap();
    assert_eq!(cookies(&mut response), json!({"b": "three"}));
    // One request's own goes before the jar's, and is not kept.
    let request = session.get(httpbin.url("/cookies")).cookie("b", "own").cookie("c", "x-y");
    assert_eq!(cookies(&mut request.send().unwrap()), json!({"b": "own", "c": "x-y"}));
    assert_eq!(session.cookies().snapshot().len(), 1);
    session.cookies().replace(CookieJar::new());
    assert_eq!(cookies(&mut session.get(httpbin.url("/cookies")).send().unwrap()), json!({}));
}

#[test]
fn a_session_can_do_without() {
    let Some(httpbin) = Httpbin::shared() else { return };
    let session = builder().without_cookies().build().unwrap();
    let mut response = session.get(httpbin.url("/cookies/set?a=1")).send().unwrap();
    assert_eq!(cookies(&mut response), json!({}));
    assert!(session.cookies().snapshot().is_empty());
    let request = session.get(httpbin.url("/cookies")).cookie("own", "1");
    assert_eq!(cookies(&mut request.send().unwrap()), json!({"own": "1"}));
}

/// A session for which `shop.test` is nginx.
fn shop(nginx: &Nginx, jar: CookieJar) -> (Session, [String; 2]) {
    let urls = nginx.urls("").map(|url| url.replace("127.0.0.1", "shop.test"));
    let mut builder = builder().tls(nginx.trust()).cookies(jar);
    for url in &urls {
        let port = url.parse::<waterclock::Url>().unwrap().port().unwrap();
        builder =
            builder.resolve(ResolveOverride::new("shop.test", port, vec![nginx.address().ip()]));
    }
    (builder.build().unwrap(), urls)
}

/// Which cookies arrive at `/received` over plain HTTP and over TLS.
fn received(session: &Session, [plain, tls]: &[String; 2]) -> [String; 2] {
    [plain, tls].map(|base| {
        let text = session.get(format!("{base}/received")).send().unwrap().text().unwrap();
        text.split('|').nth(2).unwrap().to_owned()
    })
}

/// The path counts before the time (RFC 6265bis §5.8.3), and what is `Secure` needs TLS.
const PLAIN: &str = "kept=a=b c; session=1";
const TLS: &str = "kept=a=b c; session=1; wide=2";

#[test]
fn attributes_decide_what_goes_where() {
    let Some(nginx) = Nginx::start() else { return };
    let (session, urls) = shop(&nginx, CookieJar::new());
    session.get(format!("{}/cookies", urls[1])).send().unwrap();
    assert_eq!(received(&session, &urls), [PLAIN, TLS]);
    // Over plain HTTP nobody sets a `Secure` one.
    let (session, urls) = shop(&nginx, CookieJar::new());
    session.get(format!("{}/cookies", urls[0])).send().unwrap();
    assert_eq!(received(&session, &urls), [PLAIN, PLAIN]);
}

/// The lines with cookies, sorted, as fields: what a file says.
fn lines(text: &str) -> Vec<Vec<String>> {
    let cookies = text.lines().filter(|line| line.contains('\t'));
    let mut lines: Vec<Vec<String>> =
        cookies.map(|line| line.split('\t').map(str::to_owned).collect()).collect();
    lines.sort();
    lines
}

fn path(nginx: &Nginx, name: &str) -> PathBuf {
    PathBuf::from(nginx.authority_file()).with_file_name(name)
}

/// What curl does as a client of `shop.test`.
fn curl_shop(nginx: &Nginx, urls: &[String; 2], options: &[&str], url: &str) -> Option<String> {
    let (ca, ip) = (nginx.authority_file(), nginx.address().ip());
    let rules = urls.each_ref().map(|url| format!("{}:{ip}", &url[url.find("shop").unwrap()..]));
    let known = ["--cacert", &ca, "--resolve", &rules[0], "--resolve", &rules[1]];
    let (code, text) = curl(&[&known, options, &[url]].concat())?;
    assert_eq!(code, 0, "{text}");
    Some(text)
}

#[test]
fn the_file_is_that_of_curl() {
    let Some(nginx) = Nginx::start() else { return };
    let (session, urls) = shop(&nginx, CookieJar::new());
    let url = format!("{}/cookies", urls[1]);
    let theirs = path(&nginx, "curl.txt");
    let options = ["-c", theirs.to_str().unwrap()];
    if curl_shop(&nginx, &urls, &options, &url).is_none() {
        return;
    }
    session.get(&url).send().unwrap();
    let jar = session.cookies().snapshot();
    let ours = jar.to_netscape(SessionCookies::Keep);
    assert!(ours.left_out.is_empty());
    let theirs = lines(&std::fs::read_to_string(theirs).unwrap());
    let ours = lines(std::str::from_utf8(&ours.text).unwrap());
    assert_eq!((theirs.len(), ours.len()), (3, 3));
    for (theirs, ours) in theirs.iter().zip(&ours) {
        // All but the expiry are the same to the letter. That is counted from when each arrived.
        assert_eq!((&theirs[..4], &theirs[5..]), (&ours[..4], &ours[5..]));
        let [theirs, ours] = [theirs, ours].map(|line| line[4].parse::<u64>().unwrap());
        assert_eq!((theirs == 0, theirs.abs_diff(ours) <= PATIENCE.as_secs()), (ours == 0, true));
    }
}

#[test]
fn what_curl_has_kept_is_sent_by_us() {
    let Some(nginx) = Nginx::start() else { return };
    let (_, urls) = shop(&nginx, CookieJar::new());
    let file = path(&nginx, "jar.txt");
    let options = ["-c", file.to_str().unwrap()];
    if curl_shop(&nginx, &urls, &options, &format!("{}/cookies", urls[1])).is_none() {
        return;
    }
    let loaded = CookieJar::from_netscape(&std::fs::read(&file).unwrap(), SystemTime::now());
    let loaded = loaded.unwrap();
    assert!(loaded.left_out.is_empty());
    let (session, urls) = shop(&nginx, loaded.jar);
    // All count as made now, in the order of the file, which is curl's affair.
    let sorted = |header: String| {
        let mut pairs: Vec<&str> = header.split("; ").collect();
        pairs.sort_unstable();
        pairs.join("; ")
    };
    assert_eq!(received(&session, &urls).map(sorted), [PLAIN, TLS]);
    // An hour later only the session cookie is left.
    let later = SystemTime::now() + Duration::from_secs(3_700);
    let loaded = CookieJar::from_netscape(&std::fs::read(&file).unwrap(), later).unwrap();
    assert_eq!(loaded.jar.len(), 1);
}

#[test]
fn what_we_have_kept_is_sent_by_curl() {
    let Some(nginx) = Nginx::start() else { return };
    let (session, urls) = shop(&nginx, CookieJar::new());
    session.get(format!("{}/cookies", urls[1])).send().unwrap();
    let jar = session.cookies().snapshot();
    let file = path(&nginx, "jar.txt");
    for (kept, expected) in [
        (SessionCookies::Keep, [PLAIN, TLS]),
        (SessionCookies::LeaveOut, ["kept=a=b c", "kept=a=b c; wide=2"]),
    ] {
        std::fs::write(&file, jar.to_netscape(kept).text).unwrap();
        for (url, expected) in urls.iter().zip(expected) {
            let options = ["-b", file.to_str().unwrap()];
            let Some(text) = curl_shop(&nginx, &urls, &options, &format!("{url}/received")) else {
                return;
            };
            assert_eq!(text, format!("||{expected}|"));
        }
        // And a session made of it sends the same.
        let text = std::fs::read(&file).unwrap();
        let loaded = CookieJar::from_netscape(&text, SystemTime::now()).unwrap();
        let (session, urls) = shop(&nginx, loaded.jar);
        assert_eq!(received(&session, &urls), expected);
    }
    let text = jar.to_json(SessionCookies::Keep);
    let loaded = CookieJar::from_json(text.as_bytes(), SystemTime::now()).unwrap();
    let (session, urls) = shop(&nginx, loaded.jar);
    assert_eq!(received(&session, &urls), [PLAIN, TLS]);
}
