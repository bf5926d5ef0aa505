//! Every case through the parser alone: whole, a byte at a time, and cut in two at every boundary.

use crate::case::{Case, Then, Want};
use crate::outcome::{Answer, Outcome, check};
use crate::read;
use waterclock::{CloseReason, ErrorKind, ResponseHead};
use waterclock_proto::decode::{DecodeError, Decoder, State};
use waterclock_proto::h1::{
    BodyReader, BodyState, FaultKind, HeadStep, ProtocolError, ResponseReader, keep_alive,
};

/// A connection as the client drives it: a buffer, a reader for the head, one for the body, and a
/// decoder.
struct Exchange<'a> {
    case: &'a Case,
    reader: ResponseReader,
    open: Option<Open>,
    buffer: Vec<u8>,
    body: Vec<u8>,
}

/// The final head is there.
struct Open {
    head: ResponseHead,
    reader: BodyReader,
    decoder: Option<Decoder>,
}

/// What the parser says of a case: the outcome, and whether the connection may serve another request.
type Parsed = (Outcome, Result<(), CloseReason>);

pub(crate) fn run<'p>(case: &Case, pieces: impl IntoIterator<Item = &'p [u8]>) -> Parsed {
    let reader = ResponseReader::new(&case.method, case.client_caps());
    let mut exchange = Exchange { case, reader, open: None, buffer: Vec::new(), body: Vec::new() };
    let mut fed = Ok(());
    for piece in pieces {
        exchange.buffer.extend_from_slice(piece);
        fed = fed.and_then(|()| exchange.advance());
    }
    let fed = fed.and_then(|()| exchange.end());
    exchange.finish(fed)
}

impl Exchange<'_> {
    /// Reads what is in the buffer.
    fn advance(&mut self) -> Result<(), ErrorKind> {
        while self.open.is_none() {
            match self.reader.read_head(&self.buffer).map_err(|error| kind(&error))? {
                HeadStep::Incomplete => return Ok(()),
                HeadStep::Informational { used, .. } => drop(self.buffer.drain(..used)),
                HeadStep::Head { used, head, body } => {
                    self.buffer.drain(..used);
                    let values = head.headers.get_all("Content-Encoding");
                    let decoder = Decoder::from_content_encoding(values, self.case.decode_limits())
                        .map_err(|_| ErrorKind::Decode)?;
                    let decoder = decoder.filter(|_| !body.is_done());
                    self.open = Some(Open { head, reader: body, decoder });
                }
            }
        }
        self.read_body()
    }

    fn read_body(&mut self) -> Result<(), ErrorKind> {
        let Some(open) = &mut self.open else { return Ok(()) };
        let mut used = 0;
        let result = loop {
            let step = match open.reader.next(&self.buffer[used..]) {
                Ok(step) => step,
                Err(error) => break Err(kind(&error)),
            };
            let content = &self.buffer[used + step.skip..][..step.data];
            if let Err(error) = open.decode(content, &mut self.body) {
                break Err(error);
            }
            used += step.skip + step.data;
            if step.state != BodyState::More {
                break Ok(());
            }
        };
        self.buffer.drain(..used);
        result
    }

    /// The server does what it does after its last byte.
    fn end(&mut self) -> Result<(), ErrorKind> {
        let over = self.open.as_ref().is_some_and(|open| open.reader.is_done());
        match (self.case.then, &mut self.open) {
            _ if over => {}
            (Then::Hold, _) => return Err(ErrorKind::Timeout),
            (Then::Reset, _) => return Err(ErrorKind::Receive),
            (Then::Fin | Then::Cut, None) => return Err(kind(&self.reader.eof())),
            (Then::Cut, Some(open)) if open.reader.expected().is_none() && !open.is_chunked() => {
                return Err(ErrorKind::IncompleteBody);
            }
            (Then::Fin | Then::Cut, Some(open)) => {
                open.reader.eof().map_err(|error| kind(&error))?;
            }
        }
        match &mut self.open {
            Some(open) => open.finish_decoding(&mut self.body),
            None => Ok(()),
        }
    }

    fn finish(self, fed: Result<(), ErrorKind>) -> Parsed {
        let body = self.body;
        match (fed, self.open) {
            (Ok(()), Some(open)) => {
                let mut kept = keep_alive(false, &open.head, open.reader.framing());
                if kept.is_ok() && !self.buffer.is_empty() {
                    kept = Err(CloseReason::StrayBytes);
                } else if kept.is_ok() && self.case.then != Then::Hold {
                    kept = Err(CloseReason::ClosedByPeer);
                }
                let trailers = open.reader.trailers().cloned();
                let (status, reason) = (open.head.status, open.head.reason.as_bytes().to_vec());
                let headers = open.head.headers;
                let answer = Answer { status, reason, headers, body, trailers };
                (Outcome::Response(Box::new(answer)), kept)
            }
            // How much was decoded before the fault follows from the pieces.
            (Err(ErrorKind::Decode), _) => {
                let body = Vec::new();
                (Outcome::Error { kind: ErrorKind::Decode, body }, Err(CloseReason::Failed))
            }
            (Err(kind), _) => (Outcome::Error { kind, body }, Err(CloseReason::Failed)),
            (Ok(()), None) => panic!("{}: neither an answer nor an error", self.case.name),
        }
    }
}

