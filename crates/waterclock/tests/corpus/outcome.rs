//! [`Outcome`]: what came of a case, whoever ran it and however it was cut into pieces.

use crate::case::{Case, Then, Want, Wanted};
use waterclock::{Error, ErrorKind, Headers, Request, Response, Session};

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    Response(Box<Answer>),
    Error {
        kind: ErrorKind,
        /// What could be read of the body before it.
        body: Vec<u8>,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) reason: Vec<u8>,
    pub(crate) headers: Headers,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Option<Headers>,
}

/// Sends the request of a case and reads the answer to its end.
pub(crate) fn exchange(session: &Session, case: &Case, url: &str) -> (Outcome, Option<Error>) {
    match request(session, case, url).send() {
        Ok(response) => read(response),
        Err(error) => (Outcome::Error { kind: error.kind(), body: Vec::new() }, Some(error)),
    }
}

fn request<'s>(session: &'s Session, case: &Case, url: &str) -> Request<'s> {
    session.request(case.method.clone(), url).decode_limits(case.decode_limits())
}

/// Reads a body, a bit at a time, to its end or to what is wrong with it.
fn read(mut response: Response) -> (Outcome, Option<Error>) {
    let (mut body, mut piece) = (Vec::new(), vec![0; 8 * 1024]);
    loop {
        match response.read_body(&mut piece) {
            Ok(0) => break,
            Ok(count) => body.extend_from_slice(&piece[..count]),
            Err(error) => {
                // How much was decoded before the fault follows from the pieces.
                if error.kind() == ErrorKind::Decode {
                    body.clear();
                }
                return (Outcome::Error { kind: error.kind(), body }, Some(error));
            }
        }
    }
    let answer = Answer {
        status: response.status(),
        reason: response.reason_bytes().to_vec(),
        headers: response.headers().clone(),
        trailers: response.trailers().cloned(),
        body,
    };
    (Outcome::Response(Box::new(answer)), None)
}

/// Whether the outcome is the one that the case asks for; else what is different.
pub(crate) fn check(want: &Want, outcome: &Outcome) -> Result<(), String> {
    match (want, outcome) {
        (Want::Response(wanted), Outcome::Response(answer)) => check_answer(wanted, answer),
        (Want::Error { kind, body: wanted, .. }, Outcome::Error { kind: got, body })
            if kind == got && wanted.as_ref().is_none_or(|wanted| wanted == body) =>
        {
            Ok(())
        }
        _ => Err(format!("not as wanted: {outcome:?}")),
    }
}

fn check_answer(wanted: &Wanted, answer: &Answer) -> Result<(), String> {
    let all = |name: &str, headers: &Headers| -> Vec<Vec<u8>> {
        headers.get_all(name).map(<[u8]>::to_vec).collect()
    };
    let same =
        |what: &str, same: bool| if same { Ok(()) } else { Err(format!("{what}: {answer:?}")) };
    same("status", wanted.status == answer.status)?;
    same("body", wanted.body == answer.body)?;
    same("reason", wanted.reason.as_ref().is_none_or(|reason| *reason == answer.reason))?;
    let trailers = answer.trailers.iter().flatten();
    let trailers: Vec<_> = trailers.map(|(name, value)| (name.into(), value.to_vec())).collect();
    same("trailers", wanted.trailers == trailers)?;
    for (name, _) in &wanted.fields {
        let values = wanted.fields.iter().filter(|(other, _)| other == name);
        let values: Vec<_> = values.map(|(_, value)| value.clone()).collect();
        same(name, values == all(name, &answer.headers))?;
    }
    for name in &wanted.without {
        same(name, !answer.headers.contains(name))?;
    }
    Ok(())
}

/// Whether an error's message says what the case asks for.
pub(crate) fn check_words(want: &Want, error: Option<&Error>) -> Result<(), String> {
    let Want::Error { says: Some(words), .. } = want else { return Ok(()) };
    let said = error.map(ToString::to_string).unwrap_or_default();
    if said.contains(words) { Ok(()) } else { Err(format!("{words:?} is not in {said:?}")) }
}

/// What must come of a case over TLS if the server closes without close_notify instead of with it: the
/// same, unless the end of the connection was the end of the body (RFC 9112 §9.8).
pub(crate) fn want_without_close_notify(case: &Case) -> Want {
    use waterclock::CloseReason::CloseDelimited;
    match &case.want {
        Want::Response(wanted) if case.then == Then::Fin && wanted.kept == Err(CloseDelimited) => {
            Want::Error { kind: ErrorKind::IncompleteBody, says: None, body: None }
        }
        want => want.clone(),
    }
}

/// Whether it is wrong that the connection was used again or was not. A body that is all there but
/// cannot be decoded says nothing about its connection, which may serve on.
pub(crate) fn wrongly_used(want: &Want, used: bool) -> bool {
    match want {
        Want::Response(wanted) => wanted.kept.is_ok() != used,
        Want::Error { kind: ErrorKind::Decode | ErrorKind::TooLarge, .. } => false,
        Want::Error { .. } => used,
    }
}
