//! Carries out a script on one connection.

use std::io;

use crate::head::Head;
use crate::input::{Body, Input, Pace, Source};
use crate::listener::Connection;
use crate::log::{Event, ReceivedRequest};
use crate::script::{Answer, Plan, Script};
use crate::step::Step;

/// What comes after a step: the next one, or the connection's end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    Next,
    End,
}

pub(crate) struct Session<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) input: Input,
    pub(crate) pending: Option<Pending>,
    requests: usize,
}

/// The request whose head was read last, as long as its body is not.
pub(crate) struct Pending {
    pub(crate) head: Head,
    body: Body,
    /// Its place in the log.
    pub(crate) place: usize,
}

impl<'a> Session<'a> {
    pub(crate) fn new(connection: &'a Connection) -> Self {
        Session { connection, input: Input::new(), pending: None, requests: 0 }
    }

    pub(crate) fn serve(&mut self, script: &Script) -> io::Result<()> {
        match &script.0 {
            Plan::Steps(steps) => self.run(steps).map(|flow| self.finish(flow)),
            Plan::ByConnection(choose) => self.serve(&choose(self.connection.number)),
            Plan::ByRequest { answer, body_first } => self.answer_all(answer, *body_first),
        }
    }

    fn answer_all(&mut self, answer: &Answer, body_first: bool) -> io::Result<()> {
        while let Some(place) = self.read_head()? {
            let keeps_alive = self.pending.as_ref().is_some_and(|it| it.head.keeps_alive());
            if body_first {
                self.read_body(true, None)?;
            }
            let request = self.connection.log.read(|seen| seen.requests.get(place).cloned());
            let Some(request) = request else { break };
            let flow = self.run(&answer(&request))?;
            if flow == Flow::End || !keeps_alive || self.owes_body() {
                self.finish(flow);
                return Ok(());
            }
        }
        self.finish(Flow::Next);
        Ok(())
    }

    /// Is there a request whose body has not been read to its end?
    pub(crate) fn owes_body(&self) -> bool {
        self.pending.as_ref().is_some_and(|it| !it.body.is_done())
    }

    /// The ordinary end, unless a step has chosen another.
    fn finish(&mut self, flow: Flow) {
        if flow == Flow::Next {
            self.connection.link.notify();
        }
    }

    pub(crate) fn run(&mut self, steps: &[Step]) -> io::Result<Flow> {
        for step in steps {
            if self.step(step)? == Flow::End {
                return Ok(Flow::End);
            }
        }
        Ok(Flow::Next)
    }

    fn step(&mut self, step: &Step) -> io::Result<Flow> {
        let Connection { link, stop, .. } = self.connection;
        match step {
            Step::Sleep(time) => stop.sleep(*time)?,
            Step::ReadExactly(count) => self.read_exactly(*count)?,
            Step::ReadHead => {
                if self.read_head()?.is_none() {
                    return Ok(Flow::End);
                }
            }
            Step::ReadBody => self.read_body(true, None)?,
            Step::ReadBodyInSilence => self.read_body(false, None)?,
            Step::ReadSlowly { bytes, every } => {
                self.read_slowly(Pace { bytes: *bytes, every: *every })?;
            }
            Step::Drain => self.drain(None)?,
            Step::Send(bytes) => link.write_all(bytes)?,
            Step::SendTogether(pieces) => {
                let wire: io::Result<Vec<_>> =
                    pieces.iter().map(|piece| link.seal(piece)).collect();
                link.write_wire(&wire?.concat())?;
            }
            Step::SendUrgent(byte) => link.stream().send_urgent(*byte)?,
            Step::Drip { bytes, size, every } => {
                self.drip(bytes, *size, |piece| link.write_all(piece), *every)?;
            }
            Step::DripWire { bytes, size, every } => {
                self.drip(&link.seal(bytes)?, *size, |piece| link.write_wire(piece), *every)?;
            }
            Step::CutWire { bytes, keep } => {
                let wire = link.seal(bytes)?;
                link.write_wire(wire.get(..*keep).unwrap_or(&wire))?;
            }
            Step::SendWire(bytes) => link.write_wire(bytes)?,
            Step::Stall => self.connection.stall(),
            Step::HalfClose => {
                link.notify();
                link.stream().send_fin();
            }
            Step::Reset => {
                link.stream().reset_on_close();
                return Ok(Flow::End);
            }
            Step::Close => {
                link.notify();
                return Ok(Flow::End);
            }
            Step::CloseWithoutNotify => return Ok(Flow::End),
            Step::Repeat(times, steps) => {
                for _ in 0..*times {
                    stop.check()?;
                    if self.run(steps)? == Flow::End {
                        return Ok(Flow::End);
                    }
                }
            }
            Step::Loop(steps) if steps.is_empty() => {}
            Step::Loop(steps) => loop {
                stop.check()?;
                if self.run(steps)? == Flow::End {
                    return Ok(Flow::End);
                }
            },
        }
        Ok(Flow::Next)
    }