impl Open {
    fn is_chunked(&self) -> bool {
        self.reader.framing() == waterclock_proto::h1::Framing::Chunked
    }

    fn decode(&mut self, mut content: &[u8], body: &mut Vec<u8>) -> Result<(), ErrorKind> {
        let Some(decoder) = &mut self.decoder else {
            body.extend_from_slice(content);
            return Ok(());
        };
        let mut room = [0; 8 * 1024];
        while !content.is_empty() {
            let progress = decoder.decode(content, &mut room).map_err(|error| decoding(&error))?;
            body.extend_from_slice(&room[..progress.produced]);
            content = &content[progress.consumed..];
        }
        Ok(())
    }

    fn finish_decoding(&mut self, body: &mut Vec<u8>) -> Result<(), ErrorKind> {
        let Some(decoder) = &mut self.decoder else { return Ok(()) };
        let mut room = [0; 8 * 1024];
        loop {
            let progress = decoder.finish(&mut room).map_err(|error| decoding(&error))?;
            body.extend_from_slice(&room[..progress.produced]);
            if progress.state == State::Done {
                return Ok(());
            }
        }
    }
}

fn kind(error: &ProtocolError) -> ErrorKind {
    match error.kind() {
        FaultKind::Protocol => ErrorKind::Protocol,
        FaultKind::Closed => ErrorKind::Closed,
        FaultKind::IncompleteBody => ErrorKind::IncompleteBody,
        FaultKind::TooLarge => ErrorKind::TooLarge,
    }
}

fn decoding(error: &DecodeError) -> ErrorKind {
    if error.is_limit() { ErrorKind::TooLarge } else { ErrorKind::Decode }
}

/// Where an input is cut in two: everywhere, or of a long one where something begins and ends.
pub(crate) fn boundaries(length: usize) -> Vec<usize> {
    let end = if length > 4096 { 64 } else { 4096 };
    let near = |at: usize| at <= end || at + end >= length;
    (1..length).filter(|&at| near(at) || at.is_multiple_of(1 + length / 64)).collect()
}

#[test]
fn the_parser_says_the_same_however_a_response_is_cut() {
    let (mut runs, mut failures) = (0, Vec::new());
    let cases = read::all();
    for case in cases.iter().filter(|case| !case.follow) {
        let whole = run(case, [case.send.as_slice()]);
        let kept = match &case.want {
            Want::Response(wanted) => wanted.kept,
            Want::Error { .. } => Err(CloseReason::Failed),
        };
        let mut wrong = check(&case.want, &whole.0).err();
        if wrong.is_none() && whole.1 != kept {
            wrong = Some(format!("kept: {:?}", whole.1));
        }
        let mut each = vec![("a byte at a time".to_owned(), run(case, case.send.chunks(1)))];
        for at in boundaries(case.send.len()) {
            let (head, tail) = case.send.split_at(at);
            each.push((format!("cut at {at}"), run(case, [head, tail])));
        }
        runs += 1 + each.len();
        let differs = each.into_iter().find(|(_, parsed)| *parsed != whole);
        let differs = differs.map(|(how, parsed)| format!("{how}: {parsed:?}, not {whole:?}"));
        if let Some(what) = wrong.or(differs) {
            failures.push(format!("{}:{}: {}: {what}", case.file, case.line, case.name));
        }
    }
    println!("{} cases, {runs} runs of the parser", cases.len());
    assert!(failures.is_empty(), "{} wrong:\n{}", failures.len(), failures.join("\n"));
}
