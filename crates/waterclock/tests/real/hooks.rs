//! Hooks: what they see and change, in which order, and how they end a call.

use crate::support::ms;
use std::sync::{Arc, Mutex};
use waterclock::{Auth, Error, ErrorKind, Limits, RequestSent, Session, SessionBuilder};
use waterclock_lab::{Script, Server, redirect, respond, respond_with};

fn server() -> Server {
    Server::start(Script::by_request(|request| match request.path() {
        "/from" => redirect(302, "/to"),
        "/missing" => respond(404, "nothing"),
        "/guarded" if request.header("authorization").is_none() => {
            let challenge = "Digest realm=\"lab\", qop=\"auth\", nonce=\"n\"";
            respond_with(401, &[("WWW-Authenticate", challenge)], "")
        }
        _ => respond(200, "there"),
    }))
    .unwrap()
}

fn builder() -> SessionBuilder {
    Session::builder().limits(Limits::total(ms(20_000)))
}

/// Notes what happens.
#[derive(Clone, Default)]
struct Diary(Arc<Mutex<Vec<String>>>);

impl Diary {
    fn note(&self, text: String) -> Result<(), Error> {
        self.0.lock().unwrap().push(text);
        Ok(())
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

#[test]
fn each_hop_is_seen_by_the_session_and_then_by_the_request() {
    let server = server();
    let diary = Diary::default();
    let pages = || [diary.clone(), diary.clone(), diary.clone(), diary.clone(), diary.clone()];
    let [one, two, three, four, five] = pages();
    let session = builder()
        .on_request(move |request| one.note(format!("> {}", request.target())))
        .on_request(move |_| two.note("> again".into()))
        .on_response(move |response| three.note(format!("< {}", response.status())))
        .build()
        .unwrap();
    let request = session
        .get(server.url("/from"))
        .on_request(move |request| four.note(format!(">> {}", request.target())))
        .on_response(move |response| five.note(format!("<< {}", response.url().path())));
    request.send().unwrap();
    let expected = ["> /from", "> again", ">> /from", "< 302", "<< /from"];
    let then = ["> /to", "> again", ">> /to", "< 200", "<< /to"];
    assert_eq!(diary.take(), [expected, then].concat());
    // Those of a request are that request's.
    session.get(server.url("/to")).send().unwrap();
    assert_eq!(diary.take(), ["> /to", "> again", "< 200"]);
    // And a challenge is a hop.
    session.get(server.url("/guarded")).auth(Auth::digest("u", "p")).send().unwrap();
    assert_eq!(diary.take(), ["> /guarded", "> again", "< 401", "> /guarded", "> again", "< 200"]);
}

#[test]
fn a_request_can_be_changed() {
    let server = server();
    let session = builder()
        .on_request(|request| {
            let number = request.header("X-Number").map_or(0, |value| value[0] - b'0');
            request.headers_mut().set("X-Number", (number + 1).to_string()).unwrap();
            let target = request.target().to_owned();
            request.set_for_hop("X-Hop", target)?;
            if request.method().as_str() == "POST" {
                request.set_body("changed");
            }
            Ok(())
        })
        .auth(Auth::basic("user", "password").unwrap())
        .build()
        .unwrap();
    session.post(server.url("/from")).body("content").send().unwrap();
    let got = server.requests();
    // What is set on the request goes on to the next one, what is set for the hop does not.
    let seen: Vec<_> =
        got.iter().map(|got| (got.header("x-number"), got.header("x-hop"), &*got.body)).collect();
    assert_eq!(
        seen,
        [(Some("1"), Some("/from"), &b"changed"[..]), (Some("2"), Some("/to"), &b""[..])]
    );
    assert!(got.iter().all(|got| got.header("authorization").is_some()));
    assert_eq!(got[0].header("content-length"), Some("7"));
}

#[test]
fn a_request_hook_can_end_the_call_before_anything_is_sent() {
    let server = server();
    let session = builder()
        .on_request(|request| match request.url().path() {
            "/to" => Err(Error::invalid_request("not there")),
            _ => Ok(()),
        })
        .build()
        .unwrap();
    let error = session.get(server.url("/to")).send().unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::InvalidRequest, "not there"));
    assert_eq!((error.request_sent(), server.connections()), (RequestSent::No, 0));
    // After a redirect too, with the history and the record of what was before.
    let error = session.get(server.url("/from")).send().unwrap_err();
    assert_eq!((error.message(), error.history().len()), ("not there", 1));
    assert!(error.timeline().unwrap().is_finished());
    assert_eq!((error.request_sent(), server.requests().len()), (RequestSent::No, 1));
    assert!(error.to_string().contains("/to: not there"), "{error}");
}

