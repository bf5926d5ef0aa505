//! reqwest, its blocking client.

use reqwest::blocking::{Body as Sent, Client as Session};

use super::{reqwest::trusted, zeros};
use crate::client::{Body, Client, Request, Result, Setup, Sink};

struct ReqwestBlocking(Session);

pub fn make(setup: &Setup) -> Result<Box<dyn Client>> {
    let mut session = Session::builder().timeout(setup.total).no_proxy();
    if !setup.keep_alive {
        session = session.pool_max_idle_per_host(0);
    }
    session = session.tls_certs_only(trusted(setup)?);
    Ok(Box::new(ReqwestBlocking(session.build()?)))
}

impl Client for ReqwestBlocking {
    fn send(&mut self, request: &Request, sink: &mut Sink) -> Result<u16> {
        let url = &request.url;
        let builder = match request.body {
            Body::None => self.0.get(url),
            Body::Json(bytes) => {
                self.0.post(url).header("Content-Type", "application/json").body(bytes)
            }
            Body::Upload(length) => self.0.post(url).body(Sent::sized(zeros(length), length)),
        };
        let response = builder.send()?;
        let status = response.status().as_u16();
        if request.streamed {
            sink.read(response, true)?;
        } else {
            sink.take(&response.bytes()?);
        }
        Ok(status)
    }

    fn share(&self) -> Option<Box<dyn Client>> {
        Some(Box::new(ReqwestBlocking(self.0.clone())))
    }
}