    fn drip(
        &self,
        bytes: &[u8],
        size: usize,
        send: impl Fn(&[u8]) -> io::Result<()>,
        every: std::time::Duration,
    ) -> io::Result<()> {
        for (place, piece) in bytes.chunks(size.max(1)).enumerate() {
            if place > 0 {
                self.connection.stop.sleep(every)?;
            }
            send(piece)?;
        }
        Ok(())
    }

    /// Reads and records a request's head; gives its place in the log, or `None` at the peer's
    /// end.
    pub(crate) fn read_head(&mut self) -> io::Result<Option<usize>> {
        let Some(head) = self.input.head(&self.connection.link)? else { return Ok(None) };
        let body = Body::new(head.request_framing());
        let number = self.connection.number;
        let request = ReceivedRequest::new(&head, number, self.requests, body.is_done());
        let (method, target) = (request.method.clone(), request.target.clone());
        let place = self.connection.log.write(|seen| {
            seen.requests.push(request);
            seen.requests.len() - 1
        });
        self.connection.log.tell(&Event::Request { connection: number, method, target });
        self.requests += 1;
        self.pending = Some(Pending { head, body, place });
        Ok(Some(place))
    }

    pub(crate) fn read_body(&mut self, may_continue: bool, pace: Option<Pace>) -> io::Result<()> {
        let Some(pending) = &mut self.pending else { return Ok(()) };
        let Connection { link, stop, log, .. } = self.connection;
        let waits = pending.head.expects_continue() && !pending.body.is_done();
        // A client that has begun to send does not wait any more (RFC 9110, section 10.1.1).
        if waits && may_continue && self.input.is_empty() {
            link.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        let source = Source { link, stop, pace };
        while let Some(piece) = pending.body.next(&mut self.input, &source)? {
            log.write(|seen| {
                if let Some(request) = seen.requests.get_mut(pending.place) {
                    request.body.extend_from_slice(piece);
                }
            });
        }
        log.write(|seen| {
            if let Some(request) = seen.requests.get_mut(pending.place) {
                request.complete = true;
            }
        });
        Ok(())
    }

    fn read_slowly(&mut self, pace: Pace) -> io::Result<()> {
        if self.pending.is_some() {
            self.read_body(true, Some(pace))
        } else {
            self.drain(Some(pace))
        }
    }

    fn drain(&mut self, pace: Option<Pace>) -> io::Result<()> {
        let Connection { link, stop, .. } = self.connection;
        let source = Source { link, stop, pace };
        let mut everything = Body::UntilClose;
        while everything.next(&mut self.input, &source)?.is_some() {}
        Ok(())
    }

    fn read_exactly(&mut self, count: usize) -> io::Result<()> {
        while self.input.unread().len() < count {
            if !self.input.fill(&self.connection.link)? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        self.input.take(count);
        Ok(())
    }
}