#[test]
fn a_response_hook_sees_reads_and_changes_the_response_or_ends_the_call() {
    let server = server();
    let session = builder()
        .on_response(|response| {
            response.headers_mut().set("X-Seen", "yes").unwrap();
            Ok(())
        })
        .build()
        .unwrap();
    let mut response = session.get(server.url("/to")).send().unwrap();
    assert_eq!(response.headers().get("x-seen"), Some(&b"yes"[..]));
    assert_eq!(response.text().unwrap(), "there");

    // Read by the hook, it has been read; the connection is kept all the same.
    let request = session.get(server.url("/from")).on_response(|response| {
        response.content()?;
        Ok(())
    });
    let mut response = request.send().unwrap();
    assert_eq!((response.status(), response.text().unwrap().as_str()), (200, ""));
    assert!(response.timeline().is_finished());
    assert_eq!(response.timeline().hops().len(), 2);
    assert_eq!(server.connections(), 1);

    let refuse = |status: u16| {
        move |response: &mut waterclock::Response| match response.status() {
            got if got == status => Err(Error::invalid_request(format!("no {status}, please"))),
            _ => Ok(()),
        }
    };
    let error = session.get(server.url("/missing")).on_response(refuse(404)).send().unwrap_err();
    assert_eq!((error.message(), error.status()), ("no 404, please", Some(404)));
    assert_eq!(error.request_sent(), RequestSent::Yes);
    assert!(error.timeline().unwrap().is_finished());
    // A redirect that is refused is not followed.
    let before = server.requests().len();
    let error = session.get(server.url("/from")).on_response(refuse(302)).send().unwrap_err();
    assert_eq!((error.status(), server.requests().len()), (Some(302), before + 1));
}

/// A header set in a hook is the request's: what is a credential does not leave its origin.
#[test]
fn what_a_hook_sets_is_left_behind_like_the_rest() {
    let to = Server::builder().start().unwrap();
    let location = to.url("/");
    let from = Server::start(Script::every_request(redirect(302, &location))).unwrap();
    let session = builder().build().unwrap();
    let first = from.url("/");
    let request = session.get(&first).on_request(move |request| {
        if request.url().as_str() == first {
            request.headers_mut().set("Authorization", "Bearer secret").unwrap();
            request.set_for_hop("Cookie", "own=secret")?;
        }
        Ok(())
    });
    request.send().unwrap();
    assert_eq!(from.requests()[0].header("authorization"), Some("Bearer secret"));
    assert_eq!(from.requests()[0].header("cookie"), Some("own=secret"));
    let got = &to.requests()[0];
    assert_eq!((got.header("authorization"), got.header("cookie")), (None, None));
}

#[test]
fn a_hook_decides_which_redirects_are_followed() {
    let server = server();
    let session = builder().on_redirect(|_, to| Ok(to.url.path() != "/to")).build().unwrap();
    let mut response = session.get(server.url("/from")).send().unwrap();
    assert_eq!((response.status(), response.history().len()), (302, 0));
    assert_eq!(response.take_next().unwrap().url().path(), "/to");
    assert_eq!(server.requests().len(), 1);
    // All of them have to want it; those of the session are asked first.
    let session =
        builder().on_redirect(|response, _| Ok(response.status() == 302)).build().unwrap();
    let asked = session.get(server.url("/from")).on_redirect(|_, _| Ok(true)).send().unwrap();
    assert_eq!((asked.status(), asked.history().len()), (200, 1));
    let refuse = |_: &_, _: &_| Err(Error::invalid_request("not there"));
    let error = session.get(server.url("/from")).on_redirect(refuse).send().unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::InvalidRequest, Some(302)));
    assert!(error.timeline().is_some());
}
