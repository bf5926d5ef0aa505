//! What belongs to one origin does not reach another: credentials, cookies, client certificates.

use crate::peer::{Httpbin, Nginx};
use crate::support::builder;
use waterclock::{Auth, Request, Session, SessionBuilder};

/// What `/received` of nginx shows: Authorization, Proxy-Authorization, Cookie and X-Thing.
fn received(request: Request<'_>) -> String {
    request.send().unwrap().text().unwrap()
}

fn with(nginx: &Nginx, change: impl Fn(SessionBuilder) -> SessionBuilder) -> Session {
    change(builder().tls(nginx.trust())).build().unwrap()
}

const BASIC: &str = "Basic dTpw";

/// Every way to give credentials, by its name.
fn ways<'s>(plain: &'s Session, own: &'s Session, url: &str) -> Vec<(&'static str, Request<'s>)> {
    vec![
        ("auth of the request", plain.get(url).auth(Auth::basic("u", "p").unwrap())),
        ("auth of the session", own.get(url)),
        ("header", plain.get(url).header("Authorization", BASIC)),
        ("userinfo", plain.get(url.replacen("://", "://u:p@", 1))),
    ]
}

#[test]
fn credentials_stay_at_their_origin() {
    let Some(nginx) = Nginx::shared() else { return };
    let plain = nginx.session();
    let own = with(&nginx, |builder| builder.auth(Auth::basic("u", "p").unwrap()));
    let in_headers = with(&nginx, |builder| builder.header("Authorization", BASIC));
    for [here, there] in [nginx.urls("/received"), {
        let [a, b] = nginx.urls("/received");
        [b, a]
    }] {
        let redirect = here.replace("/received", "/to?url=");
        // The same host and port by another name is another origin too.
        let renamed = here.replace("127.0.0.1", "localhost");
        for (to, expected) in
            [(&here, "Basic dTpw|||kept"), (&there, "|||kept"), (&renamed, "|||kept")]
        {
            let url = format!("{redirect}{to}");
            let mut ways = ways(&plain, &own, &url);
            ways.push(("header of the session", in_headers.get(&url)));
            for (name, request) in ways {
                let request = request.header("X-Thing", "kept");
                assert_eq!(received(request), expected, "{name}, {here} to {to}");
            }
        }
        // They do not come back with the chain: a stranger has chosen where it leads.
        let url = format!("{redirect}{}", there.replace("/received", &format!("/to?url={here}")));
        for (name, request) in ways(&plain, &own, &url) {
            assert_eq!(received(request), "|||", "{name}, there and back");
        }
    }
}

#[test]
fn credentials_do_not_go_from_httpbin_to_nginx() {
    let (Some(httpbin), Some(nginx)) = (Httpbin::shared(), Nginx::shared()) else { return };
    let plain = nginx.session();
    let own = with(&nginx, |builder| builder.auth(Auth::basic("u", "p").unwrap()));
    for to in nginx.urls("/credentials") {
        let url = httpbin.url(&format!("/redirect-to?url={to}"));
        for (name, request) in ways(&plain, &own, &url) {
            assert_eq!(received(request), "\n", "{name} to {to}");
        }
        let url = httpbin.url("/redirect-to?url=/headers");
        for (name, request) in ways(&plain, &own, &url) {
            let seen: serde_json::Value = request.send().unwrap().json().unwrap();
            assert_eq!(seen["headers"]["Authorization"], BASIC, "{name}");
        }
    }
}

#[test]
fn what_is_for_a_proxy_reaches_no_origin() {
    let Some(nginx) = Nginx::shared() else { return };
    for url in nginx.urls("/received") {
        let request = nginx.session().get(url).header("Proxy-Authorization", BASIC).send();
        assert_eq!(request.unwrap().text().unwrap(), "|||");
    }
}

#[test]
fn cookies_of_one_request_stay_at_their_origin() {
    let Some(nginx) = Nginx::shared() else { return };
    let session = nginx.session();
    let [here, there] = nginx.urls("/received");
    let redirect = here.replace("/received", "/to?url=");
    for (to, expected) in [(&here, "||own=1|"), (&there, "|||")] {
        let request = session.get(format!("{redirect}{to}")).cookie("own", "1");
        assert_eq!(received(request), expected);
        // A header set by hand is not for the next hop even there: the jar decides afresh.
        let request = session.get(format!("{redirect}{to}")).header("Cookie", "own=1");
        assert_eq!(received(request), "|||");
    }
}

#[test]
fn cookies_of_the_jar_go_where_their_host_is() {
    let Some(nginx) = Nginx::shared() else { return };
    let session = nginx.session();
    session.get(nginx.url("/cookie")).send().unwrap();
    let [plain, tls] = nginx.urls("/received");
    let elsewhere = plain.replace("127.0.0.1", "localhost");
    // Ports do not part cookies (RFC 6265 §8.5), names do.
    for (to, expected) in [(&plain, "||from=nginx|"), (&tls, "||from=nginx|"), (&elsewhere, "|||")]
    {
        assert_eq!(received(session.get(nginx.url(&format!("/to?url={to}")))), expected, "{to}");
    }
    let url = elsewhere.replace("/received", &format!("/to?url={plain}"));
    assert_eq!(received(session.get(url)), "||from=nginx|", "back at its host");
}

#[test]
fn the_client_certificate_stays_at_its_origin() {
    let Some(nginx) = Nginx::shared() else { return };
    let own = builder().tls(nginx.trust_as("somebody")).build().unwrap();
    let plain = nginx.session();
    let to = |url: String| format!("/to?url={url}");
    let mutual = nginx.mutual_url("/subject");
    for (name, from, expected) in [
        ("the same origin", nginx.mutual_url(&to(mutual.clone())), "CN=somebody"),
        ("from another port", nginx.tls_url(&to(mutual.clone())), "No required SSL certificate"),
        ("from plain HTTP", nginx.url(&to(mutual.clone())), "No required SSL certificate"),
        (
            "from another name",
            nginx.mutual_url(&to(mutual.replace("127.0.0.1", "localhost"))),
            "No required SSL certificate",
        ),
    ] {
        for request in [own.get(&from), plain.get(&from).tls(nginx.trust_as("somebody"))] {
            let mut response = request.send().unwrap();
            let text = response.text().unwrap();
            assert!(text.contains(expected), "{name}: {text}");
        }
    }
}
