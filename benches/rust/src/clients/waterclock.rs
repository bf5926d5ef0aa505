//! The client that this is about: limits set, and a timeline recorded, as always.

use std::time::Duration;

use waterclock::tls::Roots;
use waterclock::{Limits, PoolSettings, Session, TlsSettings};

use super::zeros;
use crate::client::{Body, Client, Request, Result, Setup, Sink};

struct Waterclock(Session);

pub fn make(setup: &Setup) -> Result<Box<dyn Client>> {
    let limits = Limits::builder()
        .total(setup.total)
        .connect(Duration::from_secs(10))
        .read(Duration::from_secs(10))
        .write(Duration::from_secs(10))
        .build();
    let mut builder = Session::builder().limits(limits);
    if !setup.keep_alive {
        builder = builder.pool(PoolSettings { max_idle: 0, ..PoolSettings::default() });
    }
    if let Some(ca) = &setup.ca {
        let roots = Roots::pem(ca.as_bytes())?;
        builder = builder.tls(TlsSettings::builder().roots(roots).build()?);
    }
    Ok(Box::new(Waterclock(builder.build()?)))
}

impl Client for Waterclock {
    fn send(&mut self, request: &Request, sink: &mut Sink) -> Result<u16> {
        let url = request.url.as_str();
        let request_of_ours = match request.body {
            Body::None => self.0.get(url),
            Body::Json(bytes) => {
                self.0.post(url).header("Content-Type", "application/json").body(bytes)
            }
            Body::Upload(length) => self.0.post(url).body_reader(zeros(length), Some(length)),
        };
        let mut response = request_of_ours.send()?;
        if request.streamed {
            sink.read(&mut response, true)?;
        } else {
            sink.take(&response.content()?);
        }
        Ok(response.status())
    }

    fn share(&self) -> Option<Box<dyn Client>> {
        Some(Box::new(Waterclock(self.0.clone())))
    }
}
