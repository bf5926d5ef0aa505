//! A scenario: what the peer does, how the session is built, and what is asked of it.

use crate::bench::{Bench, PATH, Route};
use std::io::Read;
use waterclock::{Error, Response, Session, SessionBuilder, Timeline};

/// What is done on each of some routes.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) routes: &'static [Route],
    pub(crate) serve: fn(&Bench),
    pub(crate) build: fn(SessionBuilder) -> SessionBuilder,
    pub(crate) ask: fn(&Session, &Place) -> Result<Answer, Error>,
}

/// Where to ask.
pub(crate) struct Place {
    pub(crate) route: Route,
    /// In this world, now.
    pub(crate) bench: Bench,
}

impl Place {
    pub(crate) fn url(&self) -> String {
        self.route.url(PATH)
    }
}

/// What a call gave its caller.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    pub(crate) timeline: Timeline,
}

impl Answer {
    /// All of a response.
    pub(crate) fn of(mut response: Response) -> Result<Answer, Error> {
        let body = response.content()?;
        Ok(Answer { status: response.status(), body, timeline: response.timeline().clone() })
    }

    /// All of a response, read in pieces.
    pub(crate) fn read(mut response: Response, size: usize) -> Result<Answer, Error> {
        let (mut body, mut piece) = (Vec::new(), vec![0; size]);
        loop {
            match response.read_body(&mut piece)? {
                0 => break,
                count => body.extend_from_slice(&piece[..count]),
            }
        }
        Ok(Answer { status: response.status(), body, timeline: response.timeline().clone() })
    }

    /// The beginning of a response that is then dropped.
    pub(crate) fn beginning(mut response: Response, size: usize) -> Result<Answer, Error> {
        let mut body = vec![0; size];
        let count = response.read_full(&mut body)?;
        body.truncate(count);
        Ok(Answer { status: response.status(), body, timeline: response.timeline().clone() })
    }

    /// Through `std::io::Read`, whose errors are the call's.
    pub(crate) fn copied(mut response: Response) -> Result<Answer, Error> {
        let mut body = Vec::new();
        if let Err(error) = response.read_to_end(&mut body) {
            return Err(error.downcast::<Error>().expect("an error of the call"));
        }
        Ok(Answer { status: response.status(), body, timeline: response.timeline().clone() })
    }
}
